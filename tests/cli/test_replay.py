"""``limner replay``: pictures, animations and programs, one line when that cannot be."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from limner.cli import main as cli
from limner.programs.execution import execute, snapshots
from limner.programs.program import Program


def replay(words: str) -> None:
    assert cli.main(["replay", *words.split()]) == 0


def pixels(path: str) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)[..., None]


def test_the_program_is_painted(toy_programs: list[Program]) -> None:
    replay("program.json")
    assert np.array_equal(pixels("picture.png"), execute(toy_programs[0]))
    replay("program.json --size 128 --out deep/er/large.png")
    assert np.array_equal(pixels("deep/er/large.png"), execute(toy_programs[0], 128))


def test_a_line_of_many(toy_programs: list[Program]) -> None:
    replay("programs.jsonl --index 2 --out two.json")
    assert Program.load("two.json") == toy_programs[2]
    replay("programs.jsonl --out first.png")
    assert np.array_equal(pixels("first.png"), execute(toy_programs[0]))


def test_an_animation(toy_programs: list[Program]) -> None:
    replay("program.json --size 64 --step 0.05 --hold 3 --out drawing.gif")
    with Image.open("drawing.gif") as picture:
        durations = [frame.info["duration"] for frame in ImageSequence.Iterator(picture)]
        last = np.asarray(picture.convert("L"))[..., None]
    assert len(durations) > 1
    assert sum(durations) == 4 * 50 + 3000
    assert np.array_equal(last, execute(toy_programs[0], 64))


def test_a_long_animation_has_so_many_frames(toy_programs: list[Program], capsys: pytest.CaptureFixture[str]) -> None:
    replay("program.json --size 64 --frames 3 --step 1 --hold 2 --out drawing.gif")
    assert capsys.readouterr().out == "drawing.gif: 3 frames, 4.0 s\n"
    with Image.open("drawing.gif") as picture:
        shown = [np.asarray(frame.convert("L"))[..., None] for frame in ImageSequence.Iterator(picture)]
    np.testing.assert_array_equal(shown, list(snapshots(toy_programs[0], [0, 2, 4], 64)))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("nowhere.json", "nowhere.json: No such file"),
        (".", "Is a directory"),
        ("program.json --out picture.bmp", "must end in .png"),
        ("program.json --out program.json/x.png", "is a file"),
        ("program.json --out /proc/x.png", "cannot write into the folder /proc"),
        ("program.json --size 3", "canvas is 3"),
        ("program.json --index 0", "--index picks a line"),
        ("programs.jsonl --index 3", "holds 3 programs"),
        ("programs.jsonl --index -1", "--index is -1"),
        ("program.json --out x.gif --step 0", "step is 0.0: must be in "),
        ("program.json --out x.gif --frames 1", "--frames is 1: must be in 2 … 10000"),
    ],
)
def test_bad_input_is_one_line(
    toy_programs: list[Program], fails: Callable[[str], str], words: str, message: str
) -> None:
    before = {path: path.read_bytes() for path in Path().iterdir()}
    assert message in fails(f"replay {words}")
    assert {path: path.read_bytes() for path in Path().iterdir()} == before


def test_bad_programs_are_named(toy_programs: list[Program], fails: Callable[[str], str]) -> None:
    good = json.loads(Path("program.json").read_text())
    Path("program.json").write_text(json.dumps(good | {"schema": 3}))
    assert "upgrade Limner" in fails("replay program.json")
    good["actions"][3] = ["paint", 0, 0, 0, 0, 0, 99]
    Path("program.json").write_text(json.dumps(good))
    assert "program.json: step 3: 'pressure' is 99, must be in 0 … 3" in fails("replay program.json")
    with open("programs.jsonl", "a") as file:
        file.write("{\n")
    assert "programs.jsonl, line 4" in fails("replay programs.jsonl")


def test_a_full_disk_leaves_the_old_file(
    toy_programs: list[Program], fails: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("picture.png").write_bytes(b"old")

    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert fails("replay program.json", 1) == "limner: picture.png: No space left on device\n"
    assert Path("picture.png").read_bytes() == b"old"
    assert sorted(path.name for path in Path().iterdir()) == ["picture.png", "program.json", "programs.jsonl"]
