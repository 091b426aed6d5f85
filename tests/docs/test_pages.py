"""Pages that say how to do something: all that they tell to type is typed, in their order, with small budgets.

A training on the command line is read, with all its flags, and stood in for by a run that has learned nothing.
"""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import skimage

import limner.training
import limner.worlds
from limner.cli import main as cli
from limner.cli.train import read as read_training
from limner.training import algorithm_names, find_algorithm
from limner.training.evaluation import GenerationEvaluation
from limner.worlds import find_world, world_names

DOCS = Path(__file__).parents[2] / "docs"
FOLDERS = ("tutorials", "how-to")
PAGES = ["start.md", *sorted(str(page.relative_to(DOCS)) for name in FOLDERS for page in (DOCS / name).glob("*.md"))]
SMALL = {"--search": ("--sweeps", "1"), "--sweeps": ("--sweeps", "1"), "--size": ("--size", "96"), "-n": ("-n", "8")}
"""Flags that decide how long a command takes, and what takes the place of each."""
FEWER = 50
"""Times as many strokes as here a page asks for."""

Runs = dict[bool, Path]
"""A run of a conditional agent (True), and one of an unconditional agent."""


def blocks(page: str) -> Iterator[tuple[str, str]]:
    """Language and text of the fenced blocks of a page, in order."""
    text = (DOCS / page).read_text()
    for _, language, body in re.findall(r"^( *)```(\w+)\n(.*?)^\1```$", text, re.DOTALL | re.MULTILINE):
        yield language, dedent(body)


def smaller(words: list[str]) -> list[str]:
    """The same command with a small budget."""
    result = list(words)
    for flag, other in SMALL.items():
        if flag in words:
            place = words.index(flag)
            result[place : place + 2] = other
    if words[0] == "paint":
        place = words.index("--strokes") + 1 if "--strokes" in words else None
        strokes = "12" if place is None else str(int(words[place]) // FEWER)
        result[slice(len(words), None) if place is None else slice(place - 1, place + 1)] = ["--strokes", strokes]
        result += [] if {"--detail", "--continue"} & {*words} else ["--detail", "1"]
    return result


def type_in(line: str, runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do what a line of a shell says."""
    program, *words = shlex.split(line, comments=True)
    if program == "export":
        monkeypatch.setenv(*words[0].split("=", 1))
        return
    assert program in ("limner", "python"), line
    if program == "python":
        script, *words = words
        exec(Path(script).read_text().partition("sys.exit(")[0], {})  # what it does before it is the program
    if "--help" in words:
        with pytest.raises(SystemExit, match="0"):
            cli.main(words)
    elif words[:2] == ["train", "--resume"]:
        assert (read_training(words[1:]).folder / "checkpoints").is_dir()
    elif words[0] == "train":
        command = read_training(words[1:])
        shutil.copytree(runs[command.config.agent.conditional], command.out)
    else:
        assert cli.main(smaller(words)) == 0, line


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a photograph and room for modules. What they register is forgotten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    worlds = {name: find_world(name) for name in world_names()}  # all of them, so that none is forgotten afterwards
    algorithms = {name: find_algorithm(name) for name in algorithm_names()}
    monkeypatch.setattr(limner.worlds, "_worlds", worlds)
    monkeypatch.setattr(limner.training, "_algorithms", algorithms)
    monkeypatch.setattr(GenerationEvaluation.__init__, "__defaults__", (20,))  # pictures, where a run takes 1,000
    shutil.copyfile(Path(skimage.__file__).parent / "data/coffee.png", "coffee.png")
    yield tmp_path
    for name in [name for name in sys.modules if (tmp_path / f"{name}.py").exists()]:
        del sys.modules[name]


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_tells_to_type_works(
    page: str,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    conditional_folder: Path,
    unconditional_folder: Path,
) -> None:
    names: dict[str, Any] = {}
    done = 0
    for language, body in blocks(page):
        if file := re.match(r"# (\w+\.py)\n", body):
            (here / file[1]).write_text(body)
        elif language == "python":
            exec(compile(re.sub(r"frames=[\d_]+", "frames=1", body), page, "exec"), names)
        elif language == "sh":
            for line in body.replace("\\\n", "").splitlines():
                type_in(line, {True: conditional_folder, False: unconditional_folder}, monkeypatch)
        done += 1
    assert done, "there is something to do"
