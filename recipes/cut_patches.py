"""Cut square patches of many sizes out of photographs: pictures for an agent that paints photographs patch by patch.

    python recipes/cut_patches.py PHOTOS PATCHES --count 8000

The same seed cuts the same patches: ``PATCHES/00000.png`` …, RGB. Each photograph gives equally many; the sides are
log-uniform between 48 pixels and the shorter side of the photograph.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro
from PIL import Image

LEAST = 48
"""Pixels along the side of the smallest patch."""


@dataclass(frozen=True)
class Patches:
    """Where photographs are, and where patches go."""

    photos: tyro.conf.Positional[Path]
    """Folder of photographs, all of which are read."""
    out: tyro.conf.Positional[Path]
    """Folder to write into, which must not exist."""
    count: int = 8000
    size: int = 64
    """Pixels along each side, after resizing."""
    seed: int = 0


def main() -> None:
    """Cut and write."""
    asked = tyro.cli(Patches, description=__doc__)
    photos = [Image.open(path).convert("RGB") for path in sorted(asked.photos.iterdir())]
    asked.out.mkdir(parents=True)
    rng = np.random.default_rng(asked.seed)
    for number in range(asked.count):
        photo = photos[number % len(photos)]
        side = int(LEAST * (min(photo.size) / LEAST) ** rng.random())
        left, top = rng.integers(0, photo.width - side + 1), rng.integers(0, photo.height - side + 1)
        how = Image.Resampling.BOX if side > asked.size else Image.Resampling.BICUBIC
        patch = photo.crop((left, top, left + side, top + side)).resize((asked.size, asked.size), how)
        patch.save(asked.out / f"{number:05d}.png")


if __name__ == "__main__":
    main()
