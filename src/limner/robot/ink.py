"""The drawing as a picture, its upper edge nearest to the robot.

Every step of the simulation in which the nib touches the paper draws a disc, whose width grows with how far the spring
is compressed, as with a soft tip.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from limner.robot.arm import Sheet
from limner.robot.drawing import Drawing
from limner.robot.path import DEEP

FINEST, LARGEST = 4, 4096  # supersampling along each axis, up to a number of pixels a side
THIN = 0.4  # width of a line without pressure, as a fraction of its width at full pressure


class Ink:
    """The picture of a drawing as it grows over time."""

    def __init__(self, drawing: Drawing, sheet: Sheet, nib: float, size: int) -> None:
        """``nib`` is the width of the line at full pressure in millimetres, ``size`` that of the picture in pixels."""
        self._factor = max(1, min(FINEST, LARGEST // size))
        side = self._factor * size
        self._image = Image.new("L", (side, side), 255)
        self._pen = ImageDraw.Draw(self._image)
        pressed = np.clip(drawing.pressed / DEEP, 0, 1)
        radii = nib / 2 * (THIN + (1 - THIN) * pressed) / sheet.size * side
        places = sheet.shares(drawing.nib) * side
        self._discs = np.column_stack([places - radii[:, None], places + radii[:, None]])
        self._touching = drawing.touching
        self._done = 0

    def until(self, step: int) -> NDArray[np.uint8]:
        """The picture ``uint8[size, size, 1]`` after ``step`` steps, which may not decrease between calls."""
        for i in np.flatnonzero(self._touching[self._done : step]) + self._done:
            self._pen.ellipse(self._discs[i].tolist(), fill=0)
        self._done = max(self._done, step)
        return np.asarray(self._image.reduce(self._factor))[..., None]


def picture(drawing: Drawing, sheet: Sheet, nib: float, size: int) -> NDArray[np.uint8]:
    """The finished drawing, ``uint8[size, size, 1]``: black on white."""
    return Ink(drawing, sheet, nib, size).until(len(drawing))
