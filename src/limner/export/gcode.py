"""Strokes as G-code for a pen plotter.

Notable choices:
- Strokes are drawn in the order of the program. The pen is at the safe height whenever it travels and at the end. Where
  one stroke ends and the next begins is known to ``limner.programs.strokes``.
- Radii and colours are not in it: a pen has one width and one colour. Pressure is, as depth: with ``depth=0`` the pen
  stays at one height.
- Only words that every controller knows: G0, G1, G21, G90, M2, and F with every change of speed. Comments are plain
  ASCII on lines of their own, whatever the program is called.
- Polylines are simplified (Douglas and Peucker, 1973) in millimetres of x, y and z, so pressure is kept as exactly as
  the way. Points are rounded to a thousandth of a millimetre.
- A stroke that stays in one place is left out, as brushes paint nothing there, and strokes without any line are an
  error: a job that moves the pen and draws nothing is a mistake better noticed before the sheet is in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from limner.worlds.validation import check_fields, require

Points = NDArray[np.float64]

STEP = 0.001
"""Millimetres: numbers are written to three decimals."""


@dataclass(frozen=True)
class GcodeSettings:
    """A sheet, a pen and a machine, in millimetres. Widths of strokes are not in G-code: a pen has one."""

    sheet: float = 100.0
    """Side of the square sheet."""
    margin: float = 0.0
    """Left blank along each side of it."""
    left: float = 0.0
    """X of the sheet's left edge."""
    bottom: float = 0.0
    """Y of its lower edge; y goes up."""
    safe: float = 5.0
    """Height at which the pen travels."""
    contact: float = 0.0
    """Height at which the pen touches the paper."""
    depth: float = 0.5
    """How much lower it is at full pressure; 0 for a pen that does not give."""
    feed: float = 1000.0
    """Speed while drawing, millimetres a minute."""
    travel: float = 3000.0
    """Speed while travelling, millimetres a minute, where the controller lets it be set."""
    tolerance: float = 0.05
    """How far a line may be from the stroke; 0 keeps every point."""

    def __post_init__(self) -> None:
        check_fields(self, "gcode.", positive="sheet feed travel", not_negative="margin depth tolerance")
        for names, low, high in (
            ("sheet feed travel", 1, 100_000),
            ("left bottom safe contact depth", -10_000, 10_000),
        ):
            for name in names.split():
                value = getattr(self, name)
                require(low <= value <= high, f"gcode.{name} is {value!r}: must be in {low} … {high}")
        require(
            self.safe - self.contact >= STEP,
            f"gcode.safe is {self.safe!r}: must be above gcode.contact, which is {self.contact!r}",
        )
        require(
            self.sheet - 2 * self.margin >= 1,
            f"gcode.margin is {self.margin!r}: must leave 1 mm or more of a sheet of {self.sheet!r} mm",
        )


def gcode(strokes: Sequence[Points], settings: GcodeSettings = GcodeSettings(), name: str = "") -> str:
    """The text of a G-code file of strokes ``float64[n, 3]`` as ``limner.programs.strokes.pen_strokes`` returns them.

    (x, y, pressure) in [0, 1], y downwards. ``name`` goes into a comment. ``ValueError`` naming a stroke that is none,
    or when there is nothing to draw.
    """
    ways = [_place(stroke, i, settings) for i, stroke in enumerate(strokes)]
    ways = [simplify(way, settings.tolerance) for way in ways if np.ptp(way[:, :2], axis=0).max() >= STEP]
    if not ways:
        raise ValueError("there is nothing to draw: no stroke has a length, and a plotter would only move its pen")
    body, drawn, travelled = _moves(ways, settings)
    minutes = drawn / settings.feed + travelled / settings.travel
    title = " ".join(normalize("NFKD", name).encode("ascii", "ignore").decode().split())
    title = "".join(filter(str.isprintable, title))
    header = [
        f"Limner: {title}" if title else "Limner",
        f"{_number(settings.sheet)} x {_number(settings.sheet)} mm, strokes: {len(ways)}",
        f"{drawn:.0f} mm drawn, {travelled:.0f} mm travelled, {minutes:.1f} minutes without starting and stopping",
    ]
    return "\n".join([*(f"; {line}" for line in header), *body]) + "\n"


def simplify(points: Points, tolerance: float) -> Points:
    """Some of the points ``float64[n, d]``, ends included: none of the others is farther than that from their line."""
    keep = np.zeros(len(points), np.bool_)
    keep[[0, -1]] = True
    stretches = [(0, len(points) - 1)]
    while stretches:
        first, last = stretches.pop()
        if last - first < 2:
            continue
        start, way = points[first], points[last] - points[first]
        between = points[first + 1 : last] - start
        share = np.clip(between @ way / max(float(way @ way), np.finfo(float).tiny), 0, 1)
        apart = np.linalg.norm(between - share[:, None] * way, axis=-1)
        if apart.max() > tolerance:
            middle = first + 1 + int(apart.argmax())
            keep[middle] = True
            stretches += [(first, middle), (middle, last)]
    return points[keep]


def _place(stroke: Points, number: int, settings: GcodeSettings) -> Points:
    """A stroke in millimetres of the machine."""
    points = np.asarray(stroke, np.float64)
    require(
        points.ndim == 2 and points.shape[1] == 3 and len(points) > 0,
        f"stroke {number} must be points [n, 3] of x, y and pressure, got an array of shape {list(points.shape)}",
    )
    wrong = points[~((points >= -1e-9) & (points <= 1 + 1e-9)).all(1)]
    require(
        not len(wrong), f"stroke {number} leaves the sheet: x, y, pressure must be in [0, 1], got {wrong[:1].tolist()}"
    )
    x, y, pressure = np.clip(points, 0, 1).T
    side = settings.sheet - 2 * settings.margin
    return np.column_stack(
        [
            settings.left + settings.margin + x * side,
            settings.bottom + settings.margin + (1 - y) * side,
            settings.contact - settings.depth * pressure,
        ]
    )


def _moves(ways: list[Points], settings: GcodeSettings) -> tuple[list[str], float, float]:
    """The commands, and how far the pen moves drawing and travelling."""
    up, travel = f"G0 Z{_number(settings.safe)}", f" F{_number(settings.travel)}"
    lines = ["G21", "G90", up + travel]
    here = np.zeros(2)
    drawn = travelled = 0.0
    for way in ways:
        places = [(_number(x), _number(y), _number(z)) for x, y, z in way]
        lines.append(f"G0 X{places[0][0]} Y{places[0][1]}{travel}")
        lines.append(f"G1 Z{places[0][2]} F{_number(settings.feed)}")
        for last, (x, y, z) in pairwise(places):
            if (x, y, z) != last:
                lines.append(f"G1 X{x} Y{y}" + (f" Z{z}" if z != last[2] else ""))
        lines.append(up + travel)
        drawn += float(np.linalg.norm(np.diff(way, axis=0), axis=1).sum() + settings.safe - way[0, 2])
        travelled += float(np.linalg.norm(way[0, :2] - here) + settings.safe - way[-1, 2])
        here = way[-1, :2]
    travelled += float(np.linalg.norm(here))
    return [*lines, f"G0 X0 Y0{travel}", "M2"], drawn, travelled


def _number(value: float) -> str:
    """Three decimals, or as many as are needed; never an exponent, which controllers do not read."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
