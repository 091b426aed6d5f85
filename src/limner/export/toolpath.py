"""What pens draw: the strokes of a program as lines on a sheet of paper, in the order in which they are drawn.

Notable choices:
- Places are millimetres from the upper left corner of the sheet, y downwards, whatever the machine or the file.
- Polylines are simplified (Douglas and Peucker, 1973) in x, y and depth, so that pressure is kept within the tolerance
  too.
- A stroke that stays in one place is a dot: the pen goes down and up.
- The sheet has the shape of the program's frame. Strokes end at it, as the picture does: what is painted beyond it is
  not drawn, and a stroke may be several lines.
"""

from collections.abc import Sequence
from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np

from limner.export.clipping import clip
from limner.export.pens import PAPER, assign_pens, choose_pens
from limner.export.plotter import GcodeSettings
from limner.export.tour import nearest_tour
from limner.extras import require_extra
from limner.programs.frame import Frame
from limner.worlds.stroke import Points, Stroke
from limner.worlds.validation import require


class Pen(NamedTuple):
    """What one pen draws."""

    colour: str
    """#rrggbb or a name; empty when the colours of strokes do not count."""
    strokes: int
    lines: list[Points]
    """``float64[n, 3]`` each: x, y and depth in millimetres. The pen is lifted after each."""


class Toolpath(NamedTuple):
    """All that is drawn on a sheet."""

    width: float
    """Of the sheet, in millimetres."""
    height: float
    pens: list[Pen]
    """In the order in which they draw; each draws something."""
    left_out: int
    """Strokes that are left to the white paper."""


def toolpath(
    strokes: Sequence[Stroke],
    settings: GcodeSettings,
    frame: Frame | None = None,
    home: tuple[float, float] | None = None,
) -> Toolpath:
    """What pens draw of ``strokes``, places on the square around ``frame``; None: all of the square.

    The way goes from ``home``, a place on or beside the sheet, and back; None: from X0 Y0. ``ValueError`` names a
    stroke of another shape or range, or says that there is nothing to draw. ``ImportError`` without the extra ``pens``.
    """
    require_extra("pens", "a plotter's path")
    sheet = _Sheet(settings, frame or Frame(1, 1))
    visible = [(stroke, lines) for i, stroke in enumerate(strokes) if (lines := sheet.lines(stroke.points, i))]
    require(len(visible) > 0, "there is nothing to draw: the program paints no stroke")
    names, rows = _pens(visible, settings)
    home = home or (-settings.left, settings.bottom + sheet.height)
    pens = []
    for number, name in enumerate(names):
        own = [lines for (_, lines), row in zip(visible, rows, strict=True) if row == number]
        if own:
            lines = [simplify(line, settings.tolerance) for line in chain.from_iterable(own)]
            pens.append(Pen(name, len(own), _joined(_ordered(lines, settings, home), settings.join)))
    require(len(pens) > 0, "there is nothing to draw: white paper is nearer to all strokes than any of gcode.pens")
    return Toolpath(sheet.width, sheet.height, pens, rows.count(PAPER))


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


def length(line: Points) -> float:
    """Of a line on the paper, in millimetres."""
    return float(np.linalg.norm(np.diff(line[:, :2], axis=0), axis=1).sum())


class _Sheet:
    """A sheet of paper, and where on it the picture lies."""

    def __init__(self, settings: GcodeSettings, frame: Frame) -> None:
        self._settings = settings
        self._scale = settings.sheet - 2 * settings.margin
        shape = np.asarray([frame.width, frame.height]) / max(frame.width, frame.height)
        self._corner = (1 - shape) / 2
        self._low = np.full(2, settings.margin)
        self._high = settings.margin + shape * self._scale
        self.width, self.height = (self._high + settings.margin).tolist()

    def lines(self, stroke: Points, number: int) -> list[Points]:
        """What is seen of a stroke, in millimetres."""
        points = np.asarray(stroke, np.float64)
        ok = points.shape[1:] == (3,) and len(points) > 0
        require(ok, f"stroke {number} must be points [n, 3] of x, y and pressure, got shape {list(points.shape)}")
        wrong = points[~((points >= -1e-9) & (points <= 1 + 1e-9)).all(1)][:1].tolist()
        require(not wrong, f"stroke {number} leaves the sheet: x, y, pressure must be in [0, 1], got {wrong}")
        points = np.clip(points, 0, 1)
        mirrored = "xy".find(self._settings.mirror)
        if mirrored >= 0:
            points[:, mirrored] = 1 - points[:, mirrored]
        places = self._settings.margin + (points[:, :2] - self._corner) * self._scale
        depth = self._settings.depth if self._settings.pen == "z" else 0.0
        return clip(np.column_stack([places, depth * points[:, 2]]), self._low, self._high)


def _pens(visible: Sequence[tuple[Stroke, list[Points]]], settings: GcodeSettings) -> tuple[list[str], list[int]]:
    """The colours of the pens, and for each stroke the number of its pen or PAPER."""
    if settings.pens == 1:
        return [""], [0] * len(visible)
    colours = np.asarray([stroke.colour for stroke, _ in visible], np.float64)
    if isinstance(settings.pens, int):
        names = choose_pens(colours, np.asarray([sum(map(length, lines)) for _, lines in visible]), settings.pens)
    else:
        names = list(settings.pens)
    return names, (assign_pens(colours, names) if names else np.full(len(visible), PAPER)).tolist()


def _ordered(lines: list[Points], settings: GcodeSettings, home: tuple[float, float]) -> list[Points]:
    if settings.order == "program":
        return lines
    order = nearest_tour(np.asarray([line[[0, -1], :2] for line in lines]), np.asarray(home, np.float64))
    return [lines[k] if k >= 0 else lines[~k][::-1] for k in order]


def _joined(lines: list[Points], gap: float) -> list[Points]:
    """Lines of which each starts further than ``gap`` from the end of the one before it."""
    joined = [[lines[0]]]
    for before, line in pairwise(lines):
        if np.linalg.norm(line[0, :2] - before[-1, :2]) <= gap:
            joined[-1].append(line)
        else:
            joined.append([line])
    return [np.concatenate(parts) for parts in joined]
