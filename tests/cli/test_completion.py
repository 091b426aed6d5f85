"""``limner completion``: what real shells complete with the script that it prints."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from limner.agents.zoo import shipped_agents
from limner.cli import main as cli
from limner.cli.train import every_flag
from limner.training.presets import PRESETS

LINES = {
    "limner pa": {"paint", "parse"},
    "limner paint --se": {"--search", "--seed"},
    "limner paint --search 5 --se": {"--search", "--seed"},
    "limner train mn": {name for name in PRESETS if name.startswith("mn")},
    "limner train mnist --expert.c": {flag for flag in every_flag("mnist") if flag.startswith("--expert.c")},
    "limner train mnist --algorithm ": {"distance", "imitation", "spiral"},
    "limner train --res": {"--resume", "--resolution"},
    "limner sample --agent m": {name for name in shipped_agents() if name.startswith("m")},
    "limner sample --agent fol": {"folder"},
    "limner evaluate --data mn": {"mnist", "mnist-5k"},
    "limner data f": {"fetch"},
    "limner data fetch ": {"mnist", "omniglot"},
    "limner export program.json --to ": {
        "png",
        "gif",
        "apng",
        "mp4",
        "webm",
        "ora",
        "svg",
        "gcode",
        "axidraw",
        "csv",
        "json",
    },
    "limner paint pic": {"picture.png"},
    "limner completion ": {"bash", "zsh", "fish"},
}
"""What there is to complete at the end of a line."""


@pytest.fixture
def script(here: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[str], Path]:
    """A function that writes the script of a shell; skips where the shell is not installed."""
    (here / "folder").mkdir()
    (here / "picture.png").touch()

    def script(shell: str) -> Path:
        if shutil.which(shell) is None:
            pytest.skip(f"{shell} is not installed")
        assert cli.main(["completion", shell]) == 0
        (here / shell).mkdir()
        path = here / shell / "script"
        path.write_text(capsys.readouterr().out)
        return path

    return script


def test_bash(script: Callable[[str], Path]) -> None:
    code = """
        eval "$(cat bash/script)"
        registered=$(complete -p limner | sed 's/.*-F \\([^ ]*\\).*/\\1/')
        complete_line() {
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
            $registered limner "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
            echo "${COMPREPLY[*]}"
        }
    """
    asked = "\n".join(f"complete_line {line}" + ("''" if line.endswith(" ") else "") for line in LINES)
    script("bash")
    result = subprocess.run(["bash", "-c", code + asked], capture_output=True, text=True)
    assert result.stderr == ""
    found = [set(line.split()) for line in result.stdout.splitlines()]
    assert dict(zip(LINES, found, strict=True)) == LINES


def test_fish(script: Callable[[str], Path]) -> None:
    asked = "".join(f"; echo '#'; complete -C '{line}'" for line in LINES)
    script("fish")
    result = subprocess.run(["fish", "-N", "-c", f"source fish/script{asked}"], capture_output=True, text=True)
    assert result.stderr == ""
    parts = [part.splitlines() for part in result.stdout.split("#\n")[1:]]
    found = [{line.partition("\t")[0].rstrip("/") for line in part} for part in parts]
    assert dict(zip(LINES, found, strict=True)) == LINES


def test_zsh(script: Callable[[str], Path]) -> None:
    """In a terminal: what stands there after the tabulator is pressed."""
    path = script("zsh")
    process, terminal = pty.fork()
    if process == 0:
        os.execvpe("zsh", ["zsh", "-f", "-i"], os.environ | {"TERM": "dumb", "COLUMNS": "300"})

    def press(keys: str, expected: set[str]) -> str:
        os.write(terminal, keys.encode())
        text, until = "", time.monotonic() + 20
        while not all(word in text for word in expected) and time.monotonic() < until:
            if select.select([terminal], [], [], 0.1)[0]:
                text += os.read(terminal, 2**16).decode(errors="replace")
        return text

    try:
        setup = f'PS1=; autoload -Uz compinit; compinit -u -D; LISTMAX=0; eval "$(cat {path})"; echo re""ady\n'
        assert "ready" in press(setup, {"ready"})
        for line in (
            "limner pa",
            "limner paint --se",
            "limner train mnist-",
            "limner sample --agent fa",
            "limner data f",
        ):
            words = (
                LINES.get(line) or {"limner train mnist-": {"mnist-prior"}, "limner sample --agent fa": {"faces"}}[line]
            )
            text = press(f"{line}\t", words)
            assert all(word in text for word in words), (line, text)
            press("\x15", set())
    finally:
        os.close(terminal)
        os.waitpid(process, 0)


def test_every_command_is_there(script: Callable[[str], Path]) -> None:
    text = script("bash").read_text()
    for name in cli.COMMANDS:
        assert f"_shtab_limner_{name}_option_strings=" in text
