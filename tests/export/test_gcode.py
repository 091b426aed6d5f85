"""G-code, read back by a strict plotter, against the strokes it was made from."""

import re
from dataclasses import replace
from itertools import pairwise
from typing import get_args

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import settings as budget
from hypothesis import strategies as st
from plotting import BLACK, ROUNDED, Plotter, apart, in_millimetres, length, plotters, strokes_of_any_kind

from limner.export.gcode import gcode
from limner.export.pens import PAPER, assign_pens
from limner.export.plotter import GcodeSettings
from limner.export.toolpath import toolpath
from limner.programs.execution import coloured_strokes
from limner.programs.frame import Frame
from limner.programs.program import Program
from limner.worlds import make_renderer
from limner.worlds.paint.settings import Space
from limner.worlds.stroke import Stroke

LINE = Stroke(np.array([[0.0, 0.0, 0.5], [1.0, 0.0, 0.5]]), BLACK)
Z_AXIS = GcodeSettings()
SERVO = GcodeSettings(pen="servo", servo_up=20, servo_down=60, dwell=0.1)


def written(strokes: list[Stroke], settings: GcodeSettings = Z_AXIS, name: str = "") -> str:
    return gcode(toolpath(strokes, settings), settings, name)


def check(strokes: list[Stroke], settings: GcodeSettings) -> None:
    """All that a plot in the order of the program has to be, without joined lines."""
    (drawn,) = Plotter(written(strokes, settings), settings).drawn
    for line, (points, _) in zip(drawn, strokes, strict=True):
        stroke = in_millimetres(points, settings)
        line[:, 2] *= settings.pen == "z"
        assert np.linalg.norm(line[[0, -1]] - stroke[[0, -1]], axis=1).max() <= ROUNDED
        assert apart(stroke, line).max() <= settings.tolerance + ROUNDED
        assert apart(line, stroke).max() <= ROUNDED, "every point drawn is one of the stroke"


@pytest.mark.parametrize("space", get_args(Space))
@pytest.mark.parametrize("settings", [Z_AXIS, GcodeSettings(210, 10, 5, 7, tolerance=0.2), SERVO])
def test_a_plotter_draws_the_strokes_of_a_program(space: str, settings: GcodeSettings) -> None:
    renderer, settings = make_renderer({"name": "paint", "space": space}), replace(settings, join=0)
    for seed in range(3):
        actions = renderer.actions.sample(np.random.default_rng(seed), 8)
        strokes = coloured_strokes(Program(renderer.settings(), actions))
        check(strokes, settings)
        (drawn,) = Plotter(written(strokes, settings), settings).drawn
        assert sum(map(len, drawn)) < 0.8 * sum(len(stroke.points) for stroke in strokes)


@budget(max_examples=40, deadline=None)
@given(strokes_of_any_kind, plotters)
def test_a_plotter_draws_any_strokes(strokes: list[Stroke], settings: GcodeSettings) -> None:
    ends = [stroke.points[[0, -1], :2] for stroke in strokes]
    assume(all(abs(first[1] - then[0]).max() > 1e-6 for first, then in pairwise(ends)))
    check(strokes, replace(settings, order="program", join=0, pens=1))


def alone(strokes: list[Stroke], settings: GcodeSettings) -> list[np.ndarray]:
    """What a single pen draws in the order of the program."""
    one = replace(settings, order="program", join=0, pens=1)
    return Plotter(written(strokes, one), one).drawn[0]


def segments(lines: list[np.ndarray]) -> list[list[list[float]]]:
    """The segments of lines, whatever their order and direction."""
    pairs = [sorted(pair) for line in lines for pair in pairwise(line[:, :2].tolist())]
    return sorted(pair for pair in pairs if pair[0] != pair[1])


@budget(max_examples=50, deadline=None)
@given(strokes_of_any_kind, plotters)
def test_whatever_the_order_the_pens_and_the_machine_each_stroke_is_drawn(
    strokes: list[Stroke], settings: GcodeSettings
) -> None:
    """By the right pen, within the margins; joining adds no more than the gaps."""
    strokes.append(LINE)
    path = toolpath(strokes, settings)
    low = np.array([settings.left, settings.bottom]) + settings.margin
    high = low + settings.sheet - 2 * settings.margin
    names = [pen.colour for pen in path.pens]
    rows = [0] * len(strokes) if names == [""] else assign_pens(np.array([s.colour for s in strokes]), names).tolist()
    assert path.left_out == rows.count(PAPER)
    for row, lines in enumerate(Plotter(gcode(path, settings), settings).drawn):
        own = [stroke for stroke, pen in zip(strokes, rows, strict=True) if pen == row]
        assert path.pens[row].strokes == len(own)
        places = np.concatenate(lines)[:, :2]
        assert (places >= low - 0.001).all()
        assert (places <= high + 0.001).all()
        for points, _ in own:
            stroke = in_millimetres(points, settings)[:, :2]
            assert np.min([apart(stroke, line[:, :2]) for line in lines], axis=0).max() <= settings.tolerance + ROUNDED
        expected = alone(own, settings)
        if settings.join == 0:
            assert segments(lines) == segments(expected)
        joins = max(0, len(own) - len(lines))
        assert -0.01 <= length(lines) - length(expected) <= settings.join * joins + 0.01


@budget(max_examples=40, deadline=None)
@given(strokes_of_any_kind, plotters, st.builds(Frame, st.integers(1, 300), st.integers(1, 300)))
def test_of_a_framed_picture_what_lies_in_its_frame_is_drawn(
    strokes: list[Stroke], settings: GcodeSettings, frame: Frame
) -> None:
    middle = Stroke(np.array([[0.0, 0.0, 0.5], [1.0, 1.0, 0.5]]), BLACK)
    path = toolpath([*strokes, middle], settings, frame)
    corner = np.array([settings.left, settings.bottom]) + settings.margin
    side, (width, height) = settings.sheet - 2 * settings.margin, np.array([path.width, path.height])
    for lines in Plotter(gcode(path, settings), settings).drawn:
        places = np.concatenate(lines)[:, :2] - corner
        assert (places >= -0.001).all()
        assert (places <= np.array([width, height]) - 2 * settings.margin + 0.001).all()
    assert max(width, height) == pytest.approx(settings.sheet)
    longer = max(frame.width, frame.height)
    assert width - 2 * settings.margin == pytest.approx(side * frame.width / longer)
    assert height - 2 * settings.margin == pytest.approx(side * frame.height / longer)


@budget(max_examples=40, deadline=None)
@given(strokes_of_any_kind, plotters)
def test_the_nearest_order_never_travels_more(strokes: list[Stroke], settings: GcodeSettings) -> None:
    program, nearest = (
        Plotter(written(strokes, one), one).travelled
        for one in (replace(settings, order=order, join=0, pens=1) for order in ("program", "nearest"))
    )
    assert nearest <= program + 0.01 * len(strokes)


@budget(max_examples=40, deadline=None)
@given(strokes_of_any_kind, plotters)
def test_lines_that_are_not_joined_are_further_apart(strokes: list[Stroke], settings: GcodeSettings) -> None:
    for lines in Plotter(written([*strokes, LINE], settings), settings).drawn:
        for before, line in pairwise(lines):
            assert np.linalg.norm(line[0, :2] - before[-1, :2]) > settings.join - ROUNDED


def test_pressure_counts_when_a_line_is_simplified() -> None:
    points = np.column_stack([np.linspace(0, 1, 9), np.zeros(9), np.full(9, 0.5)])
    points[4, 2] = 1
    settings = GcodeSettings(depth=2)
    ((line,),) = Plotter(written([Stroke(points[[0, 4, 8]], BLACK)], settings), settings).drawn
    _, middle, _ = line
    assert middle.tolist() == [50, 100, -2]
    for rigid in (GcodeSettings(depth=0), SERVO):
        ((line,),) = Plotter(written([Stroke(points, BLACK)], rigid), rigid).drawn
        assert len(line) == 2


CORNER = Stroke(np.array([[0.0, 0.0, 0.5], [1.0, 0.0, 1.0], [1.0, 1.0, 1.0]]), BLACK)


def test_the_whole_of_a_small_job() -> None:
    assert written([CORNER], GcodeSettings(margin=10, left=5), "an “L” (überall)") == (
        "; Limner: an L (uberall)\n"
        "; 100 x 100 mm, strokes: 1, lines without a lift: 1\n"
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


def test_the_whole_of_a_job_with_a_servo_and_two_pens() -> None:
    """A dot is drawn, too; strokes that white paper is nearest to are not."""
    dot, light = (Stroke(np.array([[0.5, 0.5, 1.0]]), colour) for colour in ((0.9, 0.1, 0.1), (0.95, 0.95, 1.0)))
    settings = replace(SERVO, pens=("navy", "#ff0000"), servo_up=None)
    assert written([dot, light, CORNER], settings) == (
        "; Limner\n"
        "; 100 x 100 mm, strokes: 2, lines without a lift: 2\n"
        "; 200 mm drawn, 341 mm travelled, 0.3 minutes without starting and stopping\n"
        "G21\n"
        "G90\n"
        "M5\n"
        "G4 P0.1\n"
        "; pen 1 of 2: navy, strokes: 1\n"
        "G0 X0 Y100 F3000\n"
        "M3 S60\n"
        "G4 P0.1\n"
        "G1 X100 Y100 F1000\n"
        "G1 X100 Y0\n"
        "M5\n"
        "G4 P0.1\n"
        "G0 X0 Y0 F3000\n"
        "; pen 2 of 2: #ff0000, strokes: 1\n"
        "M0\n"
        "G0 X50 Y50 F3000\n"
        "M3 S60\n"
        "G4 P0.1\n"
        "M5\n"
        "G4 P0.1\n"
        "G0 X0 Y0 F3000\n"
        "M2\n"
    )


def test_the_time_is_lengths_by_speeds() -> None:
    """Down 5.25, along 100 and 100 back at the one speed; to the upper left corner, up and home at the other."""
    there_and_back = Stroke(np.array([[0.0, 0.0, 0.5], [1.0, 0.0, 0.5], [0.0, 0.0, 0.5]]), BLACK)
    text = written([there_and_back], GcodeSettings(feed=100, travel=50))
    assert re.search(r"; 205 mm drawn, 205 mm travelled, (.*) minutes", text).group(1) == "6.2"
    text = written([there_and_back], replace(SERVO, feed=100, travel=50, dwell=9))
    assert re.search(r"; 200 mm drawn, 200 mm travelled, (.*) minutes", text).group(1) == "6.3"


def wide(low: float = 0.3, high: float = 0.7) -> Stroke:
    """A stroke as of a wide picture, with blank paper above and below."""
    return Stroke(np.array([[0.0, low, 1.0], [1.0, high, 1.0]]), BLACK)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sheet": 200}, "reaches from X0 to X200, the bed from X0 to X150: choose a gcode.sheet of at most 150$"),
        ({"sheet": 200, "margin": 10}, "reaches from X10 to X190, the bed .*: choose a gcode.sheet of at most 170$"),
        ({"left": 60}, "reaches from X60 to X160, the bed from X0 to X150: choose gcode.left 0"),
        ({"left": -5, "margin": 1}, "reaches from X-4 to X94, the bed .*: choose gcode.left -1"),
        ({"sheet": 150, "bottom": -70}, "reaches from Y-25 to Y35, the bed from Y0 to Y70: choose gcode.bottom -45"),
    ],
)
def test_what_leaves_the_bed_is_refused(values: dict[str, float], message: str) -> None:
    written([wide()], GcodeSettings(**values))
    with pytest.raises(ValueError, match=message):
        written([wide()], GcodeSettings(bed=(150, 70), **values))


@budget(max_examples=40, deadline=None)
@given(st.floats(1, 300), st.floats(0, 40), st.floats(-60, 200), st.floats(-60, 200), st.floats(0, 1), st.floats(0, 1))
@example(150.48865611556158, 0.0, 106.86394820381676, 0.0, 0.0, 0.0)  # 150 mm from 106.86 are a little more than 150
def test_the_remedy_for_a_bed_is_one(
    sheet: float, margin: float, left: float, bottom: float, low: float, high: float
) -> None:
    """Following it ends with a drawing that fits."""
    values = {"sheet": max(sheet, 2 * margin + 1.1), "margin": margin, "left": left, "bottom": bottom}
    for _ in range(4):
        settings = GcodeSettings(bed=(150, 120), **values)
        try:
            (lines,) = Plotter(written([wide(low, high)], settings), settings).drawn
        except ValueError as error:
            field, value = re.search(r"gcode.(\w+) (?:of at most )?(\S+)$", str(error)).groups()
            values[field] = float(value)
        else:
            assert (lines[0][:, :2] >= -ROUNDED).all()
            assert (lines[0][:, :2] <= np.array([150, 120]) + ROUNDED).all()
            return
    raise AssertionError(values)


@given(st.text())
def test_a_name_stays_in_its_comment(name: str) -> None:
    text = written([LINE], name=name)
    assert text.isascii()
    assert text.split("\n")[1:] == written([LINE]).split("\n")[1:]
    assert text.startswith("; Limner")
    assert "\r" not in text


def test_numbers_are_never_written_with_exponents() -> None:
    almost = Stroke(np.array([[1e-12, 1 - 1e-12, 1e-12], [0.5, 1e-7, 1.0]]), BLACK)
    assert not re.search("[0-9]e|X-0 |Y-0 |Z-0 ", written([almost], GcodeSettings(left=-1e-9, contact=1e-9)))
