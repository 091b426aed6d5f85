"""What ``--out`` leaves: nothing where a command fails before it has a result; no half of a file on a full disk."""

from __future__ import annotations

import re
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limner.cli import main as cli
from limner.programs.program import Program, save_programs

FAILURES = [
    "paint text.png --agent CONDITIONAL",
    "paint nothing.png --agent CONDITIONAL",
    "paint photo.png --agent nobody",
    "paint photo.png --agent UNCONDITIONAL",
    "paint photo.png --agent CONDITIONAL --detail 3",
    "paint photo.png --agent CONDITIONAL --size 3",
    "paint photo.png --agent CONDITIONAL --serach 3",
    "sample --agent nobody",
    "sample --agent CONDITIONAL",
    "sample --agent UNCONDITIONAL --temperature -1",
    "evaluate --agent nobody",
    "evaluate --agent UNCONDITIONAL",
    "evaluate --agent CONDITIONAL --data folder:nothing",
    "evaluate --agent CONDITIONAL --data text.npz",
    "evaluate --agent CONDITIONAL --search -1",
    "parse folder:nothing --agent CONDITIONAL",
    "parse mnist-5k --agent UNCONDITIONAL",
    "robot nothing.json",
    "replay nothing.json",
    "replay text.png",
    "replay programs.jsonl --index 9",
    "replay program.json --size 3",
    "export toy.json --to svg",
    "export program.json --to gcode --gcode.feed -1",
    "train tiny --data folder:nothing",
    "train tiny --start nobody",
    "train tiny --start CONDITIONAL",
    "train tiny --critic.data programs:nothing",
    "train tiny --algorithm imitation --expert file --expert.path nothing",
    "train tiny --population 2 --data folder:nothing",
    "train tiny --population 2 --start nobody",
    "train tiny --frames -1",
]
ENDINGS = {"parse": ".jsonl", "replay": ".gif", "export": ".svg"}
"""Of the commands that write one file."""


@pytest.fixture
def folder(here: Path, conditional_folder: Path, unconditional_folder: Path) -> Path:
    """The working directory, with inputs of all kinds."""
    Image.fromarray(np.zeros((64, 64), np.uint8)).save("photo.png")
    Path("text.png").write_text("hello")
    Path("text.npz").write_text("hello")
    actions = np.array([[1, 99, 5, 2, 5], [1, 999, 5, 2, 5]])
    program = Program({"name": "paint"}, actions)
    program.save("program.json")
    save_programs("programs.jsonl", [program] * 3)
    Program({"name": "toy"}, np.array([[1, 9, 5, 1, 2]])).save("toy.json")
    Path("CONDITIONAL").symlink_to(conditional_folder)
    Path("UNCONDITIONAL").symlink_to(unconditional_folder)
    return here


def out(words: str) -> str:
    return f"results/deep/a{ENDINGS.get(words.split()[0], '')}"


@pytest.mark.parametrize("words", FAILURES)
def test_what_fails_leaves_nothing(words: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = set(folder.iterdir())
    try:
        status = cli.main([*words.split(), "--out", out(words)])
    except SystemExit as end:
        status = end.code
    assert status == 2
    assert "limner" in capsys.readouterr().err
    assert set(folder.iterdir()) == before


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """While open, no file of this process grows beyond ``size`` bytes: the error is like that of a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    ("words", "sizes"),
    [
        ("sample --agent UNCONDITIONAL -n 30", (0, 100, 900, 4000)),
        ("evaluate --agent CONDITIONAL --limit 2", (0, 100, 900, 4000)),
        ("parse mnist-5k --agent CONDITIONAL --limit 9", (0, 100, 900, 4000)),
        ("paint photo.png --agent CONDITIONAL --detail 1 --search 0", (0, 100, 900, 4000)),
        ("replay program.json --size 200", (0, 100, 900, 4000)),
        ("export program.json --to svg", (0, 100, 900, 4000)),
        ("train tiny --frames 24 --episodes 8 --learning.minibatches 1", (4000,)),
    ],
)
def test_an_error_of_writing_names_the_file_and_leaves_whole_ones(
    words: str, sizes: tuple[int, ...], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for size in sizes:
        with largest_file(size):
            status = cli.main([*words.split(), "--out", out(words)])
        error = capsys.readouterr().err
        left = [path for path in Path("results").rglob("*") if path.is_file()]
        assert all(0 < path.stat().st_size <= size and not path.name.startswith(".") for path in left)
        assert Path("results").exists() == bool(left)
        if status:
            assert status == 2
            found = re.search(r"^limner: (\S+): File too large.*\n\Z", error, re.MULTILINE)
            assert found is not None, error
            assert Path(found[1]).is_relative_to("results")
            assert not Path(found[1]).exists()
        else:
            assert left
        shutil.rmtree("results", ignore_errors=True)


def test_a_retry_works_where_a_file_could_not_be_appended_to(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = f"parse mnist-5k --agent CONDITIONAL --limit 40 --out {out('parse')}".split()
    with largest_file(5000):
        assert cli.main(words) == 2
    assert not Path("results").exists()
    assert cli.main(words) == 0
    assert len(Path(out("parse")).read_bytes().splitlines()) == 40
