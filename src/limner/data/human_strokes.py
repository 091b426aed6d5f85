"""Omniglot's recorded pen strokes: its characters as they were drawn online (Lake et al., Science 2015).

Notable choices:
- Read as published, ``strokes_background/<Alphabet>/characterNN/NNNN_MM.txt``, named as the pictures are: a line START,
  the points of a stroke as ``x,y,milliseconds``, a line BREAK after each stroke.
- Coordinates are pixels of the 105 × 105 picture with y upwards; (0, 0) is taken for the centre of the upper left
  pixel, which fits best: the bounding boxes of points and of pictures then agree to 0.15 of a pixel in the mean. Points
  may lie outside the picture.
- The archive is unpacked in memory, up to ``LARGEST`` bytes. Files are parsed when their strokes are asked for.
"""

import io
import lzma
import re
import tarfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from limner.data.root import find_place

Points = NDArray[np.float64]
"""A stroke, ``float64[n, 2]``: (x, y) from the upper left corner, in sides of the canvas."""

PLACE = "omniglot/strokes_background_small"
LARGEST = 2**28  # bytes that an archive may unpack to: ten times the published one
_SIDE = 105
_NAME = re.compile(r"(?:.*/)?([^/]+/character\d+/\d+_\d+)\.(?:txt|png)")


class Handwriting:
    """Recorded drawings by their ``names``, such as ``Greek/character01/0394_19``."""

    def __init__(self, files: dict[str, bytes], where: Path) -> None:
        """``files`` holds the content of the published files by name, ``where`` is named in errors."""
        self.names = tuple(sorted(files))
        self._files, self._where = files, where

    def __contains__(self, name: object) -> bool:
        return name in self._files

    def strokes(self, name: str) -> list[Points]:
        """The strokes of a drawing in order; ``KeyError`` when it was not recorded, ``ValueError`` when damaged."""
        try:
            return _parse(self._files[name])
        except ValueError as error:
            raise ValueError(f"{name}.txt in {self._where}: {error}") from None


def load_handwriting(root: str | Path | None = None) -> Handwriting:
    """The recorded drawings in the data folder (``root`` as in ``load_dataset``), a folder or ``.tar.xz``.

    ``ValueError`` when there is none, or it is damaged.
    """
    remedy = "put Omniglot's published strokes there"
    place = find_place("omniglot strokes", (PLACE, f"{PLACE}.tar.xz"), remedy, root)
    try:
        files = _folder(place) if place.is_dir() else _archive(place)
    except (OSError, lzma.LZMAError, tarfile.TarError) as error:
        raise ValueError(f"cannot read {place}: {error}") from error
    named = {match[1]: content for name, content in files.items() if (match := _NAME.fullmatch(name))}
    if not named:
        raise ValueError(f"{place} holds no file <Alphabet>/characterNN/NNNN_MM.txt: {remedy}")
    return Handwriting(named, place)


def drawing_name(file: str) -> str:
    """The name of the drawing in a picture's file; ``ValueError`` when that is not named as published."""
    match = _NAME.fullmatch(file)
    if match is None:
        raise ValueError(f"{file!r} is not named as <Alphabet>/characterNN/NNNN_MM.png")
    return match[1]


def _folder(place: Path) -> dict[str, bytes]:
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*.txt")}


def _archive(place: Path) -> dict[str, bytes]:
    unpacker = lzma.LZMADecompressor(memlimit=LARGEST)
    content = unpacker.decompress(place.read_bytes(), LARGEST)
    if not unpacker.eof:
        raise ValueError(f"{place} is cut short, or larger than {LARGEST} bytes: fetch it again")
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        return {
            entry.name: content[entry.offset_data : entry.offset_data + entry.size] for entry in tar if entry.isreg()
        }


def _parse(content: bytes) -> list[Points]:
    lines = content.decode("ascii").split()
    if lines[:1] != ["START"] or lines[-1] != "BREAK":
        raise ValueError("must begin with START and end with BREAK: it is cut short, or no file of strokes")
    strokes: list[Points] = []
    points: list[list[float]] = []
    for number, line in enumerate(lines[1:], 2):
        if line != "BREAK":
            points.append(_point(line, number))
        elif points:
            x, y = np.array(points).T
            strokes.append(np.stack([x + 0.5, 0.5 - y], -1) / _SIDE)
            points = []
        else:
            raise ValueError(f"line {number} ends a stroke without a point")
    if not strokes:
        raise ValueError("has no stroke")
    return strokes


def _point(line: str, number: int) -> list[float]:
    try:
        x, y, _ = (float(value) for value in line.split(","))
    except ValueError:
        raise ValueError(f"line {number} is {line[:40]!r}: must be x,y,milliseconds or BREAK") from None
    if not max(abs(x), abs(y)) < 10 * _SIDE:  # not with nan
        raise ValueError(f"line {number} is {line[:40]!r}: that is far from the picture")
    return [x, y]
