"""Programs as vector pictures: the strokes of a paint program as SVG.

Notable choices:
- A program with a frame shows what lies in it, as wide and as high in pixels as the picture that was painted.
- Curves are quadratic Béziers in programs and in SVG, so their shape is exact. A ``<path>`` is a stroke, or a part of
  one with the same size, pressure and colour.
- The engine says what is painted: strokes without a dab are left out, a path goes from its first dab to its last, and
  is as wide as its dabs on average. Its opacity follows the brush's settings at the mean pressure of a curve.
- A brush whose dabs are ellipses at a fixed angle is drawn as a round pen under a linear map, the ``transform`` of the
  group.
- Texture, softness, tapering, smudging, erasing, and opacity that depends on speed, direction or chance are not shown.
"""

import colorsys
import re
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from limner.programs.frame import Frame
from limner.programs.program import Program
from limner.worlds import read_settings
from limner.worlds.colours import as_text
from limner.worlds.paint import _paint
from limner.worlds.paint.brushes import load_brush
from limner.worlds.paint.curves import Doubles
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.paint.strokes import Curve, painted_strokes

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot hold, not even escaped."""


def title(program: Program) -> str:
    """What a program is called, as an element of SVG."""
    name = program.title or (f"A drawing by {program.agent}" if program.agent else "A drawing")
    return f"<title>{escape(_NO_XML.sub(chr(0xFFFD), name), quote=False)}</title>"


def svg(program: Program) -> str:
    """The text of an SVG file of a paint program; ``ValueError`` when it is for another renderer."""
    settings = read_settings(program.renderer)
    if not isinstance(settings, PaintSettings):
        raise ValueError(f"the renderer {settings.name!r} has no pen: a program of 'paint' is needed")
    pen = _Pen(settings)
    frame = program.frame or Frame(settings.canvas, settings.canvas)
    scale = settings.canvas / max(frame.width, frame.height)
    width, height = frame.width * scale, frame.height * scale
    left, top = (settings.canvas - width) / 2, (settings.canvas - height) / 2
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{frame.width}px" height="{frame.height}px" '
        f'viewBox="{left:.6g} {top:.6g} {width:.6g} {height:.6g}">',
        title(program),
    ]
    if settings.ground != "transparent":
        fill = "#ffffff" if settings.ground == "white" else settings.ground
        lines.append(f'<rect width="{settings.canvas}" height="{settings.canvas}" fill="{fill}"/>')
    lines.append(f'<g fill="none" stroke-linecap="round" stroke-linejoin="round"{pen.transform}>')
    lines += [f'<path {look} d="{way}"/>' for look, way in _paths(painted_strokes(settings, program.actions), pen)]
    return "\n".join([*lines, "</g>", "</svg>\n"])


class _Pen:
    """A brush as a pen: its width, colour and opacity along a curve."""

    def __init__(self, settings: PaintSettings) -> None:
        brush = load_brush(settings.brush, settings.opaque)
        pressure = _paint.inputs().index("pressure")
        names = [setting for setting, *_ in _paint.settings()]
        self._base = dict(zip(names, brush.base, strict=True))
        self._pressed = [(names[i], np.asarray(points)) for i, source, points in brush.mappings if source == pressure]
        turns = any(names[i] == "elliptical_dab_angle" for i, *_ in brush.mappings)
        flat = 1.0 if turns else 1 / max(1.0, self._base["elliptical_dab_ratio"])
        angle = np.radians(self._base["elliptical_dab_angle"])
        along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        self._to_round: Doubles = np.outer(along, along) + np.outer(across, across) / flat
        (a, c), (b, d) = np.outer(along, along) + np.outer(across, across) * flat
        self.transform = "" if flat == 1 else f' transform="matrix({a:.9g} {b:.9g} {c:.9g} {d:.9g} 0 0)"'
        """The attribute of the group that turns a round pen into this one."""

    def look(self, curve: Doubles) -> tuple[str, float, float]:
        """Colour, radius (without what dabs depend on besides pressure) and opacity of a curve."""
        pressure = float(curve[8:10].mean())
        red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(*curve[10:]))
        radius = float(np.exp(curve[7] + self._offset("radius_logarithmic", pressure)))
        return as_text(red, green, blue), radius, self._opacity(pressure)

    def width(self, radius: float, hardness: float) -> float:
        """How wide overlapping dabs are where they reach half of their opacity together.

        Over the square of its distance, as a share of that of ``radius``, a dab falls from 1 to ``hardness`` where that
        is ``hardness``, and on to 0.
        """
        dabs = max(1.0, self._base["dabs_per_actual_radius"] + self._base["dabs_per_basic_radius"])
        part = 1 - 0.5 ** (1 / dabs)  # of its opacity that a dab has at the edge
        far = 1 - part * (1 - hardness) / hardness if hardness > part else (1 - part) * hardness / (1 - hardness)
        return 2 * radius * float(np.sqrt(far))

    def points(self, curve: Doubles, first: float, last: float) -> list[str]:
        """Start, control point and end of the part ``first`` … ``last`` of a curve, before ``transform``."""
        start, control, end = curve[1:7].reshape(3, 2) @ self._to_round
        places = [
            (1 - a) * (1 - b) * start + (a * (1 - b) + b * (1 - a)) * control + a * b * end
            for a, b in ((first, first), (first, last), (last, last))
        ]
        return [f"{x:.7g} {y:.7g}" for x, y in places]

    def _opacity(self, pressure: float) -> float:
        """Opacity in the middle of a stroke, where libmypaint paints several overlapping dabs."""
        base = self._base
        opaque = max(0.0, base["opaque"] + self._offset("opaque", pressure))
        opaque = min(1.0, max(0.0, opaque * (base["opaque_multiply"] + self._offset("opaque_multiply", pressure))))
        dabs = max(1.0, 2 * (base["dabs_per_actual_radius"] + base["dabs_per_basic_radius"]))
        return float(1 - (1 - opaque) ** (dabs / (1 + base["opaque_linearize"] * (dabs - 1))))

    def _offset(self, setting: str, pressure: float) -> float:
        """What ``pressure`` adds to a setting."""
        return float(sum(np.interp(pressure, *points.T) for name, points in self._pressed if name == setting))


def _paths(strokes: Iterable[Sequence[Curve]], pen: _Pen) -> list[tuple[str, str]]:
    """Attributes and data of each path."""
    paths: list[tuple[tuple[str, float, float], list[Curve]]] = []
    for stroke in strokes:
        follows = False
        for curve in stroke:
            look = pen.look(curve.row)
            if follows and paths[-1][0] == look:
                paths[-1][1].append(curve)
            elif follows := curve.dabs.laid > 0:
                paths.append((look, [curve]))
    return [(_attributes(look, curves, pen), _data(curves, pen)) for look, curves in paths]


def _attributes(look: tuple[str, float, float], curves: Sequence[Curve], pen: _Pen) -> str:
    """Colour, width and opacity of a path."""
    colour, _, opacity = look
    count = sum(curve.dabs.laid for curve in curves)
    radius, hardness = (
        sum(sums) / count for sums in zip(*((c.dabs.radii, c.dabs.hardness) for c in curves), strict=True)
    )
    return f'stroke="{colour}" stroke-width="{pen.width(radius, hardness):.6g}" stroke-opacity="{opacity:.3g}"'


def _data(curves: Sequence[Curve], pen: _Pen) -> str:
    """Data of a path from the first dab on ``curves`` to the last."""
    final = max(i for i, curve in enumerate(curves) if curve.dabs.laid)
    data = ""
    for i, (row, dabs) in enumerate(curves[: final + 1]):
        first = 0.0 if i > 0 else _place(row, dabs.first)
        last = 1.0 if i < final else max(first, _place(row, dabs.last))
        start, control, end = pen.points(row, first, last)
        data += f" Q {control} {end}" if data else f"M {start} Q {control} {end}"
    return data


def _place(curve: Doubles, dab: Sequence[float]) -> float:
    """Where on a curve, in [0, 1], a dab is: the last of the places that are nearest, by half a pixel."""
    x, y, until = dab
    places = np.linspace(0, until, 65)
    t, (start, control, end) = places[:, None], curve[1:7].reshape(3, 2)
    apart = np.linalg.norm((1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end - (x, y), axis=1)
    return float(places[apart <= apart.min() + 0.5][-1])
