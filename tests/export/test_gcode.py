"""G-code, read back by a parser that knows nothing of Limner, against the strokes it was made from."""

import re
from collections.abc import Callable
from dataclasses import fields, replace
from itertools import pairwise
from typing import get_args

import numpy as np
import pytest
from gcodeparser import GcodeLine, parse_gcode_lines
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from limner.export.gcode import GcodeSettings, gcode, simplify
from limner.programs.execution import pen_strokes
from limner.programs.program import Program
from limner.worlds import make_renderer
from limner.worlds.paint.settings import Space

ROUNDED = 0.002
"""Two numbers of three decimals, in two or three coordinates."""
LINE = np.array([[0.0, 0.0, 0.5], [1.0, 0.0, 0.5]])

strokes_of_any_kind = st.lists(
    st.integers(2, 12).flatmap(lambda n: arrays(np.float64, (n, 3), elements=st.floats(0, 1))), min_size=1, max_size=4
)
plotters = st.builds(
    GcodeSettings,
    sheet=st.floats(50, 500),
    margin=st.floats(0, 20),
    left=st.floats(-50, 50),
    bottom=st.floats(-50, 50),
    safe=st.floats(2, 10),
    contact=st.floats(-1, 1),
    depth=st.sampled_from([0.0, 0.5, 2.0]),
    feed=st.floats(1, 5000),
    travel=st.floats(1, 5000),
    tolerance=st.sampled_from([0.0, 0.01, 0.05, 1.0]),
)


def commands(text: str) -> list[GcodeLine]:
    return list(parse_gcode_lines(text))


def plot(text: str, settings: GcodeSettings) -> list[np.ndarray]:
    """A plotter that is strict: the strokes that it draws, ``float64[n, 3]`` in millimetres."""
    first, second, *moves, end = commands(text)
    assert [first.command_str, second.command_str, end.command_str] == ["G21", "G90", "M2"]
    here: list[float | None] = [None, None, None]
    feed = None
    drawn: list[list[list[float]]] = []
    for move in moves:
        assert move.command in (("G", 0), ("G", 1))
        assert move.params.keys() <= set("XYZF")
        feed = move.params.get("F", feed)
        there = [move.params.get(axis, place) for axis, place in zip("XYZ", here, strict=True)]
        if move.command == ("G", 0):
            assert feed == pytest.approx(settings.travel, abs=0.001)
            if "X" in move.params:
                assert here[2] == there[2] == pytest.approx(settings.safe, abs=0.001), "travels with the pen up"
            else:
                assert there[2] == pytest.approx(settings.safe, abs=0.001)
        else:
            assert feed == pytest.approx(settings.feed, abs=0.001)
            if here[2] == pytest.approx(settings.safe, abs=0.001):
                assert there[:2] == here[:2], "the pen goes straight down"
                drawn.append([])
            drawn[-1].append(there)
        here = there
    assert here == [0, 0, pytest.approx(settings.safe, abs=0.001)]
    return [np.array(stroke) for stroke in drawn]


def in_millimetres(stroke: np.ndarray, settings: GcodeSettings) -> np.ndarray:
    """Where the points of a stroke are to be."""
    side = settings.sheet - 2 * settings.margin
    corner = np.array([settings.left, settings.bottom]) + settings.margin
    places = corner + np.column_stack([stroke[:, 0], 1 - stroke[:, 1]]) * side
    return np.column_stack([places, settings.contact - settings.depth * stroke[:, 2]])


def apart(points: np.ndarray, line: np.ndarray) -> np.ndarray:
    """How far each of some points is from a polyline."""
    if len(line) == 1:
        return np.linalg.norm(points - line[0], axis=-1)
    distances = []
    for one, other in pairwise(line):
        way = other - one
        share = np.clip((points - one) @ way / max(way @ way, 1e-300), 0, 1)
        distances.append(np.linalg.norm(points - one - share[:, None] * way, axis=-1))
    return np.min(distances, axis=0)


def check(strokes: list[np.ndarray], settings: GcodeSettings) -> None:
    """All that a plot has to be."""
    text = gcode(strokes, settings)
    drawn = plot(text, settings)
    strokes = [in_millimetres(stroke, settings) for stroke in strokes]
    strokes = [stroke for stroke in strokes if np.ptp(stroke[:, :2], axis=0).max() >= 0.001]
    assert len(drawn) == len(strokes)
    assert text.count("G1 Z") == len(strokes), "pen down"
    assert len(re.findall(r"^G0 Z", text, re.MULTILINE)) == len(strokes) + 1, "pen up, and up before anything else"
    for line, stroke in zip(drawn, strokes, strict=True):
        place = line[:, :2] - (settings.left, settings.bottom)
        assert place.min() >= settings.margin - 0.001
        assert place.max() <= settings.sheet - settings.margin + 0.001
        assert np.linalg.norm(line[[0, -1]] - stroke[[0, -1]], axis=1).max() <= ROUNDED
        assert apart(stroke, line).max() <= settings.tolerance + ROUNDED
        assert apart(line, stroke).max() <= ROUNDED, "every point drawn is one of the stroke"


@pytest.mark.parametrize("space", get_args(Space))
@pytest.mark.parametrize("settings", [GcodeSettings(), GcodeSettings(210, 10, 5, 7, 3, 0.2, 0, 800, 2400, 0.2)])
def test_a_plotter_draws_the_strokes_of_a_program(space: str, settings: GcodeSettings) -> None:
    renderer = make_renderer({"name": "paint", "space": space})
    for seed in range(3):
        strokes = pen_strokes(Program(renderer.settings(), renderer.actions.sample(np.random.default_rng(seed), 8)))
        check(strokes, settings)
        assert sum(map(len, plot(gcode(strokes, settings), settings))) < 0.8 * sum(map(len, strokes))


@budget(max_examples=60, deadline=None)
@given(strokes_of_any_kind, plotters)
def test_a_plotter_draws_any_strokes(strokes: list[np.ndarray], settings: GcodeSettings) -> None:
    strokes.append(LINE)
    check(strokes, settings)


@given(arrays(np.float64, st.tuples(st.integers(1, 30), st.just(3)), elements=st.floats(0, 100)), st.floats(0, 50))
def test_simplified_lines_stay_within_the_tolerance(points: np.ndarray, tolerance: float) -> None:
    fewer = simplify(points, tolerance)
    assert np.array_equal(fewer[[0, -1]], points[[0, -1]])
    assert {tuple(point) for point in fewer} <= {tuple(point) for point in points}
    assert apart(points, fewer).max() <= tolerance + 1e-9


def test_pressure_counts_when_a_line_is_simplified() -> None:
    straight = np.column_stack([np.linspace(0, 1, 9), np.zeros(9), np.full(9, 0.5)])
    pressed = straight.copy()
    pressed[4, 2] = 1
    assert len(simplify(straight, 0.01)) == 2
    settings = GcodeSettings(depth=2)
    ((_, middle, _),) = plot(gcode([pressed[[0, 4, 8]]], settings), settings)
    assert middle.tolist() == [50, 100, -2]
    assert len(plot(gcode([pressed], replace(settings, depth=0)), replace(settings, depth=0))[0]) == 2


def test_the_whole_of_a_small_job() -> None:
    corner = np.array([[0.0, 0.0, 0.5], [1.0, 0.0, 1.0], [1.0, 1.0, 1.0]])
    assert gcode([corner], GcodeSettings(margin=10, left=5), "an “L” (überall)") == (
        "; Limner: an L (uberall)\n"
        "; 100 x 100 mm, strokes: 1\n"
        "; 165 mm drawn, 192 mm travelled, 0.2 minutes without starting and stopping\n"
        "G21\n"
        "G90\n"
        "G0 Z5 F3000\n"
        "G0 X15 Y90 F3000\n"
        "G1 Z-0.25 F1000\n"
        "G1 X95 Y90 Z-0.5\n"
        "G1 X95 Y10\n"
        "G0 Z5 F3000\n"
        "G0 X0 Y0 F3000\n"
        "M2\n"
    )


def test_the_time_is_lengths_by_speeds() -> None:
    """Down 5.25, along 100 and 100 back at the one speed; to the upper left corner, up and home at the other."""
    there_and_back = np.array([[0.0, 0.0, 0.5], [1.0, 0.0, 0.5], [0.0, 0.0, 0.5]])
    text = gcode([there_and_back], GcodeSettings(feed=100, travel=50))
    assert re.search(r"; 205 mm drawn, 205 mm travelled, (.*) minutes", text).group(1) == "6.2"


@given(st.text())
def test_a_name_stays_in_its_comment(name: str) -> None:
    text = gcode([LINE], name=name)
    assert text.isascii()
    assert text.split("\n")[1:] == gcode([LINE]).split("\n")[1:]
    assert text.startswith("; Limner")
    assert "\r" not in text


def test_numbers_are_never_written_with_exponents() -> None:
    almost = np.array([[1e-12, 1 - 1e-12, 1e-12], [0.5, 1e-7, 1.0]])
    assert not re.search("[0-9]e|X-0 |Y-0 |Z-0 ", gcode([almost], GcodeSettings(left=-1e-9, contact=1e-9)))


@pytest.mark.parametrize("strokes", [[], [LINE[:1]], [LINE[[0, 0]], LINE[[1, 1, 1]]]])
def test_nothing_to_draw_is_told_before_the_sheet_is_in(strokes: list[np.ndarray]) -> None:
    with pytest.raises(ValueError, match="there is nothing to draw"):
        gcode(strokes)


def test_a_stroke_that_stays_in_one_place_is_left_out() -> None:
    assert gcode([LINE[[0, 0]], LINE, LINE[:1]]) == gcode([LINE])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda stroke: stroke[:, :2], r"stroke 1 must be points \[n, 3\] .* \[2, 2\]"),
        (lambda stroke: stroke[:0], r"stroke 1 must be points .* \[0, 3\]"),
        (lambda stroke: stroke * 2, r"stroke 1 leaves the sheet: .* got \[\[2.0, 0.0, 1.0\]\]"),
        (lambda stroke: stroke - 0.1, "stroke 1 leaves the sheet"),
        (lambda stroke: stroke * np.nan, "stroke 1 leaves the sheet"),
    ],
)
def test_bad_strokes_are_named(change: Callable[[np.ndarray], np.ndarray], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        gcode([LINE, change(LINE)])


@pytest.mark.parametrize(
    ("field", "value", "need"),
    [
        ("sheet", 0.0, "in 1 … 100000"),
        ("sheet", 0.5, "in 1 … 100000"),
        ("feed", -1.0, "in 1 … 100000"),
        ("travel", 0.0, "in 1 … 100000"),
        ("margin", -1.0, "0 or more"),
        ("margin", 50.0, "leave 1 mm or more of a sheet of 100.0 mm"),
        ("depth", -0.5, "in 0 … 10000"),
        ("tolerance", -0.5, "0 or more"),
        ("left", 1e6, "in -10000 … 10000"),
        ("safe", 0.0, "above gcode.contact, which is 0.0"),
        ("safe", -3.0, "above gcode.contact"),
        ("contact", -1e5, "in -10000 … 10000"),
        *((field.name, value, "a number") for field in fields(GcodeSettings) for value in (np.nan, np.inf, "3", True)),
    ],
)
def test_bad_settings_are_named(field: str, value: object, need: str) -> None:
    with pytest.raises(ValueError, match=rf"^gcode.{field} is {re.escape(repr(value))}: must .*{need}"):
        GcodeSettings(**{field: value})
