"""The strokes of a program as polylines, what can be compared with the strokes of a person or drawn by a plotter."""

from __future__ import annotations

from limner.programs.program import Program
from limner.worlds import find_world, read_settings
from limner.worlds.world import Points


def trajectory(program: Program) -> list[Points]:
    """The strokes of a program, in order: ``float64[n, 2]`` each, (x, y) in [0, 1] of the canvas.

    ``ValueError`` when the program is of a world without strokes.
    """
    return [stroke[:, :2] for stroke in pen_strokes(program)]


def pen_strokes(program: Program) -> list[Points]:
    """As ``trajectory``, with the pressure in [0, 1] at each point: ``float64[n, 3]``, (x, y, pressure)."""
    settings = read_settings(program.renderer)
    strokes = find_world(settings.name).strokes(settings, program.actions)
    if strokes is None:
        raise ValueError(f"the renderer {settings.name!r} has no pen: a program of 'paint' is needed")
    return strokes
