"""How many random scenes hold an object that is hidden, wholly or nearly.

    python experiments/hidden_objects.py

For each number of objects the share of scenes with an object without which the picture would be the same, or would
change in fewer than ``VISIBLE`` pixels: such scenes are drawn again where data is made (``worlds.scenes.examples``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tyro

from limner.worlds.scenes.examples import VISIBLE, changed_pixels, scatter, show
from limner.worlds.scenes.renderer import Scenes


@dataclass(frozen=True)
class Hidden:
    """How many scenes."""

    objects: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8)
    scenes: int = 1000
    """Of each number of objects."""
    seed: int = 0
    threads: int = 2


def main(given: Hidden) -> None:
    """Print the table."""
    renderer = Scenes(batch=given.scenes, threads=given.threads)
    print(f"| objects | no pixel | fewer than {VISIBLE} |")
    print("|---|---|---|")
    for count in given.objects:
        programs = scatter(np.random.default_rng([given.seed, count]), np.full(given.scenes, count), count)
        fewest = changed_pixels(renderer, programs, show(renderer, programs)).min(1)
        print(f"| {count} | {(fewest == 0).mean():.3f} | {(fewest < VISIBLE).mean():.3f} |", flush=True)


if __name__ == "__main__":
    main(tyro.cli(Hidden, description=__doc__))
