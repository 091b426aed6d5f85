"""Windows on a painting: where candidates for strokes are painted and compared, as small pictures.

At a scale of n a window is an n-th of the canvas wide and has ``SIDE`` × ``SIDE`` pixels; windows lie half of their
side apart. A candidate that reaches beyond its window is not compared, since what it does there is not seen.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from limner.actions import IntArray
from limner.worlds.paint.layers import SIDE, Box, Floats, Stack, Surroundings, inside
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PaintSettings

CANDIDATES = 64
"""Strokes that are painted at a time."""
NARROW, WIDE = 1.5, 12.0
"""Radii of strokes at all but the finest and the coarsest scale, in pixels of a window."""
PARENTS = 8
"""Candidates that are changed in a round."""
BEYOND = 3.0
"""Pixels by which a stroke may reach beyond its window."""

Place = tuple[int, int]
"""Row and column of a window's upper left corner, in pixels of its scale."""

Allowed = Callable[[Floats], Floats]
"""The colours that strokes may have in place of ``float32[N, C]``, 0 … 255."""


def rounded(settings: PaintSettings) -> Allowed:
    """The nearest colours that actions can give, but for less than half a level of 256; black without colour."""
    if not settings.color:
        return np.zeros_like
    if settings.levels == 256:
        return np.positive
    step = np.float32(255 / (settings.levels - 1))
    return lambda colours: (colours / step).round() * step


@dataclass(frozen=True)
class Task:
    """What strokes in a window are to be good at: the sums behind their best colours and errors."""

    linear: Floats
    """``float32[SIDE², C + 1]``."""
    square: Floats
    """``float32[SIDE², C + 2]``."""
    error: Floats
    """Weighted squared error ``float32[SIDE, SIDE]`` without a stroke."""

    def gains(self, cover: Floats, allowed: Allowed) -> NDArray[np.float64]:
        """By how much strokes of ``cover`` float32[N, SIDE²] reduce the error, each in its best colour."""
        once, twice = cover @ self.linear, np.square(cover) @ self.square
        wanted, covered = once[:, :-1] + twice[:, :-2], twice[:, -1:]
        colours = allowed(np.clip(wanted / np.maximum(covered, 1e-6), 0, 255))
        growth = 2 * once[:, -1] + twice[:, -2] + (colours * (colours * covered - 2 * wanted)).sum(1)
        gains: NDArray[np.float64] = -growth.astype(np.float64)
        return gains


@dataclass(frozen=True)
class Found:
    """The best of the strokes that were tried in a window, best first."""

    actions: IntArray
    """``int64[PARENTS, 5]``."""
    gains: NDArray[np.float64]
    """``float64[PARENTS]``: by how much each reduces the weighted squared error, in pixels of the finest scale."""
    climbed: bool
    """Whether they are more than the best of some random ones."""


def window(place: Place) -> Box:
    """The box of a window, in pixels of its scale."""
    return *place, place[0] + SIDE, place[1] + SIDE


class Windows:
    """The windows of one scale, and strokes in them: actions of a canvas of ``SIDE`` pixels, without colours."""

    def __init__(self, settings: PaintSettings, scale: int, finest: int, threads: int) -> None:
        """``settings`` are those of the large canvas, whose side is ``finest`` windows of the finest scale."""
        self.scale, self.finest = scale, finest
        radii = np.asarray(settings.sizes) * scale
        fits = (radii <= WIDE) | (scale == 1)
        fits &= (radii >= NARROW) | (scale == finest)
        self.sizes = np.flatnonzero(fits)
        """Of those of the large canvas, the sizes of strokes that are searched at this scale."""
        self.radii = radii[self.sizes]
        self._cells = settings.grid // finest
        """Of the grid along each side of a window."""
        self._pressures, self._grid = settings.pressures, settings.grid
        if len(self.sizes):
            own = replace(settings, canvas=SIDE, ground="transparent", color=False, levels=2, grid=self._cells)
            self._renderer = Paint(replace(own, sizes=tuple(self.radii.tolist())), CANDIDATES, threads)

    @property
    def places(self) -> list[Place]:
        """All windows."""
        steps = range(0, SIDE * self.scale - SIDE // 2, SIDE // 2)
        return [(row, column) for row in steps for column in steps]

    def near(self, box: NDArray[np.int64]) -> Place:
        """The window in whose middle a box of the large canvas lies, as nearly as can be."""
        factor = self.finest // self.scale
        middle = (box[:2] + box[2:]) / 2 / factor - SIDE / 2
        row, column = np.clip(middle.round(), 0, SIDE * (self.scale - 1)).astype(int).tolist()
        step = SIDE // math.gcd(SIDE, self._cells)  # of pixels where a cell begins
        return row - row % step, column - column % step

    def task(self, stack: Stack, place: Place, around: Surroundings) -> Task:
        """The task of a stroke in a window, between what is ``around``."""
        there = inside(window(place))
        goal, weights = stack.goals[self.scale][there], stack.weights[self.scale][there]
        channels = goal.shape[-1]
        ground, keep = around.below.reshape(-1, channels), around.keep.reshape(-1, 1)
        weights = weights.reshape(-1, 1)
        missing = (goal - around.add).reshape(-1, channels) - ground * keep
        once, twice = weights * keep, weights * keep * keep
        linear = np.concatenate([missing * once, (missing * ground).sum(1, keepdims=True) * once], axis=1)
        square = np.concatenate([ground * twice, np.square(ground).sum(1, keepdims=True) * twice, twice], axis=1)
        error = (np.square(missing).sum(1) * weights[:, 0]).reshape(SIDE, SIDE)
        return Task(linear, square, error)

    def cover(self, actions: IntArray) -> Floats:
        """Opacity ``float32[N, SIDE²]`` in [0, 1] of strokes ``int64[N, 5]``, at most ``CANDIDATES`` of them."""
        count = len(actions)
        filled = np.concatenate([actions, np.repeat(actions[-1:], CANDIDATES - count, axis=0)])
        self._renderer.reset()
        self._renderer.step(filled)
        cover = self._renderer.canvas()[:count, ..., -1].reshape(count, -1)
        return cover * np.float32(1 / 255)

    def random(self, task: Task, place: Place, count: int, rng: Generator) -> IntArray:
        """Strokes ``int64[count, 5]`` where the error is, of all sizes; longer ones are rarer."""
        chances = (task.error * self._core(place)).ravel().astype(np.float64) + 1e-9
        where = rng.choice(len(chances), count, p=chances / chances.sum())
        middle = np.stack(np.divmod(where, SIDE), axis=1) + rng.random((count, 2))
        sizes = rng.integers(0, len(self.sizes), count)
        lengths, angles = self.radii[sizes] * rng.exponential(2.0, count), rng.uniform(0, 2 * np.pi, count)
        half = np.stack([np.sin(angles), np.cos(angles)], axis=1) * lengths[:, None] / 2
        bend = rng.normal(0, 0.25, (count, 2)) * lengths[:, None]
        points = np.stack([middle - half, middle + bend, middle + half], axis=1)
        return self._pack(points, sizes, rng.integers(0, self._pressures, count))

    def changed(self, actions: IntArray, rng: Generator) -> IntArray:
        """Each of the strokes ``int64[N, 5]`` with one thing changed, or one point and the size."""
        count = len(actions)
        points, sizes, pressures = self._points(actions), actions[:, 3], actions[:, 4]
        what = rng.integers(0, 6, count)
        reach = np.maximum(0.5, self.radii[sizes] * rng.choice([0.1, 0.3, 1.0], count))[:, None]
        moved = rng.normal(0, 1, (count, 2)) * reach
        one = np.arange(3) == rng.integers(0, 3, (count, 1))
        points += np.where((what == 0)[:, None, None], moved[:, None], 0)
        bent = np.isin(what, (1, 2, 5))[:, None] & one
        points += np.where(bent[..., None], rng.normal(0, 2, (count, 1, 2)) * reach[:, None], 0)
        resized = sizes + rng.choice([-3, -2, -1, 1, 2, 3], count)
        sizes = np.where(np.isin(what, (3, 5)), np.clip(resized, 0, len(self.sizes) - 1), sizes)
        pressed = pressures + rng.choice([-2, -1, 1, 2], count)
        return self._pack(points, sizes, np.where(what == 4, np.clip(pressed, 0, self._pressures - 1), pressures))

    def fit(self, actions: IntArray, place: Place) -> NDArray[np.bool_]:
        """Which strokes ``int64[N, 5]`` do not reach beyond the window, but for the edges of the canvas."""
        points, radii = self._points(actions), self.radii[actions[:, 3], None]
        corner, end = np.asarray(place), SIDE * (self.scale - 1)
        low = (points.min(1) - radii >= -BEYOND) | (corner == 0)
        high = (points.max(1) + radii <= SIDE + BEYOND) | (corner == end)
        fitting: NDArray[np.bool_] = (low & high).all(1)
        return fitting

    def climb(
        self, task: Task, place: Place, candidates: IntArray, rounds: int, allowed: Allowed, rng: Generator
    ) -> Found:
        """The best of ``candidates`` int64[CANDIDATES, 5], after so many rounds of changes of the best of them."""

        def gains_of(actions: IntArray) -> NDArray[np.float64]:
            return np.where(self.fit(actions, place), task.gains(self.cover(actions), allowed), np.float64(-math.inf))

        gains = gains_of(candidates)
        best = np.argsort(-gains, kind="stable")[:PARENTS]
        candidates, gains = candidates[best], gains[best]
        children = CANDIDATES // PARENTS
        family = np.concatenate([np.arange(PARENTS), np.repeat(np.arange(PARENTS), children)])
        for _ in range(rounds):
            changed = self.changed(np.repeat(candidates, children, axis=0), rng)
            candidates, gains = np.concatenate([candidates, changed]), np.concatenate([gains, gains_of(changed)])
            best = np.lexsort((-gains, family))[:: 1 + children]  # of each family
            candidates, gains = candidates[best], gains[best]
        best, times = np.argsort(-gains, kind="stable"), (self.finest // self.scale) ** 2
        return Found(candidates[best], gains[best] * times, rounds > 0)

    def on_canvas(self, actions: IntArray, place: Place) -> IntArray:
        """The actions of the large canvas ``int64[N, 5]`` that paint the strokes of a window."""
        times, result = self.finest // self.scale, actions.copy()
        corner = np.asarray(place) * self._cells // SIDE
        cells = (np.stack(np.divmod(actions[:, :3], self._cells), axis=-1) + corner) * times + times // 2
        result[:, :3] = cells[..., 0] * self._grid + cells[..., 1]
        result[:, 3] = self.sizes[actions[:, 3]]
        return result

    def in_window(self, action: IntArray, place: Place) -> IntArray:
        """The stroke ``int64[1, 5]`` of a window that is nearest to an action of the large canvas ``int64[5]``."""
        times, corner = self.finest // self.scale, np.asarray(place) * self._cells // SIDE
        cells = np.stack(np.divmod(action[:3], self._grid), axis=-1) // times - corner
        cells = np.clip(cells, 0, self._cells - 1)
        size = np.abs(self.sizes - action[3]).argmin()
        return np.asarray([[*(cells[:, 0] * self._cells + cells[:, 1]), size, action[4]]])

    def _core(self, place: Place) -> NDArray[np.bool_]:
        """Where strokes of a window start from: not at its edges, which lie further in other windows."""
        pixel, edge, end = np.arange(SIDE), SIDE // 5, SIDE * (self.scale - 1)
        rows, columns = (
            ((pixel >= edge) | (corner == 0)) & ((pixel < SIDE - edge) | (corner == end)) for corner in place
        )
        return np.outer(rows, columns)

    def _points(self, actions: IntArray) -> NDArray[np.float64]:
        """Start, control point and end ``float64[N, 3, 2]``, in pixels of the window."""
        return (np.stack(np.divmod(actions[:, :3], self._cells), axis=-1) + 0.5) * (SIDE / self._cells)

    def _pack(self, points: NDArray[np.float64], sizes: IntArray, pressures: IntArray) -> IntArray:
        cells = np.clip((points * (self._cells / SIDE)).astype(np.int64), 0, self._cells - 1)
        places = cells[..., 0] * self._cells + cells[..., 1]
        return np.concatenate([places, sizes[:, None], pressures[:, None]], axis=1)
