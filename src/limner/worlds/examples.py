"""``Examples``: a data set that a world generates."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from limner.actions import IntArray
from limner.worlds.world import Canvas, Settings


@dataclass(frozen=True)
class Examples:
    """A data set that a world generates, with the programs behind its pictures."""

    settings: Settings
    """Of the renderer."""
    counts: Mapping[str, int]
    """Pictures of each split."""
    about: Mapping[str, Any]
    """Whatever decides the pictures besides a seed, as JSON values: files with other values are refused."""
    generate: Callable[[np.random.Generator, int, int], tuple[Canvas, IntArray]]
    """``generate(rng, count, threads)``: ``uint8[count, H, W, C]`` and canonical programs ``int64[count, T, P]``."""
