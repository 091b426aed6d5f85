"""What pens draw as an SVG file for an AxiDraw and other plotters that read SVG.

Notable choices:
- Lines alone, in millimetres on a page of the size of the sheet: no ground, no fill, no transparency.
- Each pen is a layer. Its name begins with its number, by which AxiDraw's software plots layers, and from the second on
  with "!", at which it pauses. Others tell pens apart by the colour of strokes or by the identifier of groups.
"""

from html import escape

from limner.export.plotter import STEP
from limner.export.svg import title
from limner.export.toolpath import Pen, Toolpath
from limner.programs.program import Program
from limner.worlds.stroke import Points

WIDTH = 0.3
"""Millimetres that a line is shown with."""


def axidraw(path: Toolpath, program: Program) -> str:
    """The text of an SVG file of what pens draw of a program."""
    width, height = f"{path.width:.6g}", f"{path.height:.6g}"
    lines = [
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" '
        f'width="{width}mm" height="{height}mm" viewBox="0 0 {width} {height}">',
        title(program),
    ]
    for number, pen in enumerate(path.pens, 1):
        lines += [*_layer(pen, number), "</g>"]
    return "\n".join([*lines, "</svg>\n"])


def _layer(pen: Pen, number: int) -> list[str]:
    colour = escape(pen.colour or "black")
    name = f"{'!' if number > 1 else ''}{number} {colour}"
    look = f'fill="none" stroke="{colour}" stroke-width="{WIDTH}" stroke-linecap="round" stroke-linejoin="round"'
    group = f'<g inkscape:groupmode="layer" inkscape:label="{name}" id="pen{number}">'
    return [group, *(f'<path {look} d="M {_places(line)}"/>' for line in pen.lines)]


def _places(line: Points) -> str:
    """Data of a path. A dot has a length, as software leaves out what has none."""
    places = [f"{x:.3f} {y:.3f}" for x, y, _ in line]
    if len(set(places)) == 1:
        places = [places[0], f"{line[0, 0] + 10 * STEP:.3f} {line[0, 1]:.3f}"]
    return " L ".join(places)
