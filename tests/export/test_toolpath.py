"""What pens draw, before it is written."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from plotting import BLACK, apart

from limner.export.plotter import GcodeSettings
from limner.export.toolpath import simplify, toolpath
from limner.programs.frame import Frame
from limner.worlds.stroke import Stroke

POINTS = np.array([[0.0, 0.0, 0.5], [1.0, 0.0, 0.5]])
RIGID = GcodeSettings(depth=0)


def line(*places: tuple[float, float], colour: tuple[float, float, float] = BLACK) -> Stroke:
    return Stroke(np.array([[x / 100, y / 100, 1.0] for x, y in places]), colour)


@given(arrays(np.float64, st.tuples(st.integers(1, 30), st.just(3)), elements=st.floats(0, 100)), st.floats(0, 50))
def test_simplified_lines_stay_within_the_tolerance(points: np.ndarray, tolerance: float) -> None:
    fewer = simplify(points, tolerance)
    assert np.array_equal(fewer[[0, -1]], points[[0, -1]])
    assert {tuple(point) for point in fewer} <= {tuple(point) for point in points}
    assert apart(points, fewer).max() <= tolerance + 1e-9


def test_ends_that_meet_are_joined_in_any_order() -> None:
    strokes = [line((0, 0), (10, 0)), line((50, 50), (60, 50)), line((20, 0.05), (10, 0.05))]
    (pen,) = toolpath(strokes, RIGID).pens
    assert [len(points) for points in pen.lines] == [2, 2, 2]
    (pen,) = toolpath(strokes, replace(RIGID, order="nearest"), home=(0, 0)).pens
    assert pen.strokes == 3
    joined, other = pen.lines
    assert joined.tolist() == [[0, 0, 0], [10, 0, 0], [10, 0.05, 0], [20, 0.05, 0]]
    assert other[:, 1].tolist() == [50, 50]
    (pen,) = toolpath(strokes, replace(RIGID, order="nearest", join=0.02), home=(0, 0)).pens
    assert len(pen.lines) == 3


def test_strokes_of_several_pens_are_not_joined() -> None:
    strokes = [line((0, 0), (10, 0)), line((10, 0), (20, 0), colour=(1, 0, 0)), line((20, 0), (30, 0))]
    path = toolpath(strokes, replace(RIGID, pens=("black", "red", "lime")))
    assert [(pen.colour, pen.strokes, len(pen.lines)) for pen in path.pens] == [("black", 2, 2), ("red", 1, 1)]
    assert [len(pen.lines) for pen in toolpath(strokes, RIGID).pens] == [1]


@pytest.mark.parametrize(("mirror", "expected"), [("no", (10, 20)), ("x", (90, 20)), ("y", (10, 80))])
def test_a_drawing_can_be_mirrored(mirror: str, expected: tuple[float, float]) -> None:
    (pen,) = toolpath([line((0, 10), (5, 10))], GcodeSettings(depth=0, margin=10, mirror=mirror)).pens
    x, y = expected[0], 10 + 0.8 * (10 if mirror != "y" else 90)
    assert pen.lines[0][0] == pytest.approx([x, y, 0])


@pytest.mark.parametrize(("frame", "size"), [(Frame(300, 200), (100, 70)), (Frame(200, 300), (70, 100))])
@pytest.mark.parametrize("mirror", ["no", "x", "y"])
def test_a_sheet_has_the_shape_of_the_frame_and_strokes_end_there(frame: Frame, size: tuple, mirror: str) -> None:
    settings = GcodeSettings(sheet=100, margin=5, depth=0, mirror=mirror)
    cross = [line((0, 50), (100, 50)), line((50, 0), (50, 100)), line((5, 5), (6, 6))]
    path = toolpath(cross, settings, frame)
    assert (path.width, path.height) == pytest.approx(size)
    (pen,) = path.pens
    assert pen.strokes == 2, "one lies beside the picture"
    across, down = (np.sort(points[:, :2], axis=0) for points in pen.lines)
    assert across == pytest.approx(np.array([[5, size[1] / 2], [size[0] - 5, size[1] / 2]]))
    assert down == pytest.approx(np.array([[size[0] / 2, 5], [size[0] / 2, size[1] - 5]]))


def test_a_stroke_that_leaves_the_frame_and_comes_back_is_two_lines() -> None:
    (pen,) = toolpath([line((20, 50), (50, 10), (80, 50))], RIGID, Frame(2, 1)).pens
    assert pen.strokes == 1
    assert [points[:, 1].tolist() for points in pen.lines] == [pytest.approx([25, 0]), pytest.approx([0, 25])]


def test_a_tour_starts_at_home() -> None:
    strokes = [line((10, 10), (20, 10)), line((90, 90), (80, 90))]
    settings = replace(RIGID, order="nearest")
    (below,), (above,) = (toolpath(strokes, settings, home=home).pens for home in (None, (0, 0)))
    assert above.lines[0][0, :2].tolist() == [10, 10]
    assert below.lines[0][0, 0] in (80, 20, 10)
    (right,) = toolpath(strokes, replace(settings, left=-100)).pens
    assert right.lines[0][0, :2].tolist() == [90, 90]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda points: points[:, :2], r"stroke 1 must be points \[n, 3\] .* \[2, 2\]"),
        (lambda points: points[:0], r"stroke 1 must be points .* \[0, 3\]"),
        (lambda points: points * 2, r"stroke 1 leaves the sheet: .* got \[\[2.0, 0.0, 1.0\]\]"),
        (lambda points: points - 0.1, "stroke 1 leaves the sheet"),
        (lambda points: points * np.nan, "stroke 1 leaves the sheet"),
    ],
)
def test_bad_strokes_are_named(change: Callable[[np.ndarray], np.ndarray], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        toolpath([Stroke(POINTS, BLACK), Stroke(change(POINTS), BLACK)], RIGID)


def test_nothing_to_draw_is_told_before_the_sheet_is_in() -> None:
    with pytest.raises(ValueError, match="there is nothing to draw: the program paints no stroke"):
        toolpath([], RIGID)
    light = line((0, 0), (1, 1), colour=(0.98, 0.98, 1))
    with pytest.raises(ValueError, match="there is nothing to draw: white paper is nearer to all strokes than"):
        toolpath([light], replace(RIGID, pens=("black", "red")))
