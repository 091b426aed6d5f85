"""Data sets: square pictures in a fixed order, held in memory or decoded from files.

Files are decoded when their pictures are asked for. Decoded pictures are kept, at the size asked for, until ``CACHE``
bytes are full; later ones are decoded each time. For rows drawn uniformly every replacement policy has this hit rate.
"""

import zipfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from limner.actions import IntArray
from limner.data.archive import Archive, reading
from limner.data.decoding import read_picture, square
from limner.data.resize import Pictures, check_size, resize_square
from limner.worlds.validation import require

CACHE = 512 * 2**20  # bytes of decoded pictures that one FileDataset keeps at most
Split = Literal["train", "test"]
Splits = NDArray[np.str_]
"""The split of each picture: ``train``, ``test`` or ``validation``."""


class Dataset(ABC):
    """Square pictures in a fixed order."""

    def __init__(self, name: str, channels: int, labels: IntArray | None = None) -> None:
        self.name = name
        """The spec that ``load_dataset`` was given."""
        self.channels = channels
        """1, grey with dark strokes on white, or 3, RGB."""
        self.labels = labels
        """The class of each picture, ``int64[N]`` from 0, or None."""

    @abstractmethod
    def __len__(self) -> int:
        """Number of pictures."""

    @abstractmethod
    def pictures(self, size: int, rows: IntArray | slice | None = None) -> Pictures:
        """The pictures at ``rows`` (all by default), resized by ``resize_square``: ``uint8[n, size, size, channels]``.

        They come in the order of ``rows``, which may repeat. ``ValueError`` when ``size`` is not in 1 … 4096, or a
        picture cannot be read; ``IndexError`` when there is no such row.
        """

    def select(self, rows: IntArray) -> Self:
        """The pictures at ``rows`` as a data set, with their labels."""
        chosen = copy(self)
        chosen.labels = None if self.labels is None else self.labels[rows]
        return chosen

    def spread(self, count: int) -> Self:
        """``count`` pictures evenly spaced through the data set; ``ValueError`` when there are fewer."""
        require(1 <= count <= len(self), f"cannot take {count} pictures of {self.name!r}, which has {len(self)}")
        return self.select(np.arange(count) * len(self) // count)


class ArrayDataset(Dataset):
    """Pictures ``uint8[N, S, S]`` or ``uint8[N, S, S, C]``, held in memory as ``images``."""

    def __init__(self, name: str, images: Pictures, labels: IntArray | None = None) -> None:
        super().__init__(name, 1 if images.ndim == 3 else images.shape[3], labels)
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def pictures(self, size: int, rows: IntArray | slice | None = None) -> Pictures:
        """As ``Dataset.pictures``."""
        images = self.images if rows is None else self.images[rows]
        return resize_square(images, size).reshape(len(images), size, size, self.channels)

    def select(self, rows: IntArray) -> Self:
        """As ``Dataset.select``."""
        chosen = super().select(rows)
        chosen.images = self.images[rows]
        return chosen


def load_arrays(path: Path) -> ArrayDataset:
    """The array ``images`` uint8[N, H, W] or [N, H, W, 3] of an ``.npz`` file, padded with white to squares.

    ``ValueError`` naming the file when it is none, or holds something else; nothing in it is unpickled.
    """
    with reading(path, "name an intact .npz file"), path.open("rb") as file:
        require(zipfile.is_zipfile(file), "it is no zip")
        file.seek(0)
        with np.load(file, allow_pickle=False) as archive:
            names = ", ".join(archive) or "it has none"
            require("images" in archive, f"none of its arrays ({names}) is called 'images'")
            images = archive["images"]
        require(isinstance(images, np.ndarray), "it is no array")
    kind = f"{images.dtype}{list(images.shape)}"
    good = images.dtype == np.uint8 and images.shape[3:] in ((), (3,)) and images.ndim >= 3 and images.size > 0
    require(good, f"{path}: images are {kind}, must be uint8[N, H, W] or [N, H, W, 3], none empty")
    height, width = images.shape[1:3]
    top, left = max(0, width - height), max(0, height - width)
    padding = ((0, 0), (top // 2, top - top // 2), (left // 2, left - left // 2), (0, 0))[: images.ndim]
    return ArrayDataset(path.name, np.pad(images, padding, constant_values=255))


class FileDataset(Dataset):
    """Pictures in a folder or zip: the ``files`` of ``archive``, cropped to centred squares."""

    def __init__(
        self,
        name: str,
        archive: Archive,
        files: Sequence[str],
        channels: int,
        labels: IntArray | None = None,
        crop: int | None = None,
    ) -> None:
        """``crop`` is the largest side of the square in pixels; None for no limit."""
        super().__init__(name, channels, labels)
        self.archive, self.files, self.crop = archive, tuple(files), crop
        self._cache: dict[tuple[int, int], Pictures] = {}

    def __len__(self) -> int:
        return len(self.files)

    def pictures(self, size: int, rows: IntArray | slice | None = None) -> Pictures:
        """As ``Dataset.pictures``."""
        check_size(size)
        chosen = np.arange(len(self))[slice(None) if rows is None else rows].tolist()
        out = np.empty((len(chosen), size, size, self.channels), np.uint8)
        for picture, row in zip(out, chosen, strict=True):
            picture[:] = self._picture(size, row)
        return out

    def select(self, rows: IntArray) -> Self:
        """As ``Dataset.select``; nothing is decoded."""
        chosen = super().select(rows)
        chosen.files = tuple(self.files[row] for row in np.arange(len(self))[rows].tolist())
        chosen._cache = {}
        return chosen

    def _picture(self, size: int, row: int) -> Pictures:
        if (size, row) in self._cache:
            return self._cache[size, row]
        remedy = f"'limner data check {self.name}' names every such file"
        image = read_picture(self.archive, self.files[row], remedy)
        picture: Pictures = resize_square(square(image, self.channels, self.crop)[None], size)[0]
        if self._cache and next(iter(self._cache))[0] != size:
            self._cache = {}
        if (len(self._cache) + 1) * picture.nbytes <= CACHE:
            self._cache[size, row] = picture
        return picture
