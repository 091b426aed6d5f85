"""The path of the pen in a program, as polylines; nothing is painted.

Notable choices:
- A curve continues the stroke before it when the pen was not lifted between them, or when it starts within one grid
  cell (in x and in y) of where that one ended. The rule is the same for all action spaces: in ``stroke`` the pen is
  lifted after every action, and without the rule no stroke could be as long as a person's. Curves that meet but do not
  follow each other in the program stay apart.
"""

from collections.abc import Iterator

import numpy as np

from limner.actions import IntArray
from limner.worlds.paint.curves import DOWN, ON, CurveDecoder
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.world import Points

SAMPLES = 32
"""Points on each curve."""


def pen_strokes(settings: PaintSettings, actions: IntArray) -> list[Points]:
    """The strokes of a program ``int64[T, P]``, in order: ``float64[n, 3]``, (x, y, pressure), each in [0, 1]."""
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


def _bezier(start: Points, control: Points, end: Points) -> Points:
    """Points ``float64[SAMPLES, 2]`` along a quadratic Bézier, ends included."""
    t = np.linspace(0, 1, SAMPLES)[:, None]
    points: Points = (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end
    return points
