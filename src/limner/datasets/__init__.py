"""Data sets: pictures with dark ink on white, and their fixed splits."""

from __future__ import annotations

from pathlib import Path

from limner.datasets.dataset import ArrayDataset, Dataset, Split
from limner.datasets.mnist import load_mnist, load_mnist_5k, parse_idx
from limner.datasets.resize import Pictures, prepare
from limner.datasets.root import DATA_VARIABLE

__all__ = [
    "DATA_VARIABLE",
    "NAMES",
    "ArrayDataset",
    "Dataset",
    "Pictures",
    "Split",
    "load_dataset",
    "parse_idx",
    "prepare",
]

NAMES = ("mnist-5k", "mnist")
"""What ``load_dataset`` knows."""


def load_dataset(spec: str = "mnist-5k", split: Split = "train", root: str | Path | None = None) -> Dataset:
    """The ``split`` of the data set ``spec``, one of ``NAMES``.

    ``root`` is the data folder; without it the environment variable LIMNER_DATA names it, or it is
    ``~/.cache/limner`` where that exists (``mnist-5k`` needs none). ``ValueError`` when the name or split is unknown,
    or files are missing, unreadable or damaged.
    """
    if split not in ("train", "test"):
        raise ValueError(f"unknown split {split!r}: must be 'train' or 'test'")
    if spec == "mnist-5k":
        return load_mnist_5k(split)
    if spec == "mnist":
        return load_mnist(split, root)
    raise ValueError(f"unknown data set {spec!r}: must be one of {', '.join(NAMES)}")
