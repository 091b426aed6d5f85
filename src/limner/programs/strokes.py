"""The way of the pen that a program describes, as polylines: what can be compared with the strokes of a person.

Notable choices:
- What actions mean is known to ``renderers.curves``; nothing is painted here; size, pressure and colour do not count.
- A curve goes on with the stroke before it when the pen was not lifted between them, or when it starts within one grid
  cell (in x and in y) of where that one ended. The rule is the same for all action spaces: in ``stroke`` the pen is
  lifted after every action, and without it an agent could never make a stroke as long as a person's. Curves that meet
  but do not follow each other in the program stay apart: a person who comes back has lifted the pen, too.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from limner.data.human_strokes import Points
from limner.programs.program import Program
from limner.worlds.paint.curves import DOWN, ON, CurveDecoder
from limner.worlds.paint.renderer import PaintSettings

SAMPLES = 32
"""Points on each curve."""


def trajectory(program: Program) -> list[Points]:
    """The strokes of a painter's program, in order: ``float64[n, 2]`` each, (x, y) in [0, 1] of the canvas.

    ``ValueError`` when the program is for another renderer.
    """
    return [stroke[:, :2] for stroke in pen_strokes(program)]


def pen_strokes(program: Program) -> list[Points]:
    """As ``trajectory``, with the pressure in [0, 1] at each point: ``float64[n, 3]``, (x, y, pressure)."""
    settings = paint_settings(program)
    strokes: list[list[Points]] = []
    for curve in pen_curves(program):
        places = _bezier(*curve[1:7].reshape(3, 2)) / settings.canvas
        points = np.column_stack([places, np.linspace(curve[8], curve[9], SAMPLES)])
        gap = abs(places[0] - strokes[-1][-1][-1, :2]).max() if strokes else np.inf
        if strokes and (curve[0] == ON or gap <= 1.001 / settings.grid):
            strokes[-1].append(points)
        else:
            strokes.append([points])
    return [np.concatenate(stroke) for stroke in strokes]


def pen_curves(program: Program) -> Iterator[Points]:
    """The curves that a painter's program paints, in order: rows ``float64[13]`` of ``CurveDecoder.decode``."""
    decoder = CurveDecoder(paint_settings(program))
    pens = decoder.new(1)
    for action in program.actions:
        curves, pens = decoder.decode(action[None], pens)
        yield from curves[0][np.isin(curves[0, :, 0], (DOWN, ON))]


def paint_settings(program: Program) -> PaintSettings:
    """What a program paints with, and on what; ``ValueError`` when it is for another renderer."""
    if program.renderer["name"] != "paint":
        raise ValueError(f"the renderer {program.renderer['name']!r} has no pen: a program of 'paint' is needed")
    return PaintSettings.from_dict({key: value for key, value in program.renderer.items() if key != "name"})


def _bezier(start: Points, control: Points, end: Points) -> Points:
    """Points ``float64[SAMPLES, 2]`` along a quadratic Bézier, ends included."""
    t = np.linspace(0, 1, SAMPLES)[:, None]
    points: Points = (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end
    return points
