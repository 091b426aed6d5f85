"""The way of the pen over the sheet: strokes, and the ways through the air between them.

Notable choices:
- A way is a smooth curve in metres (a cubic spline along its length) that the pen follows from rest to rest. Strokes
  are cut at their corners, so a corner is drawn exactly, by stopping in it.
- The harder a stroke presses, the deeper the tip of the pen's holder is led below the paper: the nib's spring gives.
- Between strokes the pen rises straight up, crosses, and comes straight down: it moves sideways only when clear of the
  paper.
- All strokes are drawn in the colour of the pen; sizes and colours of the program do not count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.interpolate import CubicSpline  # type: ignore[import-untyped]

from limner.robot.arm import MILLIMETRE, Floats, Sheet

SHALLOW, DEEP = 0.3 * MILLIMETRE, 1.0 * MILLIMETRE
"""How far below the paper the tip is led without pressure and with all of it."""
LIFT = 8 * MILLIMETRE
"""Height of the pen between strokes."""
REST = 60 * MILLIMETRE
"""Height at which the arm waits, above the upper edge of the sheet."""
SPACING = 0.02 * MILLIMETRE
"""Points nearer to each other than this are one."""
CORNER = np.radians(25)
"""A turn from one point to the next that is sharper than this is a corner."""


@dataclass(frozen=True)
class Way:
    """From rest to rest: ``curve(s)`` is a place in metres for ``s`` from 0 to ``length``."""

    curve: CubicSpline
    length: float
    drawing: bool
    """Whether it is a part of a stroke, not a way between strokes."""


def rest(sheet: Sheet) -> Floats:
    """Where the tip of the pen waits."""
    return sheet.world(np.asarray([0.5, 0.0, -REST]))


def depth(pressure: Floats) -> Floats:
    """Metres below the paper for pressures in [0, 1]."""
    return SHALLOW + (DEEP - SHALLOW) * pressure


def ways(strokes: Sequence[Floats], sheet: Sheet) -> Iterator[Way]:
    """All that the pen does, from rest and back; strokes are ``float64[n, 3]``: (x, y, pressure) as shares."""
    place = rest(sheet)
    for stroke in strokes:
        points = sheet.world(np.column_stack([stroke[:, :2], depth(stroke[:, 2])]))
        yield _through(_over(place, points[0]), False)
        for piece in pieces(points):
            yield _through(piece, True)
        place = points[-1]
    yield _through(_over(place, rest(sheet)), False)


def pieces(points: Floats) -> list[Floats]:
    """A polyline ``float64[n, 3]`` cut at its corners, without points that repeat; none if it is a dot."""
    points = _apart(points)
    if len(points) < 2:
        return []
    steps = np.diff(points, axis=0)
    steps /= np.linalg.norm(steps, axis=1, keepdims=True)
    turns = np.arccos(np.clip((steps[1:] * steps[:-1]).sum(1), -1, 1))
    cuts = [0, *(np.flatnonzero(turns > CORNER) + 1), len(points) - 1]
    return [points[first : last + 1] for first, last in pairwise(cuts)]


def _over(start: Floats, end: Floats) -> Floats:
    """Points of a way through the air: up, across, down."""
    share = np.linspace(0, 1, 65)[:, None]
    top = max(start[2], end[2], LIFT)
    rise, across, fall = (_smooth((share - a) / (b - a)) for a, b in ((0, 0.4), (0.15, 0.85), (0.6, 1)))
    points = start + across * (end - start)
    points[:, 2:] = start[2] + rise * (top - start[2]) - fall * (top - end[2])
    return _apart(points)


def _apart(points: Floats) -> Floats:
    """The polyline without points too near to the one before; the last one stays."""
    kept = [0]
    for i in range(1, len(points)):
        if np.linalg.norm(points[i] - points[kept[-1]]) >= SPACING:
            kept.append(i)
    if len(kept) > 1:
        kept[-1] = len(points) - 1
    return points[kept]


def _through(points: Floats, drawing: bool) -> Way:
    lengths = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    if len(points) == 2:  # a spline needs a third
        points, lengths = np.insert(points, 1, points.mean(0), 0), np.insert(lengths, 1, lengths[-1] / 2)
    return Way(CubicSpline(lengths, points), float(lengths[-1]), drawing)


def _smooth(share: Floats) -> Floats:
    """From 0 to 1 with no velocity and no acceleration at either end."""
    share = np.clip(share, 0, 1)
    return share**3 * (10 - 15 * share + 6 * share**2)
