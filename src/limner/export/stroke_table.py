"""The strokes of a program as a table (CSV, RFC 4180): a row for each curve, in the order in which they are painted.

Notable choices:
- The engine says what is painted: strokes without a dab are left out.
- Between the curves of a stroke the pen stays down; they have the same number. Most strokes are one curve.
"""

import colorsys
import csv
import io
import math

from limner.programs.frame import Frame
from limner.programs.program import Program
from limner.worlds import read_settings
from limner.worlds.colours import as_text
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.paint.strokes import Curve, painted_strokes

COLUMNS = (
    *("stroke", "start x", "start y", "control x", "control y", "end x", "end y"),
    *("radius", "start pressure", "end pressure", "colour"),
)
"""Places and radius in pixels of the picture at the program's own size, from its upper left corner, y downwards.

Pressure is in [0, 1], the colour ``#rrggbb``. The first stroke is 1.
"""


def stroke_table(program: Program) -> tuple[str, int]:
    """The text of the table, and the number of strokes; ``ValueError`` for a program of another world than paint."""
    settings = read_settings(program.renderer)
    if not isinstance(settings, PaintSettings):
        raise ValueError(f"the renderer {settings.name!r} has no pen: a program of 'paint' is needed")
    corner = (program.frame or Frame(settings.canvas, settings.canvas)).box(settings.canvas)[:2]
    strokes = painted_strokes(settings, program.actions)
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for number, stroke in enumerate(strokes, start=1):
        writer.writerows([number, *_row(curve, corner)] for curve in stroke)
    return file.getvalue(), len(strokes)


def _row(curve: Curve, corner: tuple[int, int]) -> list[float | str]:
    """The cells of a curve after the number of its stroke."""
    places = (curve.row[1:7].reshape(3, 2) - corner).ravel()
    red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(*curve.row[10:]))
    numbers = [*places, math.exp(curve.row[7]), *curve.row[8:10]]
    return [*(round(float(number), 4) for number in numbers), as_text(red, green, blue)]
