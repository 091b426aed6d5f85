"""Recorded pen strokes: places, coordinates, what is wrong with broken files."""

import io
import lzma
import re
import tarfile
from pathlib import Path

import numpy as np
import pytest

from limner.data import human_strokes as strokes
from limner.data import load_dataset
from limner.data.human_strokes import PLACE, Handwriting, drawing_name, load_handwriting
from limner.data.omniglot import TEST_DRAWERS

GOOD = "START\n0.0,-0.0,0\n104,-104,20\nBREAK\n52,-26.75,99\nBREAK\n"
NAME = "Greek/character01/0394_19"


def archive(root: Path, files: dict[str, str]) -> Path:
    """The archive of these files in the data folder ``root``."""
    path = root / f"{PLACE}.tar.xz"
    path.parent.mkdir(parents=True)
    with tarfile.open(path, "w:xz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content.encode()))
    return path


def one(content: bytes) -> Handwriting:
    return Handwriting({NAME: content}, Path("here"))


def test_points_are_counted_in_sides_of_the_canvas() -> None:
    first, dot = one(GOOD.encode()).strokes(NAME)
    assert first.dtype == np.float64
    np.testing.assert_allclose(first, np.array([[0.5, 0.5], [104.5, 104.5]]) / 105)
    np.testing.assert_allclose(dot, np.array([[52.5, 27.25]]) / 105)


def test_lines_may_end_as_in_windows() -> None:
    for a, b in zip(
        one(GOOD.replace("\n", "\r\n").encode()).strokes(NAME), one(GOOD.encode()).strokes(NAME), strict=True
    ):
        np.testing.assert_array_equal(a, b)


def test_an_archive_and_its_folder_hold_the_same(tmp_path: Path) -> None:
    files = {f"strokes_background/{NAME}.txt": GOOD, "strokes_background/notes.txt": "hello", "other.png": ""}
    archive(tmp_path / "packed", files)
    path = tmp_path / "open" / PLACE / f"{NAME}.txt"
    path.parent.mkdir(parents=True)
    path.write_text(GOOD)
    for root in ("packed", "open"):
        handwriting = load_handwriting(tmp_path / root)
        assert handwriting.names == (NAME,)
        assert NAME in handwriting
        assert "Greek/character01/0394_18" not in handwriting
        assert len(handwriting.strokes(NAME)) == 2
        with pytest.raises(KeyError):
            handwriting.strokes("Greek/character01/0394_18")


def test_names_that_lead_elsewhere_are_only_names(tmp_path: Path) -> None:
    archive(tmp_path / "root", {f"../../{NAME}.txt": GOOD, "/x/y/Greek/character02/0395_01.txt": GOOD})
    before = sorted(tmp_path.rglob("*"))
    handwriting = load_handwriting(tmp_path / "root")
    assert handwriting.names == (NAME, "Greek/character02/0395_01")
    assert len(handwriting.strokes(NAME)) == 2
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "must begin with START and end with BREAK"),
        ("START\n1,-1,0\n", "must begin with START and end with BREAK"),
        ("1,-1,0\nBREAK\n", "must begin with START"),
        ("START\nBREAK\n", "line 2 ends a stroke without a point"),
        ("START\n1,-1,0\nBREAK\nBREAK\n", "line 4 ends a stroke without a point"),
        ("START\n1,-1,0\n1,-1\nBREAK\n", "line 3 is '1,-1': must be x,y,milliseconds or BREAK"),
        ("START\n1,-1,0,0\nBREAK\n", "line 2 is '1,-1,0,0': must be"),
        ("START\n1,one,0\nBREAK\n", "line 2 is '1,one,0': must be"),
        ("START\nnan,-1,0\nBREAK\n", "line 2 is 'nan,-1,0': that is far from the picture"),
        ("START\n1,inf,0\nBREAK\n", "that is far from the picture"),
        ("START\n1e9,-1,0\nBREAK\n", "that is far from the picture"),
        ("STÄRT", "codec can't decode"),
    ],
)
def test_broken_files_are_named(content: str, message: str) -> None:
    with pytest.raises(ValueError, match=rf"^{NAME}\.txt in here: .*{re.escape(message)}"):
        one(content.encode()).strokes(NAME)


def test_broken_archives_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        ValueError, match=r"no omniglot/strokes_background_small nor .* put Omniglot's published strokes"
    ):
        load_handwriting(tmp_path)
    path = archive(tmp_path, {f"{NAME}.txt": GOOD, "notes.txt": "x" * 9999})
    whole = path.read_bytes()
    for damaged, message in {
        whole[:-20]: "is cut short",
        whole[:40] + b"damaged" + whole[47:]: "cannot read .*: Corrupt",
        b"": "is cut short",
        b"hello": "cannot read .* format",
        lzma.compress(b"x" * 5000): "cannot read",
    }.items():
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=rf"{re.escape(str(path))}.*|{message}") as error:
            load_handwriting(tmp_path)
        assert re.search(message, str(error.value))
    path.write_bytes(whole)
    monkeypatch.setattr(strokes, "LARGEST", 2**24)
    path.write_bytes(lzma.compress(bytes(2**24 + 1)))
    with pytest.raises(ValueError, match="larger than 16777216 bytes"):
        load_handwriting(tmp_path)
    path.unlink()
    archive(tmp_path / "other", {"notes.txt": "hello"})
    with pytest.raises(ValueError, match=r"holds no file <Alphabet>/characterNN/NNNN_MM\.txt"):
        load_handwriting(tmp_path / "other")


def test_pictures_and_strokes_have_the_same_names() -> None:
    assert drawing_name(f"images_background/{NAME}.png") == drawing_name(f"{NAME}.txt") == NAME
    with pytest.raises(ValueError, match=r"'Greek/a\.png' is not named as <Alphabet>"):
        drawing_name("Greek/a.png")


def test_real_strokes_lie_on_the_ink_of_their_pictures(real_data: Path) -> None:
    if not (real_data / f"{PLACE}.tar.xz").exists() and not (real_data / PLACE).exists():
        pytest.skip(f"no {PLACE} in the data folder")
    handwriting = load_handwriting(real_data)
    assert len(handwriting.names) == 4840
    assert len({name.split("/")[0] for name in handwriting.names}) == 8
    pictures = load_dataset("omniglot", "test", real_data)
    assert sum(drawing_name(file) in handwriting for file in pictures.files) == 242 * len(TEST_DRAWERS)
    for row in [row for row, file in enumerate(pictures.files) if drawing_name(file) in handwriting][::24]:
        ink = pictures.pictures(105, np.array([row]))[0, ..., 0] < 128
        points = np.concatenate(handwriting.strokes(drawing_name(pictures.files[row])))
        x, y = np.clip(points * 105, 0, 104).astype(int).T
        assert ink[y, x].mean() > 0.97
