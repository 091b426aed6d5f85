"""MNIST: the 5,000 digits that ship with Limner, or all 70,000.

Notable choices:
- ``mnist-5k`` is the file ``mnist_5k.npz`` of this package (``mnist_5k.md``: origin and licence): the first 500 of each
  class of MNIST's 60,000 training digits, sorted by class, in MNIST's order within a class. The last 100 of each class
  are test. Neighbours in MNIST resemble each other, so a block at the end is a stricter test than every fifth digit.
- ``mnist`` reads the four IDX files, gzipped or not. The split is MNIST's own. Their checksums are of the decompressed
  content, so figures from different machines are about the same pictures.
"""

import gzip
import hashlib
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from limner.data.archive import reading
from limner.data.dataset import ArrayDataset, Split
from limner.data.root import find_place
from limner.worlds.validation import require

_MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
_REMEDY = "or use the data set 'mnist-5k', which needs no file"


def load_mnist_5k(split: Split) -> ArrayDataset:
    """The digits that ship with Limner: 4,000 to train on, 1,000 to test."""
    file = resources.files("limner.data") / "mnist_5k.npz"
    with file.open("rb") as opened, np.load(opened, allow_pickle=False) as arrays:
        images, labels = (arrays[name].reshape(10, 500, -1) for name in ("images", "labels"))
    chosen = slice(None, 400) if split == "train" else slice(400, None)
    digits = 255 - images[:, chosen].reshape(-1, 28, 28)
    return ArrayDataset("mnist-5k", digits, labels[:, chosen].reshape(-1).astype(np.int64))


def load_mnist(split: Split, root: str | Path | None) -> ArrayDataset:
    """The digits in the data folder; ``ValueError`` when files are missing, unreadable or damaged."""
    prefix = "train" if split == "train" else "t10k"
    images = _read(f"{prefix}-images-idx3-ubyte", root)[16:].reshape(-1, 28, 28)
    labels = _read(f"{prefix}-labels-idx1-ubyte", root)[8:]
    return ArrayDataset("mnist", 255 - images, labels.astype(np.int64))


def _read(name: str, root: str | Path | None) -> NDArray[np.uint8]:
    """The bytes of an IDX file (LeCun, http://yann.lecun.com/exdb/mnist): 4, 4 for each dimension, then the values."""
    places = tuple(f"{folder}{name}{suffix}" for folder in ("mnist/", "") for suffix in (".gz", ""))
    path = find_place("mnist", places, f"put MNIST's four IDX files there, {_REMEDY}", root)
    with reading(path, f"make it readable, or download it again, {_REMEDY}"):
        content = path.read_bytes()
        content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    require(found == _MD5[name], f"{path} is not MNIST's (MD5 {found}, not {_MD5[name]}): download it again, {_REMEDY}")
    return np.frombuffer(content, np.uint8)
