"""What a data set is, and the kind that lies in memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from limner.actions import IntArray
from limner.data.resize import Pictures, resize_square

Split = Literal["train", "test"]
Groups = NDArray[np.str_]
Value = TypeVar("Value", bound=np.generic)


class Dataset(ABC):
    """Square pictures in a fixed order."""

    name: str
    """The spec that ``load_dataset`` was given."""
    channels: int
    """1, grey with dark ink on white, or 3, RGB."""
    labels: IntArray | None
    """The class of each picture, ``int64[N]`` from 0, where there are any."""
    groups: Groups | None
    """What each picture is a part of, ``str[N]``, where there is such a thing: Omniglot's alphabets."""

    def __init__(self, name: str, channels: int, labels: IntArray | None, groups: Groups | None) -> None:
        self.name = name
        self.channels = channels
        self.labels = labels
        self.groups = groups

    @abstractmethod
    def __len__(self) -> int:
        """How many pictures there are."""

    @abstractmethod
    def pictures(self, size: int, rows: IntArray | slice | None = None) -> Pictures:
        """The pictures at ``rows`` (all by default), resized by ``resize_square``: ``uint8[n, size, size, channels]``.

        They come in the order of ``rows``, which may name a picture more than once. ``ValueError`` when ``size`` is
        not in 1 … 4096, or a picture cannot be read; ``IndexError`` when there is no such row.
        """

    @abstractmethod
    def select(self, rows: IntArray) -> Dataset:
        """The pictures at ``rows`` as a data set, labels and groups with them."""

    def spread(self, count: int) -> Dataset:
        """``count`` pictures at even distances through the whole set, the same ones every time."""
        if not 1 <= count <= len(self):
            raise ValueError(f"cannot take {count} pictures of {self.name!r}, which has {len(self)}")
        return self.select(np.arange(count) * len(self) // count)


class ArrayDataset(Dataset):
    """Pictures ``uint8[N, S, S]`` or ``uint8[N, S, S, C]``, held in memory as ``images``."""

    def __init__(
        self, name: str, images: Pictures, labels: IntArray | None = None, groups: Groups | None = None
    ) -> None:
        super().__init__(name, 1 if images.ndim == 3 else images.shape[3], labels, groups)
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def pictures(self, size: int, rows: IntArray | slice | None = None) -> Pictures:
        """As ``Dataset.pictures``."""
        images = self.images if rows is None else self.images[rows]
        return resize_square(images, size).reshape(len(images), size, size, self.channels)

    def select(self, rows: IntArray) -> ArrayDataset:
        """As ``Dataset.select``."""
        return ArrayDataset(self.name, self.images[rows], take(self.labels, rows), take(self.groups, rows))


def take(values: NDArray[Value] | None, rows: IntArray) -> NDArray[Value] | None:
    """``values[rows]``, where there are values."""
    return None if values is None else values[rows]
