"""The chunks of PNG files, for pictures that come in parts (PNG specification, third edition).

Notable choices:
- A row is filtered as it is, by its left neighbours or by the row above, whichever leaves the smallest differences: the
  specification's own heuristic, without the two filters that no array operation computes at once.
"""

import struct
import zlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from limner.export.picture import Pixels

SIGNATURE = b"\x89PNG\r\n\x1a\n"
END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
"""Colour types of grey, grey with alpha, RGB and RGBA."""
ROWS = 128
"""Rows that are filtered at a time."""


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a kind, four letters, with its length and checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def header(height: int, width: int, channels: int) -> bytes:
    """Signature and header of a picture with 8 bits for each of 1 to 4 channels."""
    return SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, TYPES[channels], 0, 0, 0))


def pixel_data(bands: Iterable[Pixels]) -> Iterable[bytes]:
    """The compressed data of a picture that comes from top to bottom in ``bands`` uint8[h, W, C]."""
    packer, above = zlib.compressobj(6), None
    for band in bands:
        for start in range(0, len(band), ROWS):
            rows = band[start : start + ROWS]
            if data := packer.compress(_filtered(rows, above).tobytes()):
                yield data
            above = rows[-1:].copy()
    yield packer.flush()


def _filtered(rows: Pixels, above: Pixels | None) -> NDArray[np.uint8]:
    """Rows ``uint8[h, W, C]`` as ``uint8[h, 1 + W · C]``: the number of a filter, then what it leaves."""
    before = np.zeros_like(rows)
    before[:, 1:] = rows[:, :-1]
    over = np.zeros_like(rows)
    over[1:] = rows[:-1]
    if above is not None:
        over[0] = above
    choices = np.stack([rows, rows - before, rows - over]).reshape(3, len(rows), -1)
    sizes = np.minimum(choices, 256 - choices.astype(np.int16)).astype(np.uint8).sum(-1, dtype=np.int64)
    best = sizes.argmin(0)
    return np.concatenate([best[:, None].astype(np.uint8), choices[best, np.arange(len(rows))]], axis=1)
