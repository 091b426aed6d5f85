"""``Stroke`` and ``Cover``: what an action draws, as a line and as pixels."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Colour = tuple[float, float, float]
"""Red, green and blue in [0, 1]."""


class Stroke(NamedTuple):
    """What a pen draws between two lifts."""

    points: Points
    """A polyline ``float64[n, 3]``: x, y and pressure in [0, 1], places as shares of the canvas, y downwards."""
    colour: Colour


class Cover(NamedTuple):
    """What an action lays on any picture: ``(1 - opacity) · below + opacity · colour``."""

    box: tuple[int, int, int, int]
    """Left, top, right and bottom, in pixels: outside of it nothing changes."""
    opacity: NDArray[np.uint8]
    """``uint8[h, w]`` in the box, 255 where nothing shows through."""
    colour: tuple[int, ...]
    """0 … 255, one for each channel of the canvas."""
