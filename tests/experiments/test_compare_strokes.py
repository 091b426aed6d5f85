"""Strokes against people's: reading the recorded ones, and comparisons whose answers are known."""

import io
import lzma
import math
import re
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scripts import load_script

from limner.data import load_dataset
from limner.data.omniglot import TEST_DRAWERS

script = load_script("experiments/compare_strokes.py")
PLACE, POINTS = script.PLACE, script.POINTS
Handwriting, drawing_name, load_handwriting = script.Handwriting, script.drawing_name, script.load_handwriting
aligned, chamfer, compare = script.aligned, script.chamfer, script.compare
resample, same_way = script.resample, script.same_way

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


def one(content: bytes) -> Any:
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
    monkeypatch.setattr(script, "LARGEST", 2**24)
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


def line(*points: tuple[float, float]) -> np.ndarray:
    return np.array(points, float)


def circle(turns: float = 1.0, begin: float = 0.0, count: int = 200) -> np.ndarray:
    angle = 2 * math.pi * (begin + np.linspace(0, turns, count))
    return 0.5 + 0.3 * np.stack([np.cos(angle), np.sin(angle)], -1)


ACROSS, DOWN, SLANT = line((0.1, 0.2), (0.9, 0.2)), line((0.5, 0.3), (0.5, 0.9)), line((0.1, 0.9), (0.3, 0.5))
LETTER = [ACROSS, DOWN, SLANT]


def lower(by: float) -> np.ndarray:
    return ACROSS + np.array([0, by])


def test_the_same_drawing() -> None:
    same = compare(LETTER, LETTER)
    assert (same.strokes, same.expected, same.chamfer, same.order, same.direction) == (3, 3, 0, 1, 1)


def test_neither_speed_nor_number_of_points_counts() -> None:
    slow = [line((0.1, 0.2), (0.11, 0.2), (0.11, 0.2), (0.15, 0.2), (0.9, 0.2))]
    assert compare(slow, [ACROSS]).chamfer == pytest.approx(0, abs=1e-12)


def test_reversed_strokes_differ_in_direction_alone() -> None:
    other = compare([ACROSS[::-1], DOWN, SLANT], LETTER)
    assert (other.order, other.direction) == (1, pytest.approx(2 / 3))
    assert other.chamfer == pytest.approx(0, abs=1e-12)
    assert compare([stroke[::-1] for stroke in LETTER], LETTER).direction == 0


def test_reordered_strokes_differ_in_order_alone() -> None:
    for strokes, order in (
        ([DOWN, ACROSS, SLANT], 1 / 3),
        ([SLANT, ACROSS, DOWN], -1 / 3),
        ([SLANT, DOWN, ACROSS], -1),
    ):
        other = compare(strokes, LETTER)
        assert (other.chamfer, other.order, other.direction) == (0, pytest.approx(order), 1)


def test_a_stroke_in_two_pieces_is_matched_by_the_longer_one() -> None:
    """At x = .1 … .7 and .7 … .9: the longer piece is 0 from all of the stroke but its last quarter."""
    pieces = [line((0.1, 0.2), (0.7, 0.2)), line((0.7, 0.2), (0.9, 0.2))]
    other = compare([*pieces, DOWN, SLANT], LETTER)
    assert (other.strokes, other.expected, other.order, other.direction) == (4, 3, 1, 1)
    missed = 0.2**2 / 2 / 0.8  # the mean distance of the stroke's points from the piece
    assert other.chamfer == pytest.approx(missed / 2 / 3, rel=0.1)
    assert compare(LETTER, [*pieces, DOWN, SLANT]).chamfer == pytest.approx(other.chamfer)


def test_parallel_strokes_are_as_far_as_they_are() -> None:
    assert compare([lower(0.05)], [ACROSS]).chamfer == pytest.approx(0.05)
    far = chamfer(resample(ACROSS)[None], np.stack([resample(ACROSS), resample(lower(0.3))]))
    assert far == pytest.approx(np.array([[0, 0.3]]))


def test_the_assignment_is_the_best_in_all() -> None:
    """Greedily the first stroke would take the nearest one, and leave the other to a stroke that is far."""
    first, second = lower(0.1), lower(0.3)
    moved = [lower(0.19), ACROSS]
    assert compare(moved, [first, second]).chamfer == pytest.approx((0.11 + 0.1) / 2)
    assert compare(moved, [first, second]).order == -1


def test_a_closed_stroke_has_a_direction_wherever_it_begins() -> None:
    for begin in (0, 0.25, 0.5, 0.9):
        for turns, direction in ((1, 1), (-1, 0), (0.4, 1), (-0.4, 0)):
            assert compare([circle(turns, begin)], [circle()]).direction == direction


def test_a_dot_has_no_direction() -> None:
    dot = line((0.5, 0.5))
    assert resample(dot).tolist() == [[0.5, 0.5]] * POINTS
    assert same_way(resample(dot), resample(ACROSS)) == 0
    assert same_way(resample(line((0.3, 0.3), (0.3, 0.3))), resample(ACROSS)) == 0
    alone = compare([dot], [line((0.5, 0.6))])
    assert alone.chamfer == pytest.approx(0.1)
    assert math.isnan(alone.direction)
    assert math.isnan(alone.order)
    assert compare([dot, ACROSS], [dot, ACROSS]).direction == 1


def test_nothing_at_all() -> None:
    none = compare([], LETTER)
    assert (none.strokes, none.expected) == (0, 3)
    assert math.isnan(none.chamfer) and math.isnan(none.order) and math.isnan(none.direction)  # noqa: PT018


def test_order_is_the_share_of_pairs_in_order_less_those_out_of_it() -> None:
    """Of four strokes two pairs out of six are swapped; a single stroke has no order."""
    strokes = [lower(by) for by in (0.0, 0.2, 0.4, 0.6)]
    swapped = [strokes[i] for i in (1, 0, 3, 2)]
    assert compare(swapped, strokes).order == pytest.approx((4 - 2) / 6)
    assert compare(strokes[::-1], strokes).order == pytest.approx(-1)
    assert math.isnan(compare(strokes[:1], strokes).order)


def test_resampling_keeps_ends_and_distances() -> None:
    bent = resample(line((0, 0), (0.3, 0), (0.3, 0.17)))
    assert bent.shape == (POINTS, 2)
    assert bent[[0, -1]].tolist() == [[0, 0], [0.3, 0.17]]
    np.testing.assert_allclose(np.abs(np.diff(bent, axis=0)).sum(1), 0.01)


def test_alignment_undoes_place_and_size() -> None:
    moved = [stroke * 0.4 + np.array([0.3, 0.1]) for stroke in LETTER]
    for stroke, other in zip(aligned(moved, LETTER), LETTER, strict=True):
        np.testing.assert_allclose(stroke, other)
    assert aligned([line((0.2, 0.2))], [ACROSS])[0] == pytest.approx(np.array([[0.5, 0.2]]))
