"""Windows: what is seen in them is what is painted on the canvas."""

import numpy as np
import pytest

from limner.worlds.paint.layers import SIDE, Stack, Surroundings, pool
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.paint.windows import CANDIDATES, Windows

FINEST = 4
SETTINGS = PaintSettings(
    canvas=FINEST * SIDE,
    brush="experimental/basic",
    space="stroke",
    color=True,
    grid=128 * FINEST,
    sizes=tuple(0.25 * 2 ** (i / 3) for i in range(19)),
    pressures=8,
    events=12,
    levels=256,
)


def free(colours):
    return colours


@pytest.fixture(scope="module")
def stack():
    coarse = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    goal = coarse.repeat(FINEST * SIDE // 8, 0).repeat(FINEST * SIDE // 8, 1)
    return Stack(goal, np.ones(goal.shape[:2]), np.full_like(goal, 255))


def on_top(stack, scale, place):
    below = stack.canvases[scale][place[0] : place[0] + SIDE, place[1] : place[1] + SIDE]
    return Surroundings(below, np.ones((SIDE, SIDE), np.float32), np.zeros_like(below))


@pytest.mark.parametrize(("scale", "place"), [(1, (0, 0)), (2, (32, 64)), (4, (96, 32)), (4, (10, 150))])
def test_a_stroke_in_a_window_is_the_same_on_the_canvas(stack, scale, place):
    windows, rng = Windows(SETTINGS, scale, FINEST, 1), np.random.default_rng(1)
    task = windows.task(stack, place, on_top(stack, scale, place))
    actions = windows.random(task, place, CANDIDATES, rng)
    actions = actions[windows.fit(actions, place)][:12]
    assert len(actions) == 12
    painter = Paint(PaintSettings(**{**vars(SETTINGS), "color": False, "ground": "transparent"}), 12)
    large = windows.on_canvas(actions, place)
    painter.step(large)
    for cover, canvas, action, own in zip(windows.cover(actions), painter.canvas(), large, actions, strict=True):
        coarse = pool(canvas[..., -1:] / np.float32(255), FINEST // scale)[..., 0]
        seen = coarse[place[0] : place[0] + SIDE, place[1] : place[1] + SIDE]
        assert np.abs(cover.reshape(SIDE, SIDE) - seen).mean() < 0.01
        assert coarse.sum() == pytest.approx(seen.sum(), rel=0.15), "hardly anything lies beyond the window"
        assert windows.in_window(action, place).tolist() == [own.tolist()]


@pytest.mark.parametrize("scale", [1, 2])
def test_gains_are_the_errors_that_strokes_take_away(stack, scale):
    windows, place, rng = Windows(SETTINGS, scale, FINEST, 1), (0, 0), np.random.default_rng(2)
    below = np.full((SIDE, SIDE, 3), 120, np.float32)
    keep, add = rng.random((SIDE, SIDE)).astype(np.float32), np.full((SIDE, SIDE, 3), 20, np.float32)
    task = windows.task(stack, place, Surroundings(below, keep, add))
    cover = windows.cover(windows.random(task, place, 8, rng))
    goal = stack.goals[scale][:SIDE, :SIDE]

    def error(alpha, colour):
        shown = (below + alpha[..., None] * (colour - below)) * keep[..., None] + add
        return np.square(goal - shown, dtype=np.float64).sum()

    assert task.error.sum() == pytest.approx(error(np.zeros((SIDE, SIDE)), 0), rel=1e-4)
    for alpha, gain in zip(cover.reshape(-1, SIDE, SIDE), task.gains(cover, free), strict=True):
        before = error(alpha, below[0, 0]) - gain
        tried = [error(alpha, rng.uniform(0, 255, 3)) for _ in range(200)]
        assert before <= min(tried) + 1e-4 * before, "no colour is better than the best"


def test_climbing_finds_better_strokes_that_fit(stack):
    windows, place, rng = Windows(SETTINGS, 2, FINEST, 1), (32, 32), np.random.default_rng(3)
    task = windows.task(stack, place, on_top(stack, 2, place))
    candidates = windows.random(task, place, CANDIDATES, rng)
    probed = windows.climb(task, place, candidates, 0, free, rng)
    climbed = windows.climb(task, place, candidates, 6, free, rng)
    assert not probed.climbed
    assert climbed.climbed
    assert (np.diff(climbed.gains) <= 0).all()
    assert climbed.gains[0] > 1.1 * probed.gains[0]
    assert windows.fit(climbed.actions, place).all()


def test_sizes_are_shared_out_among_scales():
    sizes = [set(Windows(SETTINGS, scale, FINEST, 1).sizes.tolist()) for scale in (1, 2, 4)]
    assert set.union(*sizes) == set(range(len(SETTINGS.sizes)))
    assert max(sizes[0]) == len(SETTINGS.sizes) - 1
    assert min(sizes[2]) == 0
    assert max(sizes[2]) < max(sizes[1]) < max(sizes[0])


def test_windows_cover_the_canvas():
    windows = Windows(SETTINGS, 4, FINEST, 1)
    covered = np.zeros((4 * SIDE, 4 * SIDE), int)
    for row, column in windows.places:
        covered[row : row + SIDE, column : column + SIDE] += 1
    assert len(windows.places) == 49
    assert covered.min() == 1
    assert windows.near(np.array([0, 0, 8, 8])) == (0, 0)
    assert windows.near(np.array([120, 100, 136, 120])) == (96, 78)
