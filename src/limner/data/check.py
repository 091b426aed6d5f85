"""Opening every picture of a data set, to find all that are broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import NamedTuple

from limner.data import NAMES, ArrayDataset, load_dataset, open_files
from limner.data.decoding import has_colour, read_picture
from limner.data.generated import generated_names


class Size(NamedTuple):
    """Of a picture, in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width} × {self.height}"


@dataclass(frozen=True)
class Findings:
    """What is in a data set, both splits together."""

    spec: str
    sizes: tuple[Size, ...]
    """Of every picture that can be read."""
    coloured: int
    """How many of them have a pixel of colour."""
    broken: tuple[str, ...]
    """For every other picture, which one it is and why."""

    def __str__(self) -> str:
        """All in one line, for people."""
        count, grey = len(self.sizes) + len(self.broken), len(self.sizes) - self.coloured
        words = [f"{self.spec}: {count} pictures"]
        if self.sizes:
            small, large = min(self.sizes, key=prod), max(self.sizes, key=prod)
            words.append(str(small) if small == large else f"{small} to {large}")
        words += [f"{number} {word}" for number, word in ((grey, "grey"), (self.coloured, "in colour")) if number]
        return ", ".join([*words, f"{len(self.broken)} broken"])


def check_dataset(
    spec: str, root: str | Path | None = None, report: Callable[[int, int], None] | None = None
) -> Findings:
    """Open every picture of a data set, or of the folder or zip that ``spec`` is the path of.

    ``report`` is told how many pictures have been looked at, of how many. ``ValueError`` as ``load_dataset``, a
    broken picture excepted; for MNIST and scenes, whose files have checksums, and for what programs paint that is all
    that can be wrong.
    """
    if spec in ("mnist-5k", "mnist", *generated_names()) or spec.startswith("programs:"):
        sets = [load_dataset(spec, split, root) for split in ("train", "test")]
        sizes = [
            Size(*data.images.shape[2:0:-1]) for data in sets if isinstance(data, ArrayDataset) for _ in data.images
        ]
        return Findings(spec, tuple(sizes), len(sizes) if sets[0].channels == 3 else 0, ())
    if spec and spec not in NAMES and Path(spec).exists():
        spec = f"folder:{spec}"
    data, _ = open_files(spec, root)
    found, broken, coloured = [], [], 0
    for done, file in enumerate(data.files, 1):
        try:
            image = read_picture(data.archive, file)
            found.append(Size(*image.size))
            coloured += has_colour(image)
        except ValueError as error:
            broken.append(str(error))
        if report is not None:
            report(done, len(data))
    return Findings(spec, tuple(found), coloured, tuple(broken))
