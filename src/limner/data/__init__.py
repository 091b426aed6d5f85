"""Data sets of pictures, dark on white or in colour, by name: see ``load_dataset``.

The split is fixed by the name alone, so figures from different machines are about the same pictures.
"""

from pathlib import Path

import numpy as np

from limner.data.dataset import ArrayDataset, Dataset, FileDataset, Split, Splits
from limner.data.folder import open_celeba, open_faces, open_folder
from limner.data.generated import generated_names, load_generated, load_paintings
from limner.data.mnist import load_mnist, load_mnist_5k
from limner.data.omniglot import open_omniglot
from limner.data.resize import Pictures, luma, resize_square
from limner.worlds.validation import require

__all__ = [
    "NAMES",
    "ArrayDataset",
    "Dataset",
    "FileDataset",
    "Pictures",
    "load_dataset",
    "luma",
    "open_files",
    "resize_square",
]

NAMES = ("mnist-5k", "mnist", "omniglot", "omniglot-evaluation", "celeba", "faces", *generated_names())
"""The data sets of ``load_dataset``, besides ``folder:PATH`` and ``programs:PATH``."""


def load_dataset(spec: str = "mnist-5k", split: Split = "train", root: str | Path | None = None) -> Dataset:
    """The ``split`` of the data set ``spec``.

    | spec | pictures | labels | split |
    |---|---|---|---|
    | ``mnist-5k`` | 28 × 28 grey | digit | the last 100 of each class are test |
    | ``mnist`` | 28 × 28 grey | digit | its own |
    | ``omniglot``, ``omniglot-evaluation`` | 105 × 105 grey | character | the last two drawers are test |
    | ``omniglot:Greek,Latin`` | only these alphabets | | |
    | ``omniglot:-Greek,-Latin`` | all but these | | |
    | ``celeba`` | 178 × 178 colour | | its own, or every tenth is test |
    | ``faces`` | 64 × 64 colour | | every tenth is test |
    | ``scenes`` | 64 × 64 colour, made by ``limner data make scenes`` | | its own |
    | ``folder:PATH`` | any folder or zip of pictures | | every tenth is test |
    | ``programs:PATH`` | what the programs of a file paint | | every tenth is test |

    ``root`` is the data folder; by default it is named by the environment variable LIMNER_DATA, or is
    ``~/.cache/limner`` (``mnist-5k`` and those of a PATH need none). ``ValueError`` when the name or split is unknown,
    the split is empty, or files are missing, unreadable or damaged.
    """
    require(split in ("train", "test"), f"unknown split {split!r}: must be 'train' or 'test'")
    if spec == "mnist-5k":
        return load_mnist_5k(split)
    if spec == "mnist":
        return load_mnist(split, root)
    if spec in generated_names():
        return load_generated(spec, split, root)
    if spec.startswith("programs:"):
        return load_paintings(spec, spec.removeprefix("programs:"), split)
    data, splits = open_files(spec, root)
    rows = np.flatnonzero(splits == split)
    require(len(rows) > 0, f"data set {spec!r} has no picture in its split {split!r}, of {len(data)} in all: add more")
    return data.select(rows)


def open_files(spec: str, root: str | Path | None = None) -> tuple[FileDataset, Splits]:
    """Both splits of a data set of picture files, and the split of each picture; errors as ``load_dataset``."""
    name, _, choice = spec.partition(":")
    if name in ("omniglot", "omniglot-evaluation"):
        return open_omniglot(spec, root)
    if spec == "celeba":
        return open_celeba(root)
    if spec == "faces":
        return open_faces(root)
    if name == "folder" and choice:
        return open_folder(spec, choice)
    raise ValueError(f"unknown data set {spec!r}: must be one of {', '.join(NAMES)}, folder:PATH or programs:PATH")
