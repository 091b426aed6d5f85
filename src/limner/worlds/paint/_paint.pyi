"""The compiled paint engine, see ``paint.cpp``."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

libmypaint: str
"""Version of the library that the engine was built against."""

def settings() -> list[tuple[str, float, float, float]]:
    """Name, lowest, default and highest base value of every brush setting, in libmypaint's order."""

def inputs() -> list[str]:
    """Names of the inputs that a setting can depend on, in libmypaint's order."""

class Saved:
    """One saved canvas: pixels and brush. It can be pickled."""

class Engine:
    """``batch`` square canvases and the brushes that paint on them.

    Of the rows of a canvas those from ``top``, a multiple of 64, up to before ``bottom`` are held. ``out`` is always
    the array of all pictures, ``uint8[batch, bottom - top, size, channels]``; the canvases that a call changes are
    written into it. Every bad argument raises ``ValueError`` before anything is painted.
    """

    def __init__(
        self,
        *,
        batch: int,
        size: int,
        top: int,
        bottom: int,
        color: bool,
        transparent: bool,
        straight: bool,
        events: int,
        base: Sequence[float],
        mappings: Sequence[tuple[int, int, Sequence[tuple[float, float]]]],
        threads: int,
    ) -> None: ...
    @property
    def channels(self) -> int:
        """Values per pixel: 1 or 3, and one more when transparent."""

    @property
    def plain(self) -> bool:
        """Whether saving copies the brush; otherwise restoring replays it."""

    @property
    def reads_canvas(self) -> bool:
        """Whether what the brush paints depends on what is there."""

    @property
    def dabs(self) -> list[list[tuple[int, int, float, float, list[float], list[float]]]]:
        """For each canvas, the dabs of each curve of the last step: the fields of ``Dabs`` (renderer.py)."""

    def reset(self, indices: Sequence[int], out: NDArray[np.uint8]) -> None:
        """Set canvases ``indices`` to blank, with new brushes."""

    def clear(self, out: NDArray[np.uint8]) -> None:
        """Blank all canvases; their brushes go on."""

    def load(self, pictures: NDArray[np.uint8], indices: Sequence[int], out: NDArray[np.uint8]) -> None:
        """Set canvases to opaque ``pictures``, one per index, with new brushes; not on a transparent ground."""

    def step(self, curves: NDArray[np.float64], out: NDArray[np.uint8]) -> int:
        """Paint ``curves`` (``float64[batch, K, 13]``, rows as ``Curve`` in ``paint.cpp``), K on every canvas.

        Returns the number of a canvas on which the dabs of a curve exceeded the budget, after which the canvases are to
        be reset, or -1.
        """

    def save(self, indices: Sequence[int]) -> list[Saved]:
        """One saved canvas per index."""

    def restore(self, saved: Sequence[Saved], indices: Sequence[int], out: NDArray[np.uint8]) -> None:
        """Put ``saved[i]`` into canvas ``indices[i]``."""
