"""Every action space against programs of Bézier actions that mean the same: the same bytes."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limner.worlds.paint.curves import spline as b_spline
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import JUMP, PAINT, VIA, PaintSettings, Space

SMALL = {"sizes": (1, 2, 4), "pressures": 4, "events": 8, "grid": 15}  # an odd grid has a cell in its middle
LOOKS = [
    {},
    {"color": True, "levels": 3},
    {"brush": "classic/dry_brush", "canvas": 100, "grid": 31},
    {"brush": "deevad/watercolor_glazing", "ground": "transparent"},
    {"brush": "classic/impressionism"},  # tracking noise
]
relaxed = settings(max_examples=8, deadline=None)


def painter(space: str, batch: int = 1, **changes: object) -> Paint:
    return Paint(PaintSettings(**SMALL | {"space": space} | changes), batch)


def row(renderer: Paint, **parts: int) -> list[int]:
    return [parts.get(name, 0) for name in renderer.actions.names]


def named(renderer: Paint, action: np.ndarray) -> dict[str, int]:
    return dict(zip(renderer.actions.names, action.tolist(), strict=True))


def paint(renderer: Paint, actions: np.ndarray) -> np.ndarray:
    """Execute ``int64[T, P]`` on the only canvas; the picture after every step."""
    pictures = []
    for action in np.asarray(actions):
        renderer.step(action[None])
        pictures.append(renderer.canvas()[0])
    return np.stack(pictures)


def random_actions(renderer: Paint, steps: int, seed: int) -> np.ndarray:
    return renderer.actions.sample(np.random.default_rng(seed), steps)


@pytest.mark.parametrize("look", LOOKS, ids=str)
@pytest.mark.parametrize("space", get_args(Space))
def test_every_space_paints(space: str, look: dict[str, object]) -> None:
    """So that two equal pictures say something."""
    renderer = painter(space, **look)
    pictures = paint(renderer, random_actions(renderer, 12, 0))
    assert len({picture.tobytes() for picture in pictures}) >= 3


# --- line --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("look", LOOKS, ids=str)
@relaxed
@given(seed=st.integers(0, 10**6))
def test_a_line_is_a_curve_whose_control_point_is_half_way(look: dict[str, object], seed: int) -> None:
    line, bezier = painter("line", **look), painter("bezier", **look)
    grid = line.settings()["grid"]
    cells = np.random.default_rng(seed).integers(0, grid // 2 + 1, (6, 2)) * 2  # then there is a cell half way
    lines = random_actions(line, 6, seed)
    lines[0, 0] = JUMP  # from the corner, which is no cell
    same, before = [], cells[0]
    for action, cell in zip(lines, cells, strict=True):
        action[1] = cell @ (grid, 1)
        same.append(row(bezier, control=int((before + cell) // 2 @ (grid, 1)), **named(line, action)))
        before = cell
    assert (paint(line, lines) == paint(bezier, same)).all()
    assert (line.pen() == bezier.pen()).all()


def test_a_line_is_straight_and_its_ends_are_where_they_should_be() -> None:
    line = painter("line", sizes=(1,))
    picture = paint(line, [row(line, flag=PAINT, end=14 * 15 + 14, pressure=3)])[0, :, :, 0]
    rows, columns = np.nonzero(picture < 128)
    assert np.abs(rows - columns).max() <= 2
    assert rows.min() <= 6
    assert 60 <= rows.max() <= 63


# --- stroke ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("look", LOOKS, ids=str)
@relaxed
@given(seed=st.integers(0, 10**6))
def test_a_stroke_is_a_jump_and_a_curve(look: dict[str, object], seed: int) -> None:
    stroke, bezier = painter("stroke", **look), painter("bezier", **look)
    strokes = random_actions(stroke, 4, seed)
    same = []
    for action in strokes:
        parts = named(stroke, action)
        same += [row(bezier, flag=JUMP, end=parts.pop("start")), row(bezier, flag=PAINT, **parts)]
    pictures = paint(stroke, strokes)
    assert (pictures == paint(bezier, same)[1::2]).all()
    assert (stroke.pen() == bezier.pen()).all()


def test_a_stroke_has_no_flag_and_all_its_parts_count() -> None:
    stroke = painter("stroke", color=True)
    assert stroke.actions.names == ("start", "control", "end", "size", "pressure", "red", "green", "blue")
    actions = random_actions(stroke, 5, 0)
    assert stroke.actions.mask(actions).all()
    assert not any(part.dependent for part in stroke.actions.parts)


@relaxed
@given(seed=st.integers(0, 10**6))
def test_a_stroke_does_not_depend_on_where_the_pen_was_left(seed: int) -> None:
    stroke = painter("stroke")
    before, last = random_actions(stroke, 2, seed)[:, None]
    stroke.step(before)
    canvas = stroke.canvas()
    alone = painter("stroke")
    alone.step(last)
    stroke.step(last)
    assert (stroke.canvas() <= canvas).all()
    untouched = canvas == 255  # as far as a byte can tell
    assert np.abs(stroke.canvas()[untouched].astype(int) - alone.canvas()[untouched]).max() <= 1
    assert (stroke.pen() == alone.pen()).all()


# --- relative ----------------------------------------------------------------------------------------------------


def offset(renderer: Paint, x: int, y: int) -> int:
    reach = renderer.settings()["grid"] // 2
    return (y + reach) * (2 * reach + 1) + x + reach


@pytest.mark.parametrize("look", LOOKS, ids=str)
@pytest.mark.parametrize("grid", [4, 15])
@relaxed
@given(seed=st.integers(0, 10**6))
def test_a_relative_program_is_an_absolute_one(look: dict[str, object], grid: int, seed: int) -> None:
    relative, bezier = (painter(space, **look | {"grid": grid}) for space in ("relative", "bezier"))
    steps = random_actions(relative, 8, seed)
    side = 2 * (grid // 2) + 1
    same, x, y = [], 0, 0
    for action in steps:
        parts = named(relative, action)
        for name in ("control", "end"):  # in this order: both are counted from where the pen is before the action
            right, down = parts[name] % side - grid // 2, parts[name] // side - grid // 2
            column, line = min(max(x + right, 0), grid - 1), min(max(y + down, 0), grid - 1)
            parts[name] = line * grid + column
        x, y = column, line
        same.append(row(bezier, **parts))
    assert (paint(relative, steps) == paint(bezier, bezier.actions.canonical(np.array(same)))).all()
    assert (relative.pen() == bezier.pen()).all()


@pytest.mark.parametrize("grid", [15, 16])
def test_offsets_reach_half_the_canvas_each_way_and_stay_on_it(grid: int) -> None:
    relative = painter("relative", grid=grid)
    part = relative.actions.parts[1]
    reach = grid // 2
    assert part.grid == (2 * reach + 1, 2 * reach + 1)
    moves = [(0, 0), (reach, reach), (-1, 2), (reach, -reach), (reach, 0), (-reach, -reach)]
    expected = [
        (0, 0),
        (reach, reach),
        (reach - 1, reach + 2),
        (2 * reach - 1, 2),
        (grid - 1, 2),
        (grid - 1 - reach, 0),
    ]
    for move, cell in zip(moves, expected, strict=True):
        relative.step(np.array([row(relative, flag=JUMP, end=offset(relative, *move))]))
        assert relative.pen()[0] == pytest.approx((np.array(cell) + 0.5) / grid)


@given(canvas=st.integers(64, 200), grid=st.integers(2, 64), seed=st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_cells_are_found_again_on_any_canvas(canvas: int, grid: int, seed: int) -> None:
    """However the pen came to a cell, it is where the cell is, bit for bit."""
    relative = painter("relative", canvas=canvas, grid=grid)
    relative.step(np.array([row(relative, flag=JUMP, end=offset(relative, 0, 0))]))
    cells = np.random.default_rng(seed).integers(0, grid, (8, 2))
    before = np.array([0, 0])
    for cell in cells:
        while (before != cell).any():
            move = np.clip(cell - before, -(grid // 2), grid // 2)
            relative.step(np.array([row(relative, flag=JUMP, end=offset(relative, *move))]))
            before = before + move
        assert (relative._pens.place[0] == (cell + 0.5) * (canvas / grid)).all()


# --- spline ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("look", LOOKS, ids=str)
@relaxed
@given(seed=st.integers(0, 10**6))
def test_a_spline_with_one_control_point_is_a_curve(look: dict[str, object], seed: int) -> None:
    spline, bezier = painter("spline", **look), painter("bezier", **look)
    curves = random_actions(bezier, 6, seed)
    same, last = [], []
    for action in curves:
        parts = named(bezier, action)
        control, end = parts.pop("control"), parts.pop("end")
        if parts["flag"] == PAINT:
            same.append(row(spline, flag=VIA, point=control))
        last.append(len(same))
        same.append(row(spline, **parts, point=end))
    assert (paint(spline, same)[last] == paint(bezier, curves)).all()
    assert (spline.pen() == bezier.pen()).all()


@pytest.mark.parametrize("look", LOOKS, ids=str)
@relaxed
@given(seed=st.integers(0, 10**6))
def test_a_spline_without_control_points_is_a_line(look: dict[str, object], seed: int) -> None:
    spline, line = painter("spline", **look), painter("line", **look)
    lines = random_actions(line, 6, seed)  # flag, end, … and flag, point, … are the same but for a name
    assert (paint(spline, lines) == paint(line, lines)).all()
    assert (spline.pen() == line.pen()).all()


@pytest.mark.parametrize("look", LOOKS, ids=str)
@relaxed
@given(seed=st.integers(0, 10**6), bends=st.integers(2, 6))
def test_a_spline_is_curves_that_join_half_way(look: dict[str, object], seed: int, bends: int) -> None:
    """Of equal pressure, and with control points whose half ways are cells."""
    spline, bezier = painter("spline", **look), painter("bezier", **look)
    grid, rng = spline.settings()["grid"], np.random.default_rng(seed)
    start, *via, end = (rng.integers(0, grid // 2 + 1, (bends + 2, 2)) * 2).tolist()
    number = [line * grid + column for line, column in (start, *via, end)]
    style = {"size": int(rng.integers(3)), "pressure": int(rng.integers(4))}
    same = [row(bezier, flag=JUMP, end=number[0])]
    for i, (this, after) in enumerate(zip(via, [*via[1:], None], strict=True)):
        join = number[-1] if after is None else (this[0] + after[0]) // 2 * grid + (this[1] + after[1]) // 2
        same.append(row(bezier, flag=PAINT, control=number[i + 1], end=join, **style))
    steps = [row(spline, flag=VIA, point=cell) for cell in number[1:-1]]
    steps = [row(spline, flag=JUMP, point=number[0]), *steps, row(spline, flag=PAINT, point=number[-1], **style)]
    pictures = paint(spline, steps)
    assert (pictures[:-1] == pictures[0]).all()
    assert (pictures[-1] == paint(bezier, same)[-1]).all()
    assert (spline.pen() == bezier.pen()).all()


def basis(knots: np.ndarray, i: int, degree: int, t: float) -> float:
    """Cox and de Boor's recursion."""
    if degree == 0:
        return float(knots[i] <= t < knots[i + 1])
    result = 0.0
    for low, high, point, sign in ((i, i + degree, i, 1), (i + 1, i + degree + 1, i + 1, -1)):
        if knots[high] > knots[low]:
            weight = (t - knots[low]) / (knots[high] - knots[low])
            result += (weight if sign == 1 else 1 - weight) * basis(knots, point, degree - 1, t)
    return result


@given(n=st.integers(1, 6), seed=st.integers(0, 10**6), others=st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_the_curve_is_the_clamped_b_spline(n: int, seed: int, others: int) -> None:
    rng = np.random.default_rng(seed)
    points, knots = rng.random((n + 2, 2)), np.array([0, 0, *range(n + 1), n, n])
    via = np.stack([np.concatenate([points[1:-1], rng.random((others, 2))]), rng.random((n + others, 2))])
    ends = rng.random((2, 2, 2))
    ends[0] = points[[0, -1]]
    joints, controls = b_spline(ends[:, 0], via, ends[:, 1], np.array([n, n + others]))
    for t in np.linspace(0, n, 40, endpoint=False):
        piece, u = int(t), t % 1
        expected = sum(basis(knots, i, 2, t) * points[i] for i in range(n + 2))
        a, b, c = joints[0, piece], controls[0, piece], joints[0, piece + 1]
        assert (1 - u) ** 2 * a + 2 * u * (1 - u) * b + u**2 * c == pytest.approx(expected)


def test_pressure_runs_along_the_whole_spline() -> None:
    spline = painter("spline", brush="deevad/2B_pencil", sizes=(4,), events=30)
    start = [row(spline, flag=JUMP, point=7 * 15), row(spline, flag=PAINT, point=7 * 15 + 1)]
    steps = [*start, *(row(spline, flag=VIA, point=7 * 15 + x) for x in (4, 8, 11))]
    picture = paint(spline, [*steps, row(spline, flag=PAINT, point=7 * 15 + 13, pressure=3)])[-1, :, :, 0]
    ink = (255.0 - picture).sum(0)
    thirds = [ink[10:24].mean(), ink[24:38].mean(), ink[38:52].mean()]
    assert thirds[0] < thirds[1] < thirds[2]


def test_what_is_not_painted_leaves_no_trace() -> None:
    spline = painter("spline")
    via, jump = row(spline, flag=VIA, point=44), row(spline, flag=JUMP, point=100)
    end = row(spline, flag=PAINT, point=213, size=2, pressure=3)
    expected = paint(spline, [jump, end])[-1]
    for unfinished in ([via], [via, via, via]):
        spline.reset()
        assert (paint(spline, unfinished) == 255).all()
        assert (paint(spline, [jump, end])[-1] == expected).all()
        spline.reset()
        paint(spline, [jump, *unfinished])
        spline.reset()
        assert (paint(spline, [jump, end])[-1] == expected).all()
        assert (paint(spline, [jump, *unfinished, end])[-1] != expected).any()


@settings(max_examples=25, deadline=None)
@given(
    brush=st.sampled_from(["classic/pen", "classic/dry_brush"]),
    seed=st.integers(0, 10**6),
    lengths=st.tuples(*[st.integers(1, 8)] * 3),
    rows=st.lists(st.integers(0, 2), min_size=1, max_size=3),
)
def test_a_stroke_under_way_is_saved_and_restored(
    brush: str, seed: int, lengths: tuple[int, int, int], rows: list[int]
) -> None:
    spline, rng = painter("spline", 3, brush=brush), np.random.default_rng(seed)
    before, between, rest = (spline.actions.sample(rng, (length, 3)) for length in lengths)
    before[-1, rng.integers(3), 0] = VIA
    for step in before:
        spline.step(step)
    state = spline.save()
    for step in rest:
        spline.step(step)
    expected, pens = spline.canvas(), spline.pen()
    for other in (spline, painter("spline", 3, brush=brush)):
        for step in between:
            other.step(step)
        places = rng.permutation(3)[: len(rows)]
        other.restore(state.take(rows), places)
        for step in rest:
            actions = spline.actions.sample(rng, 3)
            actions[places] = step[rows]
            other.step(actions)
        assert (other.canvas()[places] == expected[rows]).all()
        assert (other.pen()[places] == pens[rows]).all()


@relaxed
@given(seed=st.integers(0, 10**6))
def test_splines_of_any_length_do_not_disturb_each_other(seed: int) -> None:
    """The longest spline of a batch decides how many curves all canvases are given."""
    together = painter("spline", 4, brush="classic/dry_brush")
    steps = together.actions.sample(np.random.default_rng(seed), (10, 4))
    for step in steps:
        together.step(step)
    for i in range(4):
        alone = painter("spline", brush="classic/dry_brush")
        assert (paint(alone, steps[:, i])[-1] == together.canvas()[i]).all()


# --- bezier ------------------------------------------------------------------------------------------------------


def test_the_size_of_a_jump_does_not_count_even_with_tracking_noise() -> None:
    pictures = []
    for size in (0, 2):
        bezier = painter("bezier", brush="classic/impressionism")
        jump = row(bezier, flag=JUMP, end=100, size=size)
        pictures.append(paint(bezier, [jump, row(bezier, flag=PAINT, end=200, control=20, size=1, pressure=3)]))
    assert (pictures[0] == pictures[1]).all()
    assert pictures[0].min() < 250
