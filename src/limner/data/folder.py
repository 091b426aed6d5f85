"""Any folder or zip of pictures, and ``faces``, which is one.

Notable choices:
- Every tenth picture by sorted name is test: the 10th, the 20th, …
- A folder is colour if one of ``SAMPLE`` pictures, evenly spaced through both splits, has a pixel of colour.
- ``faces`` is ``congress_faces_64.zip``, 1,037 portraits aligned like the centre of CelebA's, 64 × 64 RGB.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from limner.data.archive import Archive
from limner.data.dataset import FileDataset, Splits
from limner.data.decoding import has_colour, read_picture
from limner.data.root import find_place

SAMPLE = 32


def open_folder(spec: str, place: str) -> tuple[FileDataset, Splits]:
    """The pictures in the folder or zip ``place``, and the split of each; ``ValueError`` when there are none."""
    path = Path(place).expanduser()
    if not path.exists():
        raise ValueError(f"there is no {path}: name a folder or zip of pictures")
    archive = Archive(path)
    channels = 3 if _any_colour(archive) else 1
    return FileDataset(spec, archive, archive.names, channels), every_tenth(len(archive.names))


def open_faces(root: str | Path | None) -> tuple[FileDataset, Splits]:
    """The faces in the data folder, and the split of each; ``ValueError`` when they are missing."""
    archive = Archive(find_place("faces", ("congress_faces/congress_faces_64.zip",), "put the zip there", root))
    return FileDataset("faces", archive, archive.names, channels=3), every_tenth(len(archive.names))


def every_tenth(count: int) -> Splits:
    """``test`` at the positions 9, 19, …, else ``train``: ``str[count]``."""
    return np.where(np.arange(count) % 10 == 9, "test", "train")


def _any_colour(archive: Archive) -> bool:
    for i in np.unique(np.arange(SAMPLE) * len(archive.names) // SAMPLE).tolist():
        try:
            if has_colour(read_picture(archive, archive.names[i])):
                return True
        except ValueError:  # reported when this picture is asked for
            continue
    return False
