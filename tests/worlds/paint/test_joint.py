"""Joint search: it comes closer, keeps to what it is asked for, and repeats."""

import time
from dataclasses import replace

import numpy as np
import pytest

from limner.data.resize import resize_square
from limner.worlds.budget import Budget
from limner.worlds.paint import joint
from limner.worlds.paint.joint import JointSearch
from limner.worlds.paint.layers import SIDE, Stack
from limner.worlds.paint.settings import PaintSettings

SIZE = 2 * SIDE
SETTINGS = PaintSettings(
    canvas=SIZE,
    brush="experimental/basic",
    space="stroke",
    color=True,
    grid=256,
    sizes=tuple(0.375 * 2 ** (i / 3) for i in range(17)),
    pressures=8,
    events=12,
    levels=256,
)


def picture(seed=0):
    coarse = np.random.default_rng(seed).integers(0, 256, (1, 6, 6, 3), np.uint8)
    return resize_square(coarse, SIZE)[0]


def search(goal, weights=None, seed=0, ground=255):
    weights = np.ones((SIZE, SIZE)) if weights is None else weights
    stack = Stack(goal, weights, np.full_like(goal, ground))
    return JointSearch(stack, SETTINGS, lambda colours: colours, seed, 1), stack


def error(stack):
    return float(stack.error(2).sum())


def painted(stack):
    return [(layer.action.tolist(), layer.colour.tolist()) for layer in stack.layers]


def test_strokes_are_added_while_they_help_and_the_first_help_most():
    found, stack = search(picture())
    errors = [error(stack)]
    for count in (1, 4, 16, 48):
        list(found.grow(count))
        assert len(stack.layers) == count
        errors.append(error(stack))
    gains = -np.diff(errors) / (1, 3, 12, 32)
    assert (np.diff(gains) < 0).all()
    assert errors[-1] < 0.1 * errors[0]


def test_sweeps_come_closer_and_repeat_bit_for_bit():
    programs, errors = [], []
    for sweeps in (1, 2, 2):
        found, stack = search(picture(), seed=3)
        shares = list(found.run(24, True, Budget(sweeps=sweeps)))
        assert shares == sorted(shares)
        assert 0 <= min(shares) <= max(shares) <= 1
        assert len(stack.layers) == 24
        programs.append(painted(stack))
        errors.append(error(stack))
    assert errors[1] < 0.95 * errors[0]
    assert programs[1] == programs[2]


def test_what_was_begun_is_gone_on_with_but_for_what_does_harm():
    goal = picture()
    found, stack = search(goal)
    list(found.grow(24))
    stack.solve_colours(lambda colours: colours)
    good, before = stack.actions(SETTINGS), error(stack)
    bad = good[:8].copy()
    bad[:, 5:] = (bad[:, 5:] + 128) % 256
    found, stack = search(goal)
    list(found.run(24, False, Budget(sweeps=0), np.concatenate([good, bad])))
    assert len(stack.layers) == 24
    assert error(stack) < 1.2 * before
    kept = set(map(bytes, good[:, :5])) & set(map(bytes, stack.actions(SETTINGS)[:, :5]))
    assert len(kept) >= 18
    for count in (10, 40):
        found, stack = search(goal)
        list(found.run(count, True, Budget(sweeps=0), good))
        assert len(stack.layers) == count


def test_strokes_are_left_as_they_are_where_the_picture_is_close(monkeypatch):
    found, stack = search(picture())
    list(found.grow(24))
    stack.solve_colours(lambda colours: colours)
    before = painted(stack)
    for scale in stack.scales:
        half = np.s_[:, : SIDE * scale // 2]
        stack.goals[scale][half] = stack.canvases[scale][half]
    still = [i for i, box in enumerate(stack.boxes) if box[3] <= SIDE]
    assert 0 < len(still) < 24
    assert set(stack.missing()) == set(range(24)) - set(still)
    refined = []
    monkeypatch.setattr(found, "_refine", refined.append)
    list(found.refine())
    assert sorted(refined) == stack.missing().tolist()
    stack.solve_colours(lambda colours: colours)
    assert [painted(stack)[i] for i in still] == [before[i] for i in still]
    assert painted(stack) != before


def test_strokes_are_exchanged_for_better_ones():
    found, stack = search(picture())
    list(found.grow(32))
    for layer in stack.layers[:8]:  # on top of themselves they are hardly missed
        stack.push(layer)
    before = error(stack)
    found._exchange(float("inf"))
    assert len(stack.layers) == 40
    assert error(stack) < before


def test_an_exchange_that_time_does_not_suffice_for_is_undone():
    found, stack = search(picture())
    list(found.grow(16))
    before, apart = painted(stack), error(stack)
    found._exchange(time.perf_counter() - 1)
    assert [action for action, _ in painted(stack)] == [action for action, _ in before]
    assert error(stack) <= apart, "and colours are solved"


@pytest.mark.parametrize("shade", [0, 90, 255])
def test_exactly_so_many_where_none_are_needed(shade):
    goal = np.full((SIZE, SIZE, 3), shade, np.uint8)
    found, stack = search(goal, ground=shade)
    list(found.run(20, False, Budget(sweeps=1)))
    assert len(stack.layers) == 0
    list(found.run(20, True, Budget(sweeps=1)))
    assert len(stack.layers) == 20
    assert np.abs(stack.canvases[2] - shade).mean() < 2, "they do little harm"


def test_what_does_not_count_is_not_painted():
    weights = np.zeros((SIZE, SIZE))
    weights[:SIDE] = 1
    found, stack = search(picture(), weights)
    list(found.run(40, False, Budget(sweeps=1)))
    below = stack.boxes[:, 0] >= SIDE
    assert len(stack.layers) == 40
    assert not below.any()
    assert float(stack.error(2).sum()) < 0.2 * float(search(picture(), weights)[1].error(2).sum())


def test_time_is_kept(monkeypatch):
    """On a clock that ticks whenever it is read."""
    clock = iter(np.arange(0, 1e6, 0.01).tolist())
    monkeypatch.setattr(joint.time, "perf_counter", lambda: next(clock))
    found, stack = search(picture())
    list(found.run(10_000, False, Budget(2.0)))
    assert 0 < len(stack.layers) < 200
    assert next(clock) < 2.1


def test_a_brush_that_leaves_no_paint_is_said_to(tmp_path):
    path = tmp_path / "nothing.myb"
    path.write_text('{"version": 3, "settings": {"opaque": {"base_value": 0.0, "inputs": {}}}}')
    goal = picture()
    stack = Stack(goal, np.ones((SIZE, SIZE)), np.full_like(goal, 255))
    found = JointSearch(stack, replace(SETTINGS, brush=str(path)), lambda colours: colours, 0, 1)
    assert list(found.run(4, False, Budget(sweeps=1))) == []
    with pytest.raises(ValueError, match="4 strokes cannot be painted: the brush leaves no paint"):
        list(found.run(4, True, Budget(sweeps=1)))
