"""``limner paint`` of a film."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limner.cli import main as cli
from limner.data.film import open_film, write_film
from limner.inference import film as inference
from limner.programs.execution import execute
from limner.programs.program import load_programs

OPTIONS = "--sweeps 0 --detail 2 --size 96 --threads 1 --out film --agent"


def frames(count: int = 3) -> list[np.ndarray]:
    """A square that moves to the right, on grey."""
    result = []
    for step in range(count):
        pixels = np.full((48, 96, 3), 120, np.uint8)
        pixels[16:32, 20 * step : 20 * step + 24] = 0
        result.append(pixels)
    return result


def write_folder() -> None:
    Path("clip").mkdir()
    for i, pixels in enumerate(frames()):
        Image.fromarray(pixels).save(f"clip/{i}.png")


@pytest.mark.parametrize("kind", ["folder", "video"])
def test_a_film_is_painted(here: Path, conditional_folder: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    if kind == "video":
        pytest.importorskip("av")
        write_film(Path("clip.mp4"), frames(), Fraction(10))
    else:
        write_folder()
    given = "clip.mp4" if kind == "video" else "clip --film"
    assert cli.main(["paint", *given.split(), *OPTIONS.split(), str(conditional_folder)]) == 0
    assert capsys.readouterr().out == "film/film.mp4: 3 frames\n"
    programs = load_programs("film/programs.jsonl")
    assert len(programs) == 3
    for number, program in enumerate(programs, 1):
        with Image.open(f"film/frames/{number:05}.png") as picture:
            np.testing.assert_array_equal(np.asarray(picture), execute(program, 96)[..., 0])
    images, count, rate = open_film(Path("film/film.mp4"))
    assert (count, rate) == (3, 10 if kind == "video" else 25)
    assert [image.size for image in images] == [(96, 48)] * 3


def test_without_pyav_a_film_is_a_gif(
    here: Path, conditional_folder: Path, monkeypatch: pytest.MonkeyPatch, fails: Callable[[str], str]
) -> None:
    write_folder()
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    assert cli.main(["paint", "clip", "--film", *OPTIONS.split(), str(conditional_folder)]) == 0
    with Image.open("film/film.gif") as picture:
        assert picture.n_frames >= 1
    Path("clip.mp4").write_bytes(b"")
    assert "video files need PyAV: pip install 'limner[video]'" in fails("paint clip.mp4")


def test_a_signal_leaves_the_frames_that_are_painted(
    here: Path, conditional_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folder()
    honest, painted = inference.paint, []

    def paint(*arguments: object) -> object:
        painted.append(arguments)
        if len(painted) == 3:
            signal.raise_signal(signal.SIGTERM)
        return honest(*arguments)

    monkeypatch.setattr(inference, "paint", paint)
    assert cli.main(["paint", "clip", "--film", *OPTIONS.split(), str(conditional_folder)]) == 130
    assert len(load_programs("film/programs.jsonl")) == 2
    assert sorted(path.name for path in Path("film").iterdir()) == ["film.mp4", "frames", "programs.jsonl"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("clip photo.png --film", "a film is painted alone, not with photo.png"),
        ("photo.png --film", "--film: photo.png is no folder of pictures and no video file"),
        ("clip --film --continue x.json", "--continue is for a picture, not for a film"),
        ("text.mp4", "cannot read text.mp4: Invalid data"),
        ("nothing.mp4", "cannot read nothing.mp4: No such file"),
        ("mixed --film", "frame 1 is (10, 10), the first is (20, 10): make them all alike"),
    ],
)
def test_bad_input_is_one_line(
    here: Path, conditional_folder: Path, fails: Callable[[str], str], words: str, message: str
) -> None:
    pytest.importorskip("av")
    write_folder()
    Path("mixed").mkdir()
    for name, size in (("photo.png", (9, 9)), ("mixed/a.png", (20, 10)), ("mixed/b.png", (10, 10))):
        Image.new("RGB", size, (90, 80, 70)).save(name)
    Path("text.mp4").write_text(json.dumps({}))
    assert message in fails(f"paint {words} {OPTIONS} {conditional_folder}")
