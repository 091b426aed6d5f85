"""Strokes of a program: the path of the pen as polylines, and a standard order.

A search finds strokes in any order and direction, so one picture has many programs. A prior over programs is learnt
from a standard order: from the stroke that starts nearest to the upper left corner, always on to the nearest end, in
either direction.
"""

from collections.abc import Iterator

import numpy as np

from limner.actions import ActionSpace, IntArray
from limner.worlds.paint.curves import DOWN, ON, CurveDecoder
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.world import Points

SAMPLES = 32
"""Points on each curve."""


def pen_strokes(settings: PaintSettings, actions: IntArray) -> list[Points]:
    """The strokes of a program ``int64[T, P]``, in order: ``float64[n, 3]``, (x, y, pressure), each in [0, 1].

    A curve continues the stroke before it when the pen was not lifted between them, or when it starts within one grid
    cell (in x and in y) of its end: in the space ``stroke`` no stroke could be as long as a person's otherwise.
    """
    strokes: list[list[Points]] = []
    for curve in pen_curves(settings, actions):
        places = _bezier(*curve[1:7].reshape(3, 2)) / settings.canvas
        points = np.column_stack([places, np.linspace(curve[8], curve[9], SAMPLES)])
        gap = abs(places[0] - strokes[-1][-1][-1, :2]).max() if strokes else np.inf
        if strokes and (curve[0] == ON or gap <= 1.001 / settings.grid):
            strokes[-1].append(points)
        else:
            strokes.append([points])
    return [np.concatenate(stroke) for stroke in strokes]


def pen_curves(settings: PaintSettings, actions: IntArray) -> Iterator[Points]:
    """The curves that a program ``int64[T, P]`` paints, in order: rows ``float64[13]`` of ``CurveDecoder.decode``."""
    decoder = CurveDecoder(settings)
    pens = decoder.new(1)
    for action in actions:
        curves, pens = decoder.decode(action[None], pens)
        yield from curves[0][np.isin(curves[0, :, 0], (DOWN, ON))]


def order_strokes(space: ActionSpace, programs: IntArray) -> IntArray:
    """Programs ``int64[T, B, P]`` with their strokes reordered, some of them reversed."""
    steps, batch, _ = programs.shape
    start, end = space.index("start"), space.index("end")
    reversed_ = programs.copy()
    reversed_[..., [start, end]] = programs[..., [end, start]]
    both = np.concatenate([programs, reversed_])
    starts, ends = (space.cells(both, name) for name in ("start", "end"))  # [2T, B, 2]
    pen, left = np.zeros((batch, 2), np.int64), np.ones((2 * steps, batch), np.bool_)
    ordered, rows = np.empty_like(programs), np.arange(batch)
    for t in range(steps):
        distances = np.square(starts - pen).sum(-1)
        chosen = np.where(left, distances, np.inf).argmin(0)
        ordered[t], pen = both[chosen, rows], ends[chosen, rows]
        left[chosen, rows] = left[(chosen + steps) % (2 * steps), rows] = False
    return ordered


def _bezier(start: Points, control: Points, end: Points) -> Points:
    """Points ``float64[SAMPLES, 2]`` along a quadratic Bézier, ends included."""
    t = np.linspace(0, 1, SAMPLES)[:, None]
    return np.asarray((1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end)
