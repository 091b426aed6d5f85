"""Scene metrics: does a program place the objects of the picture, and not only ones that look alike?

Notable choices:
- The objects of two scenes are matched by the Hungarian method (Kuhn 1955). A pair costs as many cells as lie between
  them and one for each other part that differs, so that objects are matched by where they are.
- Objects that cannot be seen count too: no program can be expected to get all of them right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

from limner.actions import COLOURS, ActionSpace, IntArray
from limner.worlds.scenes.objects import objects


@dataclass(frozen=True)
class SceneMetrics:
    """How well programs get the objects of scenes; means over scenes, or over matched pairs of objects."""

    scenes: int
    count_right: float
    """Share of scenes with the right number of objects."""
    count_error: float
    """Objects too many or too few in a scene."""
    type_right: float
    """Share of pairs; so are the following but for ``cells_apart``."""
    size_right: float
    colour_right: float
    """All three channels."""
    location_right: float
    cells_apart: float
    """Distance of a pair, in cells of the platform."""


def compare_scenes(space: ActionSpace, found: Sequence[IntArray], true: Sequence[IntArray]) -> SceneMetrics:
    """Compare canonical programs ``int64[T, P]``; means are NaN where there is nothing to match."""
    counts, pairs = [], [np.zeros((0, 5))]
    for ours, theirs in zip(found, true, strict=True):
        ours, theirs = objects(space, ours), objects(space, theirs)
        counts.append(len(ours) - len(theirs))
        pairs.append(_match(space, ours, theirs))
    missed = np.abs(counts)
    matched = np.concatenate(pairs)
    means = matched.mean(0) if len(matched) else np.full(5, np.nan)
    return SceneMetrics(len(counts), float((missed == 0).mean()), float(missed.mean()), *map(float, means))


def _match(space: ActionSpace, ours: IntArray, theirs: IntArray) -> NDArray[np.float64]:
    """For each pair whether type, size, colour and location are right, and how many cells it is apart."""
    colours = [space.index(name) for name in COLOURS]
    same = ours[:, None] == theirs
    right = [same[..., space.index("type")], same[..., space.index("size")], same[..., colours].all(2)]
    places, wanted = (space.cells(either, "location") for either in (ours, theirs))
    apart = np.linalg.norm(places[:, None] - wanted, axis=2)
    rows, columns = linear_sum_assignment(apart + sum(1 - kind for kind in right))
    table: NDArray[np.float64] = np.stack([*right, apart == 0, apart], axis=2)[rows, columns]
    return table
