"""Opening every picture of a data set, to find those that cannot be read."""

from dataclasses import dataclass
from math import prod
from pathlib import Path

from limner.data import NAMES, ArrayDataset, load_dataset, open_files
from limner.data.decoding import has_colour, read_picture
from limner.data.generated import Report, generated_names


@dataclass(frozen=True)
class Findings:
    """What is in both splits of a data set; as text, one line."""

    spec: str
    sizes: tuple[tuple[int, int], ...]
    """Width and height of every picture that can be read, in pixels."""
    coloured: int
    """Number of those with a pixel of colour."""
    broken: tuple[str, ...]
    """An error message for every other picture."""

    def __str__(self) -> str:
        count, grey = len(self.sizes) + len(self.broken), len(self.sizes) - self.coloured
        words = [f"{self.spec}: {count} pictures"]
        if self.sizes:
            smallest, largest = min(self.sizes, key=prod), max(self.sizes, key=prod)
            words.append(" to ".join(f"{width} × {height}" for width, height in dict.fromkeys((smallest, largest))))
        words += [f"{number} {word}" for number, word in ((grey, "grey"), (self.coloured, "in colour")) if number]
        return ", ".join([*words, f"{len(self.broken)} broken"])


def check_dataset(spec: str, root: str | Path | None = None, report: Report = lambda done, total: None) -> Findings:
    """Open every picture of the data set ``spec``, or of the folder or zip of that path.

    ``report(done, total)`` counts pictures. ``ValueError`` as ``load_dataset``, except for a broken picture. Data sets
    that are held in memory have no broken pictures: loading checks them.
    """
    if spec in ("mnist-5k", "mnist", *generated_names()) or spec.startswith("programs:"):
        splits = [load_dataset(spec, split, root) for split in ("train", "test")]
        sizes = [image.shape[1::-1] for data in splits if isinstance(data, ArrayDataset) for image in data.images]
        return Findings(spec, tuple(sizes), len(sizes) if splits[0].channels == 3 else 0, ())
    if spec and spec not in NAMES and Path(spec).exists():
        spec = f"folder:{spec}"
    data, _ = open_files(spec, root)
    found, broken, coloured = [], [], 0
    for done, file in enumerate(data.files, 1):
        try:
            image = read_picture(data.archive, file)
            found.append(image.size)
            coloured += has_colour(image)
        except ValueError as error:
            broken.append(str(error))
        report(done, len(data))
    return Findings(spec, tuple(found), coloured, tuple(broken))
