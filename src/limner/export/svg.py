"""Programs as vector pictures: the strokes of a paint program as SVG.

Notable choices:
- A program with a frame shows what lies in it, as wide and as high in pixels as the picture that was painted.
- Curves are quadratic Béziers in programs and in SVG, so their shape is exact. A ``<path>`` is a stroke, or a part of
  one with the same width, colour and opacity.
- Width and opacity follow the brush's settings at the mean pressure of a curve. A brush whose dabs are ellipses at a
  fixed angle is drawn as a round pen under a linear map, the ``transform`` of the group.
- Texture, softness, tapering, smudging, erasing, and what depends on speed, direction or chance are not shown.
- What the engine does not paint is left out: ``painted_strokes``.
"""

import colorsys
import re
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from limner.programs.frame import Frame
from limner.programs.program import Program
from limner.worlds import read_settings
from limner.worlds.paint import _paint
from limner.worlds.paint.brushes import load_brush
from limner.worlds.paint.curves import Doubles
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.paint.strokes import Curve, painted_strokes

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot hold, not even escaped."""


def svg(program: Program) -> str:
    """The text of an SVG file of a paint program; ``ValueError`` when it is for another renderer."""
    settings = read_settings(program.renderer)
    if not isinstance(settings, PaintSettings):
        raise ValueError(f"the renderer {settings.name!r} has no pen: a program of 'paint' is needed")
    pen = _Pen(settings)
    title = program.title or (f"A drawing by {program.agent}" if program.agent else "A drawing")
    frame = program.frame or Frame(settings.canvas, settings.canvas)
    scale = settings.canvas / max(frame.width, frame.height)
    width, height = frame.width * scale, frame.height * scale
    left, top = (settings.canvas - width) / 2, (settings.canvas - height) / 2
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{frame.width}px" height="{frame.height}px" '
        f'viewBox="{left:.6g} {top:.6g} {width:.6g} {height:.6g}">',
        f"<title>{escape(_NO_XML.sub(chr(0xFFFD), title), quote=False)}</title>",
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

    def look(self, curve: Doubles) -> str:
        """The attributes of a curve: colour, width, opacity."""
        pressure = float(curve[8:10].mean())
        red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(*curve[10:]))
        radius = max(0.2, np.exp(curve[7] + self._offset("radius_logarithmic", pressure)))
        return (
            f'stroke="#{red:02x}{green:02x}{blue:02x}" stroke-width="{2 * radius:.6g}" '
            f'stroke-opacity="{self._opacity(pressure):.3g}"'
        )

    def points(self, curve: Doubles) -> list[str]:
        """Start, control point and end of a curve, before ``transform``."""
        return [f"{x:.7g} {y:.7g}" for x, y in curve[1:7].reshape(3, 2) @ self._to_round]

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
    paths: list[tuple[str, str]] = []
    for stroke in strokes:
        last = ""
        for curve in stroke:
            start, control, end = pen.points(curve.row)
            look = pen.look(curve.row)
            if start == last and paths[-1][0] == look:
                paths[-1] = look, f"{paths[-1][1]} Q {control} {end}"
            elif curve.inked:
                paths.append((look, f"M {start} Q {control} {end}"))
            else:
                continue
            last = end
    return paths
