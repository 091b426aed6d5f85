"""MNIST: the 5,000 digits that ship with Limner, or all 70,000.

Notable choices:
- ``mnist-5k`` is the file ``mnist_5k.npz`` of this package (``mnist_5k.md``: origin and licence): the first 500 of each
  class of MNIST's 60,000 training digits, sorted by class, in MNIST's order within a class. The last 100 of each class
  are test. Neighbours in MNIST resemble each other, so a block at the end is a stricter test than every fifth digit.
- ``mnist`` reads the four IDX files, gzipped or not. The split is MNIST's own. Their checksums are of the decompressed
  content, so figures from different machines are about the same pictures.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import zlib
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from limner.data.dataset import ArrayDataset, Split
from limner.data.root import find_place

_MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
_REMEDY = "download the file again, or use the data set 'mnist-5k', which needs no file"


def load_mnist_5k(split: Split) -> ArrayDataset:
    """The digits that ship with Limner: 4,000 to train on, 1,000 to test."""
    file = resources.files("limner.data") / "mnist_5k.npz"
    with file.open("rb") as opened, np.load(opened, allow_pickle=False) as arrays:
        images, labels = (arrays[name].reshape(10, 500, -1) for name in ("images", "labels"))
    chosen = slice(None, 400) if split == "train" else slice(400, None)
    return ArrayDataset(
        "mnist-5k", 255 - images[:, chosen].reshape(-1, 28, 28), labels[:, chosen].reshape(-1).astype(np.int64)
    )


def load_mnist(split: Split, root: str | Path | None) -> ArrayDataset:
    """The digits in the data folder; ``ValueError`` when files are missing, unreadable or damaged."""
    prefix = "train" if split == "train" else "t10k"
    names = (f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte")
    paths = [_find(name, root) for name in names]
    contents = [_read(path) for path in paths]
    images, labels = parse_idx(paths[0], contents[0], 3), parse_idx(paths[1], contents[1], 1)
    if len(images) != len(labels):
        raise ValueError(f"{paths[0]} holds {len(images)} pictures, {paths[1]} {len(labels)} labels: {_REMEDY}")
    for path, content, name in zip(paths, contents, names, strict=True):
        found = hashlib.md5(content, usedforsecurity=False).hexdigest()
        if found != _MD5[name]:
            raise ValueError(f"{path} does not hold the expected digits (MD5 {found}, not {_MD5[name]}): {_REMEDY}")
    return ArrayDataset("mnist", 255 - images, labels.astype(np.int64))


def parse_idx(path: Path, content: bytes, dimensions: int) -> NDArray[np.uint8]:
    """The array in the content of an IDX file of unsigned bytes; ``ValueError``, naming ``path``, when it is damaged.

    Format: bytes 0, 0, 8 (unsigned byte), the number of dimensions; each dimension as a big-endian 32-bit number;
    the values, last dimension fastest (LeCun, http://yann.lecun.com/exdb/mnist).
    """
    header, magic = 4 + 4 * dimensions, bytes((0, 0, 8, dimensions))
    if len(content) < header or content[:4] != magic:
        raise ValueError(
            f"{path} is no IDX file of bytes in {dimensions} dimensions: it starts with"
            f" {content[:4].hex() or 'nothing'}, not {magic.hex()}; {_REMEDY}"
        )
    shape = tuple(int(n) for n in np.frombuffer(content, ">u4", dimensions, offset=4))
    if len(content) - header != math.prod(shape):
        raise ValueError(
            f"{path} announces {' x '.join(map(str, shape))} bytes and holds {len(content) - header}: {_REMEDY}"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def _find(name: str, root: str | Path | None) -> Path:
    """The file ``name`` or ``name.gz`` in ``mnist/`` in the data folder, or in the folder itself."""
    places = tuple(f"{folder}{name}{suffix}" for folder in ("mnist/", "") for suffix in (".gz", ""))
    return find_place("mnist", places, "put MNIST's four IDX files there, or use 'mnist-5k', which needs no file", root)


def _read(path: Path) -> bytes:
    """The content of a file, decompressed when it is gzipped."""
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is damaged ({error}): {_REMEDY}") from error
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}; check that it exists and may be read") from error
