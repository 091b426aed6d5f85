"""The path of the pen: strokes, and the segments through the air between them.

Notable choices:
- A segment is a cubic spline over its length, which the pen follows from rest to rest. Strokes are cut at their
  corners, so the pen stops there and a corner is drawn exactly.
- Pressure becomes depth of the tip of the pen's holder below the paper. Radii and colours are lost.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.interpolate import CubicSpline  # type: ignore[import-untyped]

from limner.robot.arm import MILLIMETRE, Floats, Sheet

SHALLOW, DEEP = 0.3 * MILLIMETRE, 1.0 * MILLIMETRE  # depth of the tip below the paper at pressures 0 and 1
LIFT = 8 * MILLIMETRE  # height of the pen between strokes
REST = 60 * MILLIMETRE  # height of the pen before and after drawing, above the upper edge of the sheet
SPACING = 0.02 * MILLIMETRE  # smallest distance between points; nearer ones are dropped
CORNER = np.radians(25)  # smallest turn at a point that is a corner


@dataclass(frozen=True)
class Way:
    """A segment from rest to rest: ``curve(s)`` is a position in metres for ``s`` in 0 … ``length``."""

    curve: CubicSpline
    length: float
    drawing: bool
    """Whether it is on the paper."""


def rest(sheet: Sheet) -> Floats:
    """Position of the tip before and after drawing."""
    return sheet.world(np.asarray([0.5, 0.0, -REST]))


def ways(strokes: Sequence[Floats], sheet: Sheet) -> Iterator[Way]:
    """The segments of ``strokes``, ``float64[n, 3]`` of (x, y, pressure) in [0, 1], from ``rest`` and back to it."""
    here = rest(sheet)
    for stroke in strokes:
        x, y, pressure = stroke.T
        points = sheet.world(np.column_stack([x, y, SHALLOW + (DEEP - SHALLOW) * pressure]))
        yield _spline(_transit(here, points[0]), False)
        for piece in pieces(points):
            yield _spline(piece, True)
        here = points[-1]
    yield _spline(_transit(here, rest(sheet)), False)


def pieces(points: Floats) -> list[Floats]:
    """A polyline ``float64[n, 3]`` cut at its corners, without repeated points; none if it is a dot."""
    points = _drop_repeats(points)
    if len(points) < 2:
        return []
    steps = np.diff(points, axis=0)
    steps /= np.linalg.norm(steps, axis=1, keepdims=True)
    turns = np.arccos(np.clip((steps[1:] * steps[:-1]).sum(1), -1, 1))
    cuts = [0, *(np.flatnonzero(turns > CORNER) + 1), len(points) - 1]
    return [points[first : last + 1] for first, last in pairwise(cuts)]


def _transit(start: Floats, end: Floats) -> Floats:
    """Points of a segment through the air: up, across, down."""
    time = np.linspace(0, 1, 65)[:, None]
    top = max(start[2], end[2], LIFT)
    rise, across, fall = (_smoothstep((time - a) / (b - a)) for a, b in ((0, 0.4), (0.15, 0.85), (0.6, 1)))
    points = start + across * (end - start)
    points[:, 2:] = start[2] + rise * (top - start[2]) - fall * (top - end[2])
    return _drop_repeats(points)


def _drop_repeats(points: Floats) -> Floats:
    """The polyline without points nearer than ``SPACING`` to the one before; the last one stays."""
    kept = [0]
    for i in range(1, len(points)):
        if np.linalg.norm(points[i] - points[kept[-1]]) >= SPACING:
            kept.append(i)
    if len(kept) > 1:
        kept[-1] = len(points) - 1
    return points[kept]


def _spline(points: Floats, drawing: bool) -> Way:
    lengths = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    if len(points) == 2:  # a cubic spline needs three
        points, lengths = np.insert(points, 1, points.mean(0), 0), np.insert(lengths, 1, lengths[-1] / 2)
    return Way(CubicSpline(lengths, points), float(lengths[-1]), drawing)


def _smoothstep(t: Floats) -> Floats:
    """The quintic from 0 to 1 with zero velocity and acceleration at both ends."""
    t = np.clip(t, 0, 1)
    return t**3 * (10 - 15 * t + 6 * t**2)
