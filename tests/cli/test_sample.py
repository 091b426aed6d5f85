"""``limner sample``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limner.cli import main as cli
from limner.programs.execution import execute
from limner.programs.program import load_programs


def sample(words: str, folder: Path) -> None:
    assert cli.main(["sample", "--agent", str(folder), *words.split()]) == 0


def test_the_same_seed_draws_the_same(here: Path, unconditional_folder: Path) -> None:
    sample("-n 5 --seed 3 --out one", unconditional_folder)
    sample("-n 3 --seed 3 --out two", unconditional_folder)
    assert {path.name for path in Path("one").iterdir()} == {
        *("samples.npz", "programs.jsonl", "sheet.png", "drawing.gif")
    }
    canvas = np.load("one/samples.npz")["canvas"]
    assert canvas.dtype == np.uint8
    assert canvas.shape == (5, 64, 64, 1)
    assert np.array_equal(np.load("two/samples.npz")["canvas"], canvas[:3])
    programs = load_programs("one/programs.jsonl")
    assert len(programs) == 5
    for picture, written in zip(canvas, programs, strict=True):
        assert np.array_equal(execute(written), picture)
    with Image.open("one/sheet.png") as sheet:
        assert sheet.size == (208, 140)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--count 0", "--count is 0"),
        ("--seed -1", "seed is -1"),
        ("--temperature nan", "temperature is nan"),
        ("--first-action-temperature -1", "first_action_temperature is -1"),
        ("--out file", "is a file"),
        ("--agent nobody", "nobody"),
    ],
)
def test_bad_input_is_one_line(here: Path, fails: Callable[[str], str], words: str, message: str) -> None:
    Path("file").write_text("text")
    assert message in fails(f"sample {words}")
    assert sorted(path.name for path in here.rglob("*") if path.is_file()) == ["file"]
