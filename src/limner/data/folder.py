"""Folders and zips of pictures: any, the portraits ``faces``, and CelebA (Liu et al., ICCV 2015).

Notable choices:
- Every tenth picture by sorted name is test: the 10th, the 20th, …
- A folder is colour if one of ``SAMPLE`` pictures, evenly spaced through both splits, has a pixel of colour.
- ``faces`` is ``congress_faces_64.zip``, 1,037 portraits aligned like the centre of CelebA's, 64 × 64 RGB.
- The licence of CelebA forbids passing it on, so nothing is fetched: put ``img_align_celeba`` (a folder of ``*.jpg``,
  or its zip) into ``celeba/`` in the data folder, and the official ``list_eval_partition.txt`` beside it. In that list,
  0 is train, 1 validation (in neither split) and 2 test. Pictures are cropped to their centred 178 × 178 pixels.
"""

from pathlib import Path, PurePosixPath

import numpy as np

from limner.data.archive import Archive, reading
from limner.data.dataset import FileDataset, Splits
from limner.data.decoding import has_colour, read_picture
from limner.data.root import find_place
from limner.files import expand_home
from limner.worlds.validation import require

SAMPLE = 32
CROP = 178
PARTITION = {"0": "train", "1": "validation", "2": "test"}


def open_folder(spec: str, place: str) -> tuple[FileDataset, Splits]:
    """The pictures in the folder or zip ``place``, and the split of each; ``ValueError`` when there are none."""
    path = expand_home(place)
    require(path.exists(), f"there is no {path}: name a folder or zip of pictures")
    archive = Archive(path)
    channels = 3 if _any_colour(archive) else 1
    return FileDataset(spec, archive, archive.names, channels), every_tenth(len(archive.names))


def open_faces(root: str | Path | None) -> tuple[FileDataset, Splits]:
    """The faces in the data folder, and the split of each; ``ValueError`` when they are missing."""
    archive = Archive(find_place("faces", ("congress_faces/congress_faces_64.zip",), "put the zip there", root))
    return FileDataset("faces", archive, archive.names, channels=3), every_tenth(len(archive.names))


def open_celeba(root: str | Path | None) -> tuple[FileDataset, Splits]:
    """The data set and the split of each picture; ``ValueError`` when it is missing or the list does not fit it."""
    remedy = "put your own copy there, it may not be passed on"
    path = find_place("celeba", ("celeba/img_align_celeba", "celeba/img_align_celeba.zip"), remedy, root)
    archive = Archive(path)
    data = FileDataset("celeba", archive, archive.names, channels=3, crop=CROP)
    partition = path.parent / "list_eval_partition.txt"
    if not partition.exists():
        return data, every_tenth(len(data))
    splits = _read_partition(partition)
    files = [PurePosixPath(file).name for file in archive.names]
    if missing := [file for file in files if file not in splits]:
        raise ValueError(f"{partition} does not list {missing[0]}: get the list of these pictures, or remove it")
    return data, np.array([splits[file] for file in files])


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


def _read_partition(path: Path) -> dict[str, str]:
    """The split of each file by name, from lines like ``000001.jpg 0``."""
    with reading(path, "get the official list again, or remove it"):
        lines = path.read_text("utf-8").splitlines()
    splits = {}
    for number, line in enumerate(lines, 1):
        if words := line.split():
            ok = len(words) == 2 and words[1] in PARTITION
            require(ok, f"{path}, line {number}: must be a file and 0, 1 or 2, got {line[:80]!r}")
            splits[words[0]] = PARTITION[words[1]]
    return splits
