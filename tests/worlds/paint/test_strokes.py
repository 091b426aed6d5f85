"""Polylines of programs: against what is painted, and which curves are one stroke."""

from typing import get_args

import numpy as np
import pytest
import torch

from limner.programs.execution import coloured_strokes, execute, pen_strokes
from limner.programs.program import Program
from limner.worlds import find_world, make_renderer
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import JUMP, PAINT, VIA, PaintSettings, Space, paint_actions
from limner.worlds.paint.strokes import SAMPLES, order_strokes

GRID = 16
ORDERED = PaintSettings(brush="classic/pen", space="stroke", grid=16, sizes=(1.5, 3.0), pressures=3, events=8)
PLACES = {"bezier": "end", "line": "end", "spline": "point"}


def cell(column: int, row: int) -> int:
    return row * GRID + column


def middle(column: int, row: int) -> list[float]:
    return [(column + 0.5) / GRID, (row + 0.5) / GRID]


def program(space: str, *actions: dict[str, int], **settings: object) -> Program:
    renderer = make_renderer({"name": "paint", "space": space, "grid": GRID, "sizes": [1.0], **settings})
    rows = np.zeros((len(actions), len(renderer.actions)), np.int64)
    for row, action in zip(rows, actions, strict=True):
        row[renderer.actions.index("pressure")] = 9
        for name, value in action.items():
            row[renderer.actions.index(name)] = value
    return Program(renderer.settings(), rows)


def polylines(some: Program) -> list[np.ndarray]:
    """The strokes without pressure."""
    return [points[:, :2] for points in pen_strokes(some)]


def stroke(*places: tuple[int, int]) -> dict[str, int]:
    return dict(zip(("start", "control", "end"), (cell(*place) for place in places), strict=True))


@pytest.mark.parametrize("space", get_args(Space))
@pytest.mark.parametrize("seed", range(3))
def test_the_ink_is_where_the_strokes_are(space: str, seed: int) -> None:
    renderer = make_renderer({"name": "paint", "space": space, "sizes": [1.0], "pressures": 1, "canvas": 128})
    some = Program(renderer.settings(), renderer.actions.sample(np.random.default_rng(seed), 6))
    strokes = polylines(some)
    assert all(stroke.dtype == np.float64 and len(stroke) % SAMPLES == 0 for stroke in strokes)
    dark = np.argwhere(execute(some)[..., 0] < 128)
    points = np.concatenate([*strokes, np.full((1, 2), 9.0)]) * 128
    apart = np.linalg.norm(dark[:, None, ::-1] + 0.5 - points, axis=-1)
    assert (apart.min(1) < 6).all()  # the radius, and half the way between two points
    on_canvas = points[:-1][(points[:-1] > 2).all(1) & (points[:-1] < 126).all(1)]
    near = np.linalg.norm(on_canvas[:, None] - (dark[:, ::-1] + 0.5), axis=-1).min(1) if len(dark) else np.empty(0)
    assert (near < 4).mean() > 0.95 if len(near) else not len(on_canvas)


@pytest.mark.parametrize(
    ("gap", "strokes"), [((0, 0), 1), ((1, 0), 1), ((-1, 1), 1), ((2, 0), 2), ((0, -2), 2), ((2, 2), 2)]
)
def test_a_curve_goes_on_where_the_last_one_ended(gap: tuple[int, int], strokes: int) -> None:
    first, then = stroke((1, 1), (4, 1), (8, 8)), stroke((8 + gap[0], 8 + gap[1]), (10, 12), (14, 12))
    found = polylines(program("stroke", first, then))
    assert len(found) == strokes
    assert found[0][0].tolist() == pytest.approx(middle(1, 1))
    assert found[-1][-1].tolist() == pytest.approx(middle(14, 12))
    assert sum(map(len, found)) == 2 * SAMPLES


def test_strokes_that_meet_otherwise_stay_apart() -> None:
    crossing = [stroke((1, 1), (4, 4), (8, 8)), stroke((14, 1), (12, 4), (8, 8))]
    far = stroke((14, 14), (13, 13), (12, 12))
    back = stroke((8, 8), (9, 9), (10, 10))
    assert len(polylines(program("stroke", *crossing))) == 2
    assert len(polylines(program("stroke", crossing[0], far, back))) == 3


@pytest.mark.parametrize("space", PLACES)
def test_only_a_jump_lifts_the_pen(space: str) -> None:
    def act(flag: int, *place: int) -> dict[str, int]:
        return {"flag": flag, PLACES[space]: cell(*place)} | ({"control": cell(*place)} if space == "bezier" else {})

    ways = [act(JUMP, 2, 2), act(PAINT, 8, 2), act(PAINT, 8, 12), act(JUMP, 14, 3), act(PAINT, 14, 9), act(JUMP, 1, 1)]
    first, second = polylines(program(space, *ways))
    assert first[[0, SAMPLES - 1, -1]] == pytest.approx(np.array([middle(2, 2), middle(8, 2), middle(8, 12)]))
    assert second[[0, -1]] == pytest.approx(np.array([middle(14, 3), middle(14, 9)]))
    near = [act(JUMP, 2, 2), act(PAINT, 8, 2), act(JUMP, 9, 3), act(PAINT, 14, 9)]
    assert len(polylines(program(space, *near))) == 1


def test_a_spline_is_one_stroke() -> None:
    ways = [(JUMP, 2, 2), (VIA, 8, 2), (VIA, 8, 12), (PAINT, 14, 12)]
    (found,) = polylines(program("spline", *({"flag": flag, "point": cell(*place)} for flag, *place in ways)))
    assert len(found) == 2 * SAMPLES
    assert found[[0, SAMPLES, -1]] == pytest.approx(np.array([middle(2, 2), middle(8, 7), middle(14, 12)]))


def test_the_size_of_the_canvas_does_not_count() -> None:
    actions = [stroke((1, 1), (4, 1), (8, 8)), stroke((3, 3), (3, 3), (3, 3))]
    brush = "deevad/fill"  # paints while at rest
    small, large = (polylines(program("stroke", *actions, canvas=size, brush=brush)) for size in (64, 200))
    for a, b in zip(small, large, strict=True):
        np.testing.assert_allclose(a, b)
    np.testing.assert_allclose(small[1], [middle(3, 3)] * SAMPLES)


def test_without_a_curve_there_is_no_stroke() -> None:
    assert polylines(program("stroke")) == []
    assert polylines(program("line", {"flag": JUMP, "end": 3})) == []


def test_pressure_goes_from_its_last_value_to_the_new_one() -> None:
    first = {"flag": PAINT, "control": cell(4, 0), "end": cell(8, 0), "pressure": 1}
    then = {"flag": PAINT, "control": cell(8, 4), "end": cell(8, 8), "pressure": 9}
    (line,) = pen_strokes(program("bezier", first, then))
    pressures = line[:, 2]
    assert np.allclose(pressures[:SAMPLES], 0.2)
    assert np.allclose(pressures[SAMPLES:], np.linspace(0.2, 1, SAMPLES))
    assert np.array_equal(line[:, :2], polylines(program("bezier", first, then))[0])


def test_a_stroke_has_one_colour() -> None:
    ways = [stroke((1, 1), (4, 1), (8, 8)), stroke((8, 8), (10, 12), (14, 12))]
    red = [way | {"red": 19} for way in ways]
    assert [found.colour for found in coloured_strokes(program("stroke", *red, color=True))] == [(1, 0, 0)]
    line = [{"flag": PAINT, "end": cell(8, 2), "red": 19}, {"flag": PAINT, "end": cell(8, 12)}]
    dot = {"flag": PAINT, "end": cell(8, 12), "green": 19}  # paints nothing
    for some in (program("stroke", red[0], ways[1], color=True), program("line", *line, dot, color=True)):
        assert [stroke.colour for stroke in coloured_strokes(some)] == [(1, 0, 0), (0, 0, 0)]


# --- order --------------------------------------------------------------------------------------------------------


def random_programs(count: int = 12, steps: int = 6):
    space = paint_actions(ORDERED)
    return space, space.sample(np.random.default_rng(0), (steps, count))


def travel(space, actions: np.ndarray) -> np.ndarray:
    """Cells that the pen moves without painting, ``[B]``."""
    starts, ends = (space.cells(actions, name) for name in ("start", "end"))
    before = np.concatenate([np.zeros_like(ends[:1]), ends[:-1]])
    return np.linalg.norm(starts - before, axis=-1).sum(0)


def picture(actions: np.ndarray) -> np.ndarray:
    renderer = Paint(ORDERED, actions.shape[1])
    for action in actions:
        renderer.step(action)
    return renderer.canvas().astype(int)


def test_the_same_strokes_are_painted_though_some_are_reversed() -> None:
    space, given = random_programs()
    ordered = order_strokes(space, given)
    start, end = space.index("start"), space.index("end")

    def strokes(actions):
        ends = np.sort(actions[..., [start, end]], axis=-1)
        rest = actions[..., [i for i in range(len(space)) if i not in (start, end)]]
        return sorted(np.concatenate([ends, rest], axis=-1).tolist())

    for i in range(given.shape[1]):
        assert strokes(ordered[:, i]) == strokes(given[:, i])
    assert not np.array_equal(ordered, given)


def test_the_picture_of_ordered_strokes_stays_the_same() -> None:
    space, given = random_programs()
    painted = picture(given)
    change = np.abs(picture(order_strokes(space, given)) - painted).mean()
    assert change < 0.1 * np.abs(painted[1:] - painted[:-1]).mean()


def test_the_pen_travels_less_and_starts_with_what_is_nearest_to_the_corner() -> None:
    space, given = random_programs(count=40)
    ordered = order_strokes(space, given)
    assert travel(space, ordered).mean() < 0.7 * travel(space, given).mean()
    ends = np.concatenate([space.cells(given, name) for name in ("start", "end")])
    first = space.cells(ordered[0], "start")
    np.testing.assert_allclose(np.linalg.norm(first, axis=-1), np.linalg.norm(ends, axis=-1).min(0))


def test_an_ordered_program_stays() -> None:
    space, given = random_programs()
    once = order_strokes(space, given)
    assert np.array_equal(order_strokes(space, once), once)
    found = find_world("paint").order(space, torch.from_numpy(given))
    assert found is not None
    assert np.array_equal(found.numpy(), once)


@pytest.mark.parametrize(
    ("name", "color", "possible"), [("stroke", False, True), ("stroke", True, False), ("bezier", False, False)]
)
def test_only_strokes_of_one_colour_that_stand_alone_can_be_ordered(name: str, color: bool, possible: bool) -> None:
    space = paint_actions(PaintSettings(space=name, color=color))
    ordered = find_world("paint").order(space, torch.zeros(2, 3, len(space), dtype=torch.int64))
    assert (ordered is not None) == possible
