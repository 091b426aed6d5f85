"""CelebA: aligned faces of celebrities, read from your own copy (Liu et al., ICCV 2015).

Notable choices:
- The licence forbids passing CelebA on, so nothing is fetched: put ``img_align_celeba`` (a folder of ``*.jpg``, or its
  zip) into ``celeba/`` in the data folder, and the official ``list_eval_partition.txt`` beside it.
- In that list, 0 is train, 1 validation (in neither split) and 2 test. Without it, every tenth picture by sorted name
  is test.
- Pictures are cropped to their centred 178 × 178 pixels, or to the largest centred square when they are smaller.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np

from limner.data.archive import Archive
from limner.data.dataset import FileDataset, Splits
from limner.data.folder import every_tenth
from limner.data.root import find_place

CROP = 178
PARTITION = {"0": "train", "1": "validation", "2": "test"}


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


def _read_partition(path: Path) -> dict[str, str]:
    """The split of each file by name, from lines like ``000001.jpg 0``."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}; check that it may be read") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text: get the official list again, or remove it") from error
    splits = {}
    for number, line in enumerate(lines, 1):
        words = line.split()
        if words and (len(words) != 2 or words[1] not in PARTITION):
            raise ValueError(f"{path}, line {number}: must be a file and 0, 1 or 2, got {line[:80]!r}")
        if words:
            splits[words[0]] = PARTITION[words[1]]
    return splits
