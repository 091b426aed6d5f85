"""What is exported is what the engine paints: strokes that leave no trace are in no file, and all others are."""

import re
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limner.export.svg import svg
from limner.programs.execution import coloured_strokes, execute, pen_strokes
from limner.programs.program import Program
from limner.worlds import make_renderer
from limner.worlds.paint.settings import JUMP, PAINT, Space
from limner.worlds.paint.strokes import SAMPLES

BRUSHES = ["pen", "calligraphy", "charcoal", "dry_brush", "brush", "slow_ink"]
"""Round, flat, textured, random, without effect at low pressure, slow."""
GRID = 128
FINE = {"name": "paint", "grid": GRID, "sizes": [0.7, 1.5, 4.0], "pressures": 5, "events": 12, "ground": "transparent"}
"""A cell is half a pixel. On a transparent ground whatever is painted shows."""
reaches = st.sampled_from([0, 1, 2, 4, 8, 30])


def small(seed: int, reach: int, steps: int = 6, **settings: object) -> Program:
    """A program of actions within ``reach`` cells of a place, where the pen is put first."""
    renderer = make_renderer(FINE | settings)
    rng = np.random.default_rng(seed)
    actions = renderer.actions.sample(rng, steps)
    middle = rng.integers(40, GRID - 40, 2)
    for column, part in zip(actions.T, renderer.actions.parts, strict=True):
        if part.name == "flag":
            column[0] = JUMP
        elif part.grid == (GRID, GRID):
            places = middle + rng.integers(-reach, reach + 1, (steps, 2))
            column[:] = places[:, 0] * GRID + places[:, 1]
        elif part.grid is not None:  # offsets
            row, across = rng.integers(-reach, reach + 1, (2, steps))
            column[:] = (row + part.origin[0]) * part.grid[1] + across + part.origin[1]
    return Program(renderer.settings(), actions)


def shows(program: Program) -> list[bool]:
    """Whether each action changes the picture when it is red and all before it are black."""
    steps = len(program)
    renderer = make_renderer(program.renderer, batch=steps)
    actions = np.repeat(program.actions[:, None], steps, axis=1)
    actions[..., -3:] = 0
    actions[range(steps), range(steps), -3] = 19
    renderer.reset()
    shown = []
    for i, batch in enumerate(actions):
        before = renderer.canvas()[i].copy()
        renderer.step(batch)
        shown.append(bool((renderer.canvas()[i] != before).any()))
    return shown


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(BRUSHES), st.integers(0, 2**32), reaches)
def test_a_stroke_is_exported_exactly_if_it_paints(brush: str, seed: int, reach: int) -> None:
    program = small(seed, reach, space="stroke", brush=f"classic/{brush}", color=True)
    actions = program.actions.copy()
    actions[:, -3:] = [[2 * i, 0, 19] for i in range(len(program))]
    program = Program(program.renderer, actions)
    reds = [round(255 * 2 * i / 19) for i, shown in enumerate(shows(program)) if shown]
    assert [int(red, 16) for red in re.findall('stroke="#(..)', svg(program))] == reds
    assert [round(255 * stroke.colour[0]) for stroke in coloured_strokes(program)] == reds


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([*BRUSHES, "ink_eraser"]), st.sampled_from(get_args(Space)), st.integers(0, 2**32), reaches)
def test_nothing_is_exported_exactly_if_nothing_is_painted(brush: str, space: str, seed: int, reach: int) -> None:
    program = small(seed, reach, steps=3, space=space, brush=f"classic/{brush}")
    painted = bool(execute(program).any())
    assert ("<path" in svg(program)) == painted
    assert (len(pen_strokes(program)) > 0) == painted


def written(space: str, *actions: dict[str, int], **settings: object) -> Program:
    renderer = make_renderer(FINE | {"ground": "white", "space": space, "brush": "classic/pen"} | settings)
    rows = np.zeros((len(actions), len(renderer.actions)), np.int64)
    for row, action in zip(rows, actions, strict=True):
        for name, value in {"pressure": 4, **action}.items():
            row[renderer.actions.index(name)] = value
    return Program(renderer.settings(), rows)


def test_a_wide_curve_without_a_dab_at_the_end_of_a_thin_line_does_not_show() -> None:
    line = [{"flag": JUMP, "end": 64 * GRID + 20}, {"flag": PAINT, "end": 64 * GRID + 100, "size": 1}]
    blob = {"flag": PAINT, "end": 64 * GRID + 101, "size": 2}
    with_blob, without = (
        written("line", *line, blob, sizes=[0.7, 1.5, 15.6]),
        written("line", *line, sizes=[0.7, 1.5, 15.6]),
    )
    assert np.array_equal(execute(with_blob), execute(without))
    assert re.findall("<path.*>", svg(with_blob)) == re.findall("<path.*>", svg(without))
    assert pen_strokes(with_blob)[0].shape == (2 * SAMPLES, 3)


def test_short_curves_of_one_line_are_all_of_it() -> None:
    """Few of them have a dab, but together they are a line without gaps."""
    ways = [{"flag": PAINT, "end": 64 * GRID + x, "size": 2} for x in range(21, 100)]
    program = written("line", {"flag": JUMP, "end": 64 * GRID + 20}, *ways)
    renderer = make_renderer(program.renderer)
    renderer.reset()
    dabs = 0
    for action in program.actions:
        before = renderer.canvas().copy()
        renderer.step(action[None])
        dabs += bool((renderer.canvas() != before).any())
    assert dabs < 60
    (path,) = re.findall(' d="(.*)"', svg(program))
    assert path.count("Q") > 70
    (stroke,) = pen_strokes(program)
    assert stroke[[0, -1], 0] == pytest.approx([20.5 / GRID, 99.5 / GRID], abs=8 / GRID)


def test_a_line_is_cut_where_the_brush_is_pressed_too_little() -> None:
    """``classic/brush`` paints nothing at a pressure of 0.2."""
    places = [(20, 4), (40, 4), (50, 0), (70, 0), (80, 0), (100, 4), (120, 4)]
    ways = [{"flag": PAINT, "end": 64 * GRID + x, "size": 1, "pressure": pressure} for x, pressure in places]
    program = written("line", {"flag": JUMP, "end": 64 * GRID + 4}, *ways, brush="classic/brush")
    first, second = pen_strokes(program)
    assert [first[-1, 0], second[0, 0]] == pytest.approx([50.5 / GRID, 80.5 / GRID])
    bare = (execute(program)[30:34] == 255).all((0, 2))
    assert bare[34:37].all()
    assert not bare[[5, 15, 45, 55]].any()
    assert len(re.findall("<path", svg(program))) > 2
    covered = [(float(x), float(end)) for x, end in re.findall(r'd="M (\S+) .* (\S+) \S+"', svg(program))]
    assert not any(x < 34 < end or x < 37 < end for x, end in covered)
