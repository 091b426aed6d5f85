"""Scene metrics: how well programs place the objects of a scene.

The objects of two scenes are matched by the Hungarian method (Kuhn 1955). The cost of a pair is their distance in cells
plus one for each other part that differs, so that objects are matched by place. Hidden objects count too, so no program
can be expected to get all of them right.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

from limner.actions import COLOURS, ActionSpace, IntArray
from limner.worlds.scenes.settings import objects


@dataclass(frozen=True)
class SceneMetrics:
    """Means over scenes, or over matched pairs of objects."""

    scenes: int
    count_right: float
    """Share of scenes with the right number of objects."""
    count_error: float
    """Mean absolute difference of the numbers of objects."""
    type_right: float
    """Share of pairs, as all of the following except ``cells_apart``."""
    size_right: float
    colour_right: float
    """All three channels."""
    location_right: float
    cells_apart: float
    """Mean distance of a pair, in cells of the platform."""


def compare_scenes(space: ActionSpace, found: Sequence[IntArray], true: Sequence[IntArray]) -> SceneMetrics:
    """Compare canonical programs ``int64[T, P]``; means over pairs are NaN where there are none."""
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
    """For each pair: whether type, size, colour and location are right, and its distance in cells."""
    colours = [space.index(name) for name in COLOURS]
    same = ours[:, None] == theirs
    right = [same[..., space.index("type")], same[..., space.index("size")], same[..., colours].all(2)]
    places, wanted = (space.cells(either, "location") for either in (ours, theirs))
    apart = np.linalg.norm(places[:, None] - wanted, axis=2)
    rows, columns = linear_sum_assignment(apart + sum(1 - kind for kind in right))
    return np.asarray(np.stack([*right, apart == 0, apart], axis=2)[rows, columns])
