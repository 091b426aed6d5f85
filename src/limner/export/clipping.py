"""Lines cut at the edges of a rectangle."""

from itertools import pairwise

import numpy as np

from limner.worlds.stroke import Points


def clip(line: Points, low: Points, high: Points) -> list[Points]:
    """The parts of a polyline ``float64[n, d]`` that lie in a rectangle, edges included, in order; d ≥ 2.

    ``low`` and ``high``, ``float64[2]``, are the corners of the rectangle. Where a segment crosses an edge (Liang and
    Barsky, 1984) a part ends, and its other coordinates are interpolated. A line that is wholly inside is given back.
    """
    if ((line[:, :2] >= low) & (line[:, :2] <= high)).all():
        return [line]
    parts: list[list[Points]] = [[]]
    for first, last in pairwise(line):
        start, end = _visible(first[:2], last[:2], low, high)
        if start >= end:
            parts.append([])
            continue
        if start > 0 or not parts[-1]:
            parts.append([first + start * (last - first)])
        parts[-1].append(last if end == 1 else first + end * (last - first))
        if end < 1:
            parts.append([])
    return [np.asarray(part) for part in parts if part]


def _visible(first: Points, last: Points, low: Points, high: Points) -> tuple[float, float]:
    """Where the segment enters and leaves the rectangle, as shares of it; the first is the larger where it does not."""
    step = last - first
    with np.errstate(divide="ignore", invalid="ignore"):
        crossings = np.sort([(low - first) / step, (high - first) / step], axis=0)
    within = (first >= low) & (first <= high)
    crossings = np.where(step != 0, crossings, np.where(within, [[0.0], [1.0]], [[2.0], [-1.0]]))
    return max(0.0, float(crossings[0].max())), min(1.0, float(crossings[1].min()))
