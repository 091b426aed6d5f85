"""A data set that lies in files.

Notable choices:
- Nothing is decoded before ``pictures`` asks for it, and then only the rows that it asks for.
- Pictures are kept at the size asked for, as ``uint8``, until ``CACHE`` bytes are full; what comes later is decoded
  anew each time. For rows drawn at random that hits as often as any order of replacement, and costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from limner.actions import IntArray
from limner.data.archive import Archive
from limner.data.dataset import Dataset, Groups, take
from limner.data.decoding import read_picture, square
from limner.data.resize import Pictures, check_size, resize_square

CACHE = 512 * 2**20
"""Bytes of decoded pictures that one data set keeps at most."""

Parts = NDArray[np.str_]
"""The split that each picture belongs to: ``train``, ``test`` or ``validation``."""


class FileDataset(Dataset):
    """Pictures in a folder or zip: the files ``files`` of ``archive``, cut to centred squares."""

    def __init__(
        self,
        name: str,
        archive: Archive,
        files: Sequence[str],
        channels: int,
        labels: IntArray | None = None,
        groups: Groups | None = None,
        crop: int | None = None,
    ) -> None:
        """``crop`` is the largest number of pixels a side that is cut out of a picture; None for all there are."""
        super().__init__(name, channels, labels, groups)
        self.archive = archive
        self.files = tuple(files)
        self.crop = crop
        self._kept: dict[tuple[int, int], Pictures] = {}

    def __len__(self) -> int:
        return len(self.files)

    def pictures(self, size: int, rows: IntArray | slice | None = None) -> Pictures:
        """As ``Dataset.pictures``; a picture that cannot be read is named."""
        check_size(size)
        chosen = np.arange(len(self)) if rows is None else np.arange(len(self))[rows]
        out = np.empty((len(chosen), size, size, self.channels), np.uint8)
        for place, row in zip(out, chosen.tolist(), strict=True):
            place[:] = self._picture(size, row)
        return out

    def select(self, rows: IntArray) -> FileDataset:
        """As ``Dataset.select``; nothing is decoded."""
        files = [self.files[row] for row in np.arange(len(self))[rows].tolist()]
        labels, groups = take(self.labels, rows), take(self.groups, rows)
        return FileDataset(self.name, self.archive, files, self.channels, labels, groups, self.crop)

    def _picture(self, size: int, row: int) -> Pictures:
        kept = self._kept.get((size, row))
        if kept is not None:
            return kept
        try:
            image = read_picture(self.archive, self.files[row])
        except ValueError as error:
            raise ValueError(f"{error}; 'limner data check {self.name}' names every such file") from error
        picture: Pictures = resize_square(square(image, self.channels, self.crop)[None], size)[0]
        if self._kept and next(iter(self._kept))[0] != size:
            self._kept = {}
        if (len(self._kept) + 1) * picture.nbytes <= CACHE:
            self._kept[size, row] = picture
        return picture
