"""Without the extras: what draws works, and what cannot work says in one line what to install, before it writes."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limner.cli import main as cli
from limner.extras import EXTRAS, require_extra
from limner.programs.program import Program

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
IMPORTED = {"scikit-image": "skimage"}
"""Distributions that are not imported by their own name."""
OTHERS = ("mujoco", "ray", "av", "pillow_heif")
"""Packages of extras that other modules ask for."""
WITHOUT = (
    "import sys\n"
    "from limner.cli.main import main\n"
    "sys.modules |= dict.fromkeys(sys.argv[1].split())\n"
    "for words in sys.argv[2:]:\n"
    "    status = main(words.split())\n"
    "    assert status == 0, (words, status)\n"
)
"""Runs command lines where the packages named first cannot be imported."""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder with a picture and a program."""
    monkeypatch.chdir(tmp_path)
    Program({"name": "paint"}, np.array([[1, 5, 99, 2, 5]])).save("program.json")
    Image.fromarray(np.full((8, 8, 3), (200, 30, 30), np.uint8)).save("picture.png")
    return tmp_path


def test_drawing_needs_no_extra(here):
    packages = sorted({*OTHERS, *(package for packages in EXTRAS.values() for package in packages)})
    lines = [
        *("info --json", "sample -n 2 --out drawn", "replay drawn/programs.jsonl --index 0"),
        "paint picture.png --search 0.2 --strokes 3 --size 64 --out painted",
        "export painted/program.json --to svg",
        "parse mnist-5k --agent mnist-reconstruct --limit 1 --out read.jsonl",
    ]
    run = [sys.executable, "-c", WITHOUT, " ".join(packages), *lines]
    result = subprocess.run(run, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    with Image.open("painted/painted.png") as painted:
        assert painted.size == (64, 64)


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        ("train toy --frames 100 --out new", "train"),
        ("train toy --population 2 --frames 100 --out new", "train"),
        ("evaluate --agent mnist-reconstruct --limit 1 --out new", "train"),
        ("paint picture.png --palette red --out new", "pens"),
        ("export program.json --to gcode --out new.gcode", "pens"),
        ("export program.json --to axidraw --out new.svg", "pens"),
    ],
)
def test_what_to_install_is_said_before_anything_is_written(here, words, extra, monkeypatch, capsys):
    before = sorted(Path().rglob("*"))
    for package in EXTRAS[extra]:
        monkeypatch.setitem(sys.modules, package, None)
        capsys.readouterr()
        assert cli.main(words.split()) == 2
        said = capsys.readouterr().err
        assert re.fullmatch(rf'limner: .* needs {package}( and .*)?: pip install "limner\[{extra}\]"\n', said), said
        assert sorted(Path().rglob("*")) == before
        monkeypatch.undo()
        monkeypatch.chdir(here)


def test_an_extra_brings_what_is_asked_for():
    extras = tomllib.loads(PROJECT.read_text())["project"]["optional-dependencies"]
    for name, packages in EXTRAS.items():
        distributions = [re.split("[<>=]", requirement)[0] for requirement in extras[name]]
        assert {IMPORTED.get(each, each) for each in distributions} == set(packages)
        require_extra(name, "this test")
