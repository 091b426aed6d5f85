"""The command line as a whole: help without torch, wrong command lines, exit statuses."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from limner.cli import main as cli
from limner.cli.info import Info
from limner.programs.program import Program

HEAVY = {"torch", "PIL", "matplotlib", "scipy", "tensorboard", "mujoco", "rich.progress"}
"""Modules that no help may import: some take seconds."""
HELP = (
    *("--help", "train --help", "train mnist --help", "train scenes --help", "train --resume --help", "sample --help"),
    *("evaluate --help", "paint --help", "parse --help", "replay --help", "robot --help", "export --help"),
    *("runs --help", "bench --help", "info --help", "data --help", "data check --help"),
    *("completion --help", "mcp --help"),
)


def test_help_needs_no_torch() -> None:
    code = (
        "import sys, limner.cli.main as cli\n"
        "for words in sys.argv[2:]:\n"
        "    try: cli.main(words.split())\n"
        "    except SystemExit as end: assert end.code == 0, (words, end.code)\n"
        "    imported = set(sys.argv[1].split()) & set(sys.modules)\n"
        "    assert not imported, (words, imported)\n"
    )
    result = subprocess.run([sys.executable, "-c", code, " ".join(HEAVY), *HELP], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("usage: limner") == len(HELP)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["scribble"],
        ["train"],
        ["train", "imagenet"],
        ["replay"],
        ["train", "mnist", "--seed", "x"],
    ],
)
def test_a_wrong_command_line_tells_what_there_is(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(words)
    assert end.value.code == 2
    output, error = capsys.readouterr()
    assert output == ""
    assert "limner" in error


def test_every_flag_has_a_text(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    for words in HELP:
        with pytest.raises(SystemExit):
            cli.main(words.split())
        text = " ".join(re.sub("[│╭╮╰╯─-]{2,}|[│╭╮╰╯─]", " ", capsys.readouterr().out).split())
        assert "``" not in text, words
        for entry in re.findall(r"[\w\]}]+ \((?:default: [^)]*|required)\)", text):
            assert not re.match(r"[A-Z]{3,}\b|[\]}]", entry), f"{words}: {entry}"


def test_commands_are_listed_in_80_columns(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    lines = capsys.readouterr().out.splitlines()
    for name, what in cli.COMMANDS.items():
        assert any(line.split() == [name, *what.split()] for line in lines), "on one line each"
    assert max(map(len, lines)) <= 80


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("limner 0.")


def test_the_module_is_the_command(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "limner"]
    assert subprocess.run([*words, "--version"], capture_output=True, text=True).stdout.startswith("limner 0.")
    failed = subprocess.run([*words, "replay", "nowhere.json"], capture_output=True, text=True, cwd=tmp_path)
    assert (failed.returncode, failed.stderr) == (2, "limner: nowhere.json: No such file or directory\n")


def test_the_traceback_on_request(toy_programs: list[Program], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIMNER_DEBUG", "1")
    with pytest.raises(ValueError, match="canvas"):
        cli.main(["replay", "program.json", "--size", "3"])


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("one line\n  or two"), "limner: one line or two\n"),
        (MemoryError(), "limner: not enough memory\n"),
        (FileNotFoundError(2, "No such file or directory", "x.json"), "limner: x.json: No such file or directory\n"),
        (ImportError("needs MuJoCo"), "limner: needs MuJoCo\n"),
    ],
)
def test_errors_end_in_one_line_and_status_2(
    here: Path, fails: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, error: Exception, line: str
) -> None:
    def broken(self: object) -> None:
        raise error

    monkeypatch.setattr(Info, "run", broken)
    assert fails("info") == line


def test_ctrl_c_ends_quietly(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def stopped(self: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Info, "run", stopped)
    assert cli.main(["info"]) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    "words",
    [
        "info",
        "sample --agent mnist -n 1",
        "replay program.json",
        "evaluate --agent mnist-reconstruct --limit 1",
        "parse mnist-5k --agent mnist-reconstruct --limit 1 --out parsed.jsonl",
        "data check mnist-5k",
        "runs .",
    ],
)
def test_without_a_home_folder(words: str, toy_programs: list[Program], homeless: None) -> None:
    assert cli.main(words.split()) == 0


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ("data fetch mnist", "set HOME, or name the data folder as root or in LIMNER_DATA"),
        ("data make scenes", "set HOME, or name the data folder as root or in LIMNER_DATA"),
        ("data check mnist", "name it as root or in LIMNER_DATA"),
        ("data check folder:~/pictures", "~/pictures: no home folder is known for this user; set HOME, or give the"),
        (
            "train tiny --runtime ray",
            "~/.ray: no home folder is known for this user; set HOME, or train with --runtime",
        ),
    ],
)
def test_what_needs_a_home_folder_says_so(words: str, remedy: str, homeless: None, fails: Callable[[str], str]) -> None:
    assert remedy in fails(words)
