"""Canvases as an animated PNG (PNG specification, third edition, 2025): lossless, with all colours.

Notable choices:
- A frame is encoded when it comes, and only the rectangle that has changed since the last one: memory does not grow
  with their number.
- A viewer that knows no animations shows the finished picture: it is in the file besides the frames.
"""

import struct
from collections.abc import Iterable, Iterator
from itertools import count

import numpy as np

from limner.export.chunks import END, chunk, header, pixel_data
from limner.export.picture import Pixels
from limner.worlds.validation import require_range


def apng_parts(
    frames: Iterable[Pixels], number: int, finished: Pixels, step: float = 0.12, hold: float = 1.5
) -> Iterator[bytes]:
    """The bytes of an animated PNG, in parts, of ``number`` ``frames`` uint8[H, W, C] as they come, repeated.

    They are shown ``step`` seconds each, the last one ``hold``; ``finished`` is what a viewer without animations shows.
    ``ValueError`` unless ``step`` and ``hold`` are in 0.02 … 60 s.
    """
    require_range("step", step, 0.02, 60, " seconds")
    require_range("hold", hold, 0.02, 60, " seconds")
    yield header(*finished.shape)
    yield chunk(b"acTL", struct.pack(">II", number, 0))
    for data in pixel_data([finished]):
        yield chunk(b"IDAT", data)
    numbers, last = count(), None
    for i, frame in enumerate(frames):
        left, top, part = (0, 0, frame) if last is None else _changed(frame, last)
        height, width, _ = part.shape
        seconds = hold if i == number - 1 else step
        place = struct.pack(">IIIII", next(numbers), width, height, left, top)
        yield chunk(b"fcTL", place + struct.pack(">HHBB", round(seconds * 1000), 1000, 0, 0))
        for data in pixel_data([part]):
            yield chunk(b"fdAT", struct.pack(">I", next(numbers)) + data)
        last = frame
    yield END


def _changed(frame: Pixels, last: Pixels) -> tuple[int, int, Pixels]:
    """Left, top and pixels of the smallest rectangle with all that differs; one pixel where nothing does."""
    differs = (frame != last).any(-1)
    rows, columns = np.flatnonzero(differs.any(1)), np.flatnonzero(differs.any(0))
    if len(rows) == 0:
        return 0, 0, frame[:1, :1]
    top, left = int(rows[0]), int(columns[0])
    return left, top, frame[top : rows[-1] + 1, left : columns[-1] + 1]
