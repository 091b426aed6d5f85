"""The strokes of a program as polylines, for plotters and for comparison with the strokes of a person."""

from limner.programs.program import Program
from limner.worlds import find_world, read_settings
from limner.worlds.world import Points


def pen_strokes(program: Program) -> list[Points]:
    """The strokes of a program, in order: ``float64[n, 3]`` each, (x, y, pressure) in [0, 1]: see ``World.strokes``.

    ``ValueError`` when the program is of a world without strokes.
    """
    settings = read_settings(program.renderer)
    strokes = find_world(settings.name).strokes(settings, program.actions)
    if strokes is None:
        raise ValueError(f"the renderer {settings.name!r} has no pen: a program of 'paint' is needed")
    return strokes
