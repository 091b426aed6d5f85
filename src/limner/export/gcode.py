"""Strokes as G-code for a pen plotter.

Notable choices:
- Strokes keep their order. Pressure becomes depth; radii and colours are lost, as a pen has one of each.
- Only G0, G1, G21, G90, M2 and F are used, which every controller supports. Comments are ASCII on their own lines.
- Polylines are simplified (Douglas and Peucker, 1973) in x, y and z, so that pressure is kept within the tolerance too.
- Strokes without length are left out, as brushes paint nothing there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from limner.worlds.validation import check_fields, require

Points = NDArray[np.float64]

STEP = 0.001  # millimetres: numbers are written to three decimals


@dataclass(frozen=True)
class GcodeSettings:
    """A sheet, a pen and a machine, in millimetres and millimetres a minute."""

    sheet: float = 100.0
    """Side of the square sheet."""
    margin: float = 0.0
    """Blank margin along each side of it."""
    left: float = 0.0
    """X of the sheet's left edge."""
    bottom: float = 0.0
    """Y of its lower edge; y goes up."""
    safe: float = 5.0
    """Height at which the pen travels."""
    contact: float = 0.0
    """Height at which the pen touches the paper."""
    depth: float = 0.5
    """How much lower it is at full pressure; 0 for a rigid pen."""
    feed: float = 1000.0
    """Speed while drawing."""
    travel: float = 3000.0
    """Speed while travelling, if the controller lets it be set."""
    tolerance: float = 0.05
    """Largest distance of a line from the stroke; 0 keeps every point."""

    def __post_init__(self) -> None:
        ranges = dict.fromkeys(("sheet", "feed", "travel"), (1, 100_000)) | {"depth": (0, 10_000)}
        ranges |= dict.fromkeys(("left", "bottom", "safe", "contact"), (-10_000, 10_000))
        check_fields(self, "gcode.", not_negative="margin tolerance", within=ranges)
        up, side = self.safe - self.contact, self.sheet - 2 * self.margin
        require(up >= STEP, f"gcode.safe is {self.safe!r}: must be above gcode.contact, which is {self.contact!r}")
        require(side >= 1, f"gcode.margin is {self.margin!r}: must leave 1 mm or more of a sheet of {self.sheet!r} mm")


def gcode(strokes: Sequence[Points], settings: GcodeSettings = GcodeSettings(), name: str = "") -> str:
    """The text of a G-code file of ``strokes``, ``float64[n, 3]`` each: (x, y, pressure) in [0, 1], y downwards.

    ``name`` goes into a comment. ``ValueError`` naming a stroke of another shape or range, or when there is nothing to
    draw.
    """
    lines = [_to_machine(stroke, i, settings) for i, stroke in enumerate(strokes)]
    lines = [simplify(line, settings.tolerance) for line in lines if np.ptp(line[:, :2], axis=0).max() >= STEP]
    require(len(lines) > 0, "there is nothing to draw: no stroke has a length, and a plotter would only move its pen")
    body, drawn, travelled = _moves(lines, settings)
    minutes = drawn / settings.feed + travelled / settings.travel
    words = normalize("NFKD", name).encode("ascii", "ignore").decode().split()
    title = "".join(filter(str.isprintable, " ".join(words)))
    header = [
        f"Limner: {title}" if title else "Limner",
        f"{_number(settings.sheet)} x {_number(settings.sheet)} mm, strokes: {len(lines)}",
        f"{drawn:.0f} mm drawn, {travelled:.0f} mm travelled, {minutes:.1f} minutes without starting and stopping",
    ]
    return "\n".join([*(f"; {line}" for line in header), *body]) + "\n"


def simplify(points: Points, tolerance: float) -> Points:
    """A subset of the points ``float64[n, d]``, ends included, whose polyline has all within ``tolerance``."""
    keep = np.zeros(len(points), np.bool_)
    keep[[0, -1]] = True
    segments = [(0, len(points) - 1)]
    while segments:
        first, last = segments.pop()
        if last - first < 2:
            continue
        chord = points[last] - points[first]
        inner = points[first + 1 : last] - points[first]
        fraction = np.clip(inner @ chord / max(float(chord @ chord), np.finfo(float).tiny), 0, 1)
        distance = np.linalg.norm(inner - fraction[:, None] * chord, axis=-1)
        if distance.max() > tolerance:
            middle = first + 1 + int(distance.argmax())
            keep[middle] = True
            segments += [(first, middle), (middle, last)]
    return points[keep]


def _to_machine(stroke: Points, number: int, settings: GcodeSettings) -> Points:
    """A stroke in the machine's coordinates, millimetres."""
    points = np.asarray(stroke, np.float64)
    ok = points.shape[1:] == (3,) and len(points) > 0
    require(ok, f"stroke {number} must be points [n, 3] of x, y and pressure, got shape {list(points.shape)}")
    wrong = points[~((points >= -1e-9) & (points <= 1 + 1e-9)).all(1)][:1].tolist()
    require(not wrong, f"stroke {number} leaves the sheet: x, y, pressure must be in [0, 1], got {wrong}")
    x, y, pressure = np.clip(points, 0, 1).T
    side = settings.sheet - 2 * settings.margin
    left, bottom = settings.left + settings.margin, settings.bottom + settings.margin
    return np.column_stack([left + x * side, bottom + (1 - y) * side, settings.contact - settings.depth * pressure])


def _moves(lines: list[Points], settings: GcodeSettings) -> tuple[list[str], float, float]:
    """The commands, and the lengths that the pen moves drawing and travelling."""
    travel = f" F{_number(settings.travel)}"
    up = f"G0 Z{_number(settings.safe)}{travel}"
    commands = ["G21", "G90", up]
    here = np.zeros(2)
    drawn = travelled = 0.0
    for line in lines:
        points = [(_number(x), _number(y), _number(z)) for x, y, z in line]
        commands.append(f"G0 X{points[0][0]} Y{points[0][1]}{travel}")
        commands.append(f"G1 Z{points[0][2]} F{_number(settings.feed)}")
        for last, (x, y, z) in pairwise(points):
            if (x, y, z) != last:
                commands.append(f"G1 X{x} Y{y}" + (f" Z{z}" if z != last[2] else ""))
        commands.append(up)
        drawn += float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum() + settings.safe - line[0, 2])
        travelled += float(np.linalg.norm(line[0, :2] - here) + settings.safe - line[-1, 2])
        here = line[-1, :2]
    travelled += float(np.linalg.norm(here))
    return [*commands, f"G0 X0 Y0{travel}", "M2"], drawn, travelled


def _number(value: float) -> str:
    """At most three decimals, and never an exponent, which controllers do not read."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
