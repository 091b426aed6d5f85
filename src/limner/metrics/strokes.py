"""Metrics of strokes: how similar two drawings of the same thing are in strokes, order and direction.

Notable choices:
- Strokes are first resampled to points at even distances along them: neither the speed of a pen nor the parameter of a
  curve counts.
- Strokes are matched one to one with the least sum of Chamfer distances (Hungarian method). Strokes that are left over
  in one drawing count only in the numbers of strokes, beside which all other figures have to be read.
- Direction is taken from tangents, not from ends: the tangents at every point of one stroke and the nearest point of
  the other are compared. So it is defined for closed strokes, wherever they begin, and for parts of strokes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]
from scipy.stats import kendalltau  # type: ignore[import-untyped]

from limner.data.human_strokes import Points

POINTS = 48
"""Points that a stroke is resampled to."""

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """Figures of one drawing against another."""

    strokes: int
    """Of the drawing."""
    expected: int
    """Strokes of the other one."""
    chamfer: float
    """Mean symmetric Chamfer distance of matched strokes, in sides of the canvas; NaN if there is none."""
    order: float
    """Kendall's τ between the orders of matched strokes, in −1 … 1; NaN with fewer than two."""
    direction: float
    """Share of the matched strokes with the same direction, in [0, 1], without dots; NaN if there is none."""


def compare(drawn: Sequence[Points], other: Sequence[Points]) -> Comparison:
    """Compare the strokes of two drawings, each ``float64[n, 2]`` with n ≥ 1, in the order in which they were made."""
    if not drawn or not other:
        return Comparison(len(drawn), len(other), np.nan, np.nan, np.nan)
    a, b = (np.stack([resample(stroke) for stroke in strokes]) for strokes in (drawn, other))
    distances = chamfer(a, b)
    rows, columns = linear_sum_assignment(distances)
    ways = [same_way(a[i], b[j]) for i, j in zip(rows, columns, strict=True)]
    known = [way > 0 for way in ways if way != 0]
    return Comparison(
        len(drawn),
        len(other),
        chamfer=float(distances[rows, columns].mean()),
        order=float(kendalltau(rows, columns).statistic) if len(rows) > 1 else np.nan,
        direction=float(np.mean(known)) if known else np.nan,
    )


def resample(stroke: Points) -> Points:
    """``POINTS`` points at even distances along a stroke ``float64[n, 2]``, its ends included."""
    along = np.concatenate([[0], np.linalg.norm(np.diff(stroke, axis=0), axis=1).cumsum()])
    places = np.linspace(0, along[-1], POINTS)
    return np.stack([np.interp(places, along, values) for values in stroke.T], -1)


def chamfer(a: Doubles, b: Doubles) -> Doubles:
    """Symmetric Chamfer distances ``float64[A, B]`` of strokes ``float64[A, n, 2]`` and ``float64[B, n, 2]``.

    The mean distance of the points of each stroke from the other, as a polyline, averaged over both.
    """
    return np.asarray((_distances(a, b).mean(2) + _distances(b, a).mean(2).T) / 2)


def same_way(a: Points, b: Points) -> float:
    """Mean cosine between the tangents of strokes ``float64[n, 2]`` at nearest points, each way, in −1 … 1.

    Positive for the same direction, negative for opposite ones, 0 when one of them is a dot.
    """
    apart = np.linalg.norm(a[:, None] - b[None], axis=-1)
    cosines = _tangents(a) @ _tangents(b).T
    there = np.take_along_axis(cosines, apart.argmin(1)[:, None], 1)
    back = np.take_along_axis(cosines, apart.argmin(0)[None], 0)
    return float((there.mean() + back.mean()) / 2)


def aligned(strokes: Sequence[Points], onto: Sequence[Points]) -> list[Points]:
    """``strokes`` moved and scaled, equally in x and y, to the middle and diagonal of the bounding box of ``onto``.

    Drawings by two people, which differ in place and size, can then be matched by place.
    """
    low, high = _box(strokes)
    other_low, other_high = _box(onto)
    size, wanted = np.linalg.norm(high - low), np.linalg.norm(other_high - other_low)
    scale = wanted / size if size > 0 else 1.0
    return [(stroke - (low + high) / 2) * scale + (other_low + other_high) / 2 for stroke in strokes]


def _distances(points: Doubles, strokes: Doubles) -> Doubles:
    """Distances ``float64[A, B, n]`` of ``points`` float64[A, n, 2] from polylines ``strokes`` float64[B, m, 2]."""
    starts, steps = strokes[None, :, None, :-1], np.diff(strokes, axis=1)[None, :, None]
    offsets = points[:, None, :, None] - starts
    along = (offsets * steps).sum(-1) / np.maximum((steps * steps).sum(-1), 1e-24)
    apart = np.linalg.norm(offsets - np.clip(along, 0, 1)[..., None] * steps, axis=-1)
    return np.asarray(apart.min(3))


def _tangents(stroke: Points) -> Points:
    """Unit tangents at the points of a stroke; 0 where points coincide."""
    steps = np.gradient(stroke, axis=0)
    lengths = np.linalg.norm(steps, axis=1, keepdims=True)
    return np.where(lengths > 1e-12, steps / np.maximum(lengths, 1e-12), 0.0)


def _box(strokes: Sequence[Points]) -> tuple[Doubles, Doubles]:
    points = np.concatenate(list(strokes))
    return points.min(0), points.max(0)
