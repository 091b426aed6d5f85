"""Strokes of a program: what it paints as curves, the path of the pen as polylines, and a standard order.

Whether a curve paints is asked of the engine, which executes the program: a brush paints dabs, some distance apart, so
on a short curve there may be none, and a brush that is pressed too little leaves no trace.

A search finds strokes in any order and direction, so one picture has many programs. A prior over programs is learnt
from a standard order: from the stroke that starts nearest to the upper left corner, always on to the nearest end, in
either direction.
"""

import colorsys
from typing import NamedTuple

import numpy as np

from limner.actions import ActionSpace, IntArray
from limner.worlds.paint.curves import DOWN, ON, CurveDecoder
from limner.worlds.paint.renderer import Dabs, Paint
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.stroke import Colour, Points, Stroke

SAMPLES = 32
"""Points on each curve."""


class Curve(NamedTuple):
    """A curve of a stroke that paints."""

    row: Points
    """``float64[13]``, as ``CurveDecoder.decode`` gives it."""
    dabs: Dabs
    """Between two dabs of a stroke there may be whole curves; one that has none begins nothing."""


def pen_strokes(settings: PaintSettings, actions: IntArray) -> list[Stroke]:
    """The strokes that a program ``int64[T, P]`` paints, in order.

    A curve of the same colour continues the stroke before it when it starts within one grid cell (in x and in y) of its
    end, whether the pen was lifted between them or not: in the space ``stroke`` no stroke could be as long as a
    person's otherwise.
    """
    found: list[tuple[list[Points], Colour]] = []
    for curve in (curve for stroke in painted_strokes(settings, actions) for curve in stroke):
        points, colour = _polyline(curve.row, settings), colorsys.hsv_to_rgb(*curve.row[10:])
        gap = abs(points[0, :2] - found[-1][0][-1][-1, :2]).max() if found else np.inf
        if gap <= 1.001 / settings.grid and colour == found[-1][1]:
            found[-1][0].append(points)
        elif curve.dabs.laid:
            found.append(([points], colour))
    return [Stroke(np.concatenate(lines), colour) for lines, colour in found]


def painted_strokes(settings: PaintSettings, actions: IntArray) -> list[list[Curve]]:
    """What a program ``int64[T, P]`` paints, in order: strokes of curves, between which the pen stays down.

    A stroke on which no dab lays paint is left out, and one is cut in two where the dabs of a curve lay none.
    ``ValueError`` when the program cannot be painted.
    """
    renderer, decoder = Paint(settings), CurveDecoder(settings)
    pens = decoder.new(1)
    strokes: list[list[Curve]] = []
    cut = True
    for action in actions:
        curves, pens = decoder.decode(action[None], pens)
        renderer.step(action[None])
        for row, dabs in zip(curves[0], renderer.dabs()[0], strict=True):
            if row[0] not in (DOWN, ON):
                continue
            if dabs.made and not dabs.laid:
                cut = True
            elif cut or row[0] == DOWN:
                strokes.append([Curve(row, dabs)])
                cut = False
            else:
                strokes[-1].append(Curve(row, dabs))
    return [stroke for stroke in strokes if any(curve.dabs.laid for curve in stroke)]


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


def _polyline(curve: Points, settings: PaintSettings) -> Points:
    """Points ``float64[SAMPLES, 3]`` of x, y and pressure along a curve, ends included, x and y by the canvas."""
    start, control, end = curve[1:7].reshape(3, 2) / settings.canvas
    t = np.linspace(0, 1, SAMPLES)[:, None]
    places = (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end
    return np.column_stack([places, np.linspace(curve[8], curve[9], SAMPLES)])
