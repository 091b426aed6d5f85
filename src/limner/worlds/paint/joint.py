"""Joint search: the strokes of a whole painting are found, changed and replaced together.

Strokes are added where they are missed most, one by one, each the best of many candidates in a window and climbed from
there; then all are changed under what covers them, their colours are solved together, and those that are missed least
are replaced by new ones, until the budget is spent.

Notable choices:
- The window where a stroke brings most is not known without a search there. Windows wait in a queue by what their last
  search found: a stroke is taken if it brings about as much as the next window promises, and is searched for anew where
  the painting has changed (lazy greedy, Minoux 1978).
- Candidates are compared at the scale of their window and accepted at the finest one.
- With a budget in sweeps no clock is read: the same seed finds the same strokes.
"""

import heapq
import math
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import count as counter

import numpy as np

from limner.actions import IntArray
from limner.malloc import keep_freed_memory
from limner.worlds.budget import Budget, reached
from limner.worlds.paint.layers import SIDE, Box, Floats, Layer, Stack, Surroundings, inside, pool, union
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.paint.windows import CANDIDATES, Allowed, Found, Place, Task, Windows, window
from limner.worlds.validation import require

GROWTH = 0.45
"""Share of the time in which strokes are added."""
ROUNDS = 6
"""Of changes of the best candidates, at most; fewer where time is short."""
NEARLY = 0.6
"""A stroke is taken if it brings so much of what the next window promises."""
PROMISE = 0.25
"""Share of the error in a window that a stroke may take away, as long as none has been searched for."""
AFTER = 0.7
"""What the next stroke in a window is expected to bring, as a share of the last one's."""
REPLACED, REPLACING = 0.125, 0.8
"""Share of the strokes that are replaced at a time, and share of the time after which none are any more."""
FEW = 0.01
"""Share of the strokes that are asked for: if fewer are found in all windows, others are added too."""
EVERY = 32
"""Strokes between two reports, but for the first: those come after 1, 2, 4 … strokes."""

Waiting = tuple[float, int, int, Place, Found | None, int]
"""Minus what a window promises, a number, scale and place, what was found there, and how many strokes there were."""


class JointSearch:
    """Finds strokes for a stack, each with the best of the colours that are ``allowed``."""

    def __init__(self, stack: Stack, settings: PaintSettings, allowed: Allowed, seed: int, threads: int) -> None:
        """``settings`` are those of the large canvas."""
        keep_freed_memory()
        self.stack, self._allowed, self._rng = stack, allowed, np.random.default_rng(seed)
        windows = [Windows(settings, scale, stack.finest, threads) for scale in stack.scales]
        self._windows = {one.scale: one for one in windows if len(one.sizes)}
        self._settings = settings
        own = replace(settings, ground="transparent", color=False, levels=2)
        self._painter = Paint(own)

    def run(self, count: int, exact: bool, budget: Budget, begun: IntArray | None = None) -> Iterator[float]:
        """Paint up to ``count`` strokes, or ``exact`` so many, and sweep over all of them until the budget is spent.

        ``begun`` int64[N, P] are strokes to go on from, in place of those of the stack. Gives the share of the work
        that is done, in [0, 1], every ``EVERY`` strokes, and more often among the first.
        """
        end, seconds, done = budget.end(), budget.seconds or 0.0, 0
        if begun is not None:
            self._begin(begun, count)
        for number in self.grow(count, end - (1 - GROWTH) * seconds):
            yield GROWTH * number / count
        if exact:
            for _ in self._fill(count):
                yield GROWTH
        self.stack.solve_colours(self._allowed)
        while len(self.stack.layers) > 0 and not budget.spent(end, done):
            for share in self.refine(end):
                yield GROWTH + (1 - GROWTH) * _share(budget, end, done + share)
            self.stack.solve_colours(self._allowed)
            done += 1
            if not budget.spent(end - (1 - REPLACING) * seconds, done):
                self._exchange(end)

    def grow(self, count: int, end: float = math.inf) -> Iterator[int]:
        """Add strokes until there are ``count``, time is over, or none brings the picture closer; gives how many."""
        start = time.perf_counter() if end < math.inf else 0.0
        queue, order, rounds, before = self._queue(), counter(), ROUNDS, len(self.stack.layers)
        given = before
        while queue and len(self.stack.layers) < count and not reached(end):
            _, _, scale, place, found, since = heapq.heappop(queue)
            windows, least = self._windows[scale], -NEARLY * queue[0][0] if queue else 0.0
            if found is None or not found.climbed or len(self.stack.overlapping(scale, window(place), since)) > 0:
                found = self._search(windows, place, 0 if found is None else rounds, found)
                since = len(self.stack.layers)
            if found.gains[0] < least or not found.climbed:
                if found.gains[0] > 0:
                    heapq.heappush(queue, (-float(found.gains[0]), next(order), scale, place, found, since))
                continue
            if (gain := self._add_some(windows, place, found, least, count)) > 0:
                heapq.heappush(queue, (-AFTER * gain, next(order), scale, place, found, since))
            if end < math.inf:
                spent = (time.perf_counter() - start) / (end - start)
                behind = spent > (len(self.stack.layers) - before) / (count - before)
                rounds = max(1, rounds - 1) if behind else min(ROUNDS, rounds + 1)
            if (now := len(self.stack.layers)) >= given + min(EVERY, max(1, given - before)):
                given = now
                yield given

    def _begin(self, actions: IntArray, count: int) -> None:
        """Put the strokes ``int64[N, P]`` down, but for those that do harm, and at most ``count`` of them."""
        layers, step = [], np.float32(255 / (self._settings.levels - 1))
        colours = actions[:, 5:] if self._settings.color else np.zeros((len(actions), 1))
        for action, colour in zip(actions[:, :5], colours, strict=True):
            if (painted := self._paint(action)) is not None:
                scale = next(scale for scale, windows in self._windows.items() if action[3] in windows.sizes)
                layers.append(self._layer(action, (colour * step).astype(np.float32), *painted, scale))
        self.stack.put(layers)
        while len(losses := self.stack.losses()):
            worst = np.argsort(losses, kind="stable")[: math.ceil(REPLACED * len(losses))]
            left_out = worst[(losses[worst] < 0) | (np.arange(len(worst)) < len(losses) - count)]
            if len(left_out) == 0:
                break
            self.stack.keep(np.setdiff1d(np.arange(len(losses)), left_out))

    def _fill(self, count: int) -> Iterator[None]:
        """Add strokes until there are ``count``: all that help at all, and in the end such as do least harm.

        ``ValueError`` where the brush leaves no paint.
        """
        scales, helping = sorted(self._windows), True
        while (before := len(self.stack.layers)) < count:
            require(len(scales) > 0, f"{count} strokes cannot be painted: the brush leaves no paint")
            least = 0.0 if helping else -math.inf
            finest = [(scales[-1], place) for place in self._windows[scales[-1]].places]
            for scale, place in [waiting[2:4] for waiting in sorted(self._queue())] if helping else finest:
                if len(self.stack.layers) < count:
                    found = self._search(self._windows[scale], place, int(helping), None)
                    self._add_some(self._windows[scale], place, found, least, count)
                    yield
            added = len(self.stack.layers) - before
            if not helping and added == 0:
                scales.pop()
            helping = helping and added > FEW * count

    def refine(self, end: float = math.inf) -> Iterator[float]:
        """Change strokes, in random order, where that brings the picture closer; gives the share of them.

        Where it is close already they are left alone.
        """
        order = self._rng.permutation(self.stack.missing()).tolist()
        for number, index in enumerate(order):
            if reached(end):
                break
            self._refine(index)
            if number % EVERY == 0:
                yield number / len(order)

    def _exchange(self, end: float) -> None:
        """Replace strokes that are missed least; in vain if time is over before that."""
        before = list(self.stack.layers)
        few = max(1, int(REPLACED * len(before)))
        self.stack.keep(np.sort(np.argsort(self.stack.losses(), kind="stable")[few:]))
        for _ in self.grow(len(before), end):
            pass
        if len(self.stack.layers) < len(before) and reached(end):
            self.stack.put(before)
        self.stack.solve_colours(self._allowed)

    def _queue(self) -> list[Waiting]:
        """All windows in which there is an error, by what may be gained."""
        queue: list[Waiting] = []
        for scale, windows in self._windows.items():
            error, times = self.stack.error(scale), (self.stack.finest // scale) ** 2
            for place in windows.places:
                there = float(error[inside(window(place))].sum()) * times
                if there > 0:
                    queue.append((-PROMISE * there, -1 - len(queue), scale, place, None, 0))
        heapq.heapify(queue)
        return queue

    def _search(self, windows: Windows, place: Place, rounds: int, found: Found | None) -> Found:
        """Strokes on top of the painting; what was found there before is among the candidates."""
        task = self._task(windows, place)
        candidates = windows.random(task, place, CANDIDATES, self._rng)
        if found is not None:
            candidates[: len(found.actions)] = found.actions
        return windows.climb(task, place, candidates, rounds, self._allowed, self._rng)

    def _task(self, windows: Windows, place: Place) -> Task:
        """The task of a stroke on top of the painting."""
        below = self.stack.canvases[windows.scale][inside(window(place))]
        return windows.task(self.stack, place, Surroundings.on_top(below))

    def _add_some(self, windows: Windows, place: Place, found: Found, least: float, count: int) -> float:
        """Add the strokes that were found while each brings ``least`` or more; what the first brings."""
        first = self._add(windows, place, found.actions[0], min(0.0, least))
        cover, times = windows.cover(found.actions[1:]), (self.stack.finest // windows.scale) ** 2
        waiting = list(range(len(cover)))
        while waiting and len(self.stack.layers) < count:
            task = self._task(windows, place)
            gains = task.gains(cover[waiting], self._allowed) * times
            best = int(gains.argmax())
            if gains[best] < least:
                break
            self._add(windows, place, found.actions[1 + waiting.pop(best)], least)
        return first

    def _refine(self, index: int) -> None:
        """Change a stroke, under those that cover it, if that brings the picture closer."""
        layer = self.stack.layers[index]
        windows = self._windows[layer.scale]
        place = windows.near(self.stack.boxes[index])
        task = windows.task(self.stack, place, self.stack.around(index, windows.scale, window(place)))
        own, part = np.zeros((SIDE, SIDE), np.float32), layer.part(windows.scale, window(place))
        if part is not None:
            own[part[0]] = part[1]
        now = task.gains(own.reshape(1, -1), self._allowed)[0]
        candidates = np.repeat(windows.in_window(layer.action, place), CANDIDATES, axis=0)
        candidates = windows.changed(candidates, self._rng)
        few = CANDIDATES // 8
        candidates[:few] = windows.random(task, place, few, self._rng)
        found = windows.climb(task, place, candidates, 1, self._allowed, self._rng)
        if found.gains[0] <= now * (self.stack.finest // layer.scale) ** 2:
            return
        action = windows.on_canvas(found.actions[:1], place)[0]
        if (painted := self._paint(action)) is None:
            return
        box, cover = painted
        both = union(box, layer.box)
        around = self.stack.around(index, self.stack.finest, both)
        whole = np.zeros(around.keep.shape, np.float32)
        whole[box[0] - both[0] : box[2] - both[0], box[1] - both[1] : box[3] - both[1]] = cover
        colour, error = self._colour(whole, around, both)
        if error < self._error(both):
            self.stack.replace(index, self._layer(action, colour, box, cover, windows.scale))

    def _add(self, windows: Windows, place: Place, action: IntArray, least: float) -> float:
        """Put a stroke on top if that brings the picture closer, by ``least`` or more; by how much."""
        large = windows.on_canvas(action[None], place)[0]
        if (painted := self._paint(large)) is None:
            return 0.0
        box, cover = painted
        around = Surroundings.on_top(self.stack.canvases[self.stack.finest][inside(box)])
        colour, error = self._colour(cover, around, box)
        gain = self._error(box) - error
        if gain < least or gain == 0 == least:
            return 0.0
        self.stack.push(self._layer(large, colour, box, cover, windows.scale))
        return gain

    def _colour(self, cover: Floats, around: Surroundings, box: Box) -> tuple[Floats, float]:
        """The best colour ``float32[C]`` of a stroke, and the weighted squared error in a box then."""
        finest = self.stack.finest
        goal, weights = self.stack.goals[finest][inside(box)], self.stack.weights[finest][inside(box)]
        shown = (cover * around.keep)[..., None]
        missing = goal - around.add - around.below * around.keep[..., None]
        wanted = (shown * weights * (missing + shown * around.below)).sum((0, 1))
        colour = wanted / max(float((np.square(shown) * weights).sum()), 1e-6)
        colour = self._allowed(np.clip(colour, 0, 255)[None])[0].round()
        return colour, float((np.square(missing + shown * (around.below - colour)) * weights).sum())

    def _error(self, box: Box) -> float:
        """The weighted squared error in a box."""
        goal, canvas, weights = (
            pictures[self.stack.finest][inside(box)]
            for pictures in (self.stack.goals, self.stack.canvases, self.stack.weights)
        )
        return float((np.square(goal - canvas) * weights).sum())

    def _paint(self, action: IntArray) -> tuple[Box, Floats] | None:
        """Where on the large canvas a stroke is, and its opacity there; None: it leaves no paint."""
        self._painter.reset()
        self._painter.step(action[None])
        canvas, side = self._painter.canvas()[0, ..., -1], self.stack.finest
        rows = np.flatnonzero(canvas.any(1))
        if len(rows) == 0:
            return None
        columns = np.flatnonzero(canvas[rows[0] : rows[-1] + 1].any(0))
        top, left = int(rows[0]) // side * side, int(columns[0]) // side * side
        bottom, right = -(-(int(rows[-1]) + 1) // side) * side, -(-(int(columns[-1]) + 1) // side) * side
        return (top, left, bottom, right), canvas[top:bottom, left:right] * np.float32(1 / 255)

    def _layer(self, action: IntArray, colour: Floats, box: Box, cover: Floats, scale: int) -> Layer:
        finest = self.stack.finest
        covers = {one: pool(cover[..., None], finest // one)[..., 0] for one in self.stack.scales}
        return Layer(action, colour, box, covers, scale)


def _share(budget: Budget, end: float, done: float) -> float:
    """Of the sweeps, or of the seconds until ``end``, that are over."""
    if budget.seconds is None:
        return done / (budget.sweeps or 1)
    return min(1.0, 1 - (end - time.perf_counter()) / budget.seconds)
