"""What the nib leaves on the paper, as a picture.

Notable choices:
- At every step of the simulation in which the nib is on the paper there is a disc, between two steps a fraction of its
  size apart; its width grows with how far the spring is pressed, as that of a soft tip does.
- Discs are stamped at several times the resolution and averaged down, so lines have smooth edges.
- The picture is turned as the canvas is: its upper edge is the one nearest to the robot.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from limner.robot.arm import Sheet
from limner.robot.drawing import Drawing
from limner.robot.path import DEEP

FINEST = 4
"""Pixels stamped for one of the picture, along each axis, up to ``LARGEST`` a side."""
LARGEST = 4096
THIN = 0.4
"""Of the nib's full width, what a mere touch leaves."""


class Ink:
    """A sheet that fills as time goes on."""

    def __init__(self, drawing: Drawing, sheet: Sheet, nib: float, size: int) -> None:
        """``nib`` is the width in millimetres of the line at full pressure, ``size`` in pixels."""
        self._factor = max(1, min(FINEST, LARGEST // size))
        self._image = Image.new("L", (self._factor * size,) * 2, 255)
        self._pen = ImageDraw.Draw(self._image)
        side = self._factor * size
        pressed = np.clip(drawing.pressed / DEEP, 0, 1)
        radii = nib / 2 * (THIN + (1 - THIN) * pressed) / sheet.size * side
        places = sheet.shares(drawing.nib) * side
        self._discs = np.column_stack([places - radii[:, None], places + radii[:, None]])
        self._touching = drawing.touching
        self._done = 0

    def until(self, step: int) -> NDArray[np.uint8]:
        """The picture ``uint8[size, size, 1]`` after so many steps; never fewer than the last time."""
        for i in np.flatnonzero(self._touching[self._done : step]) + self._done:
            self._pen.ellipse(self._discs[i].tolist(), fill=0)
        self._done = max(self._done, step)
        return np.asarray(self._image.reduce(self._factor))[..., None]


def picture(drawing: Drawing, sheet: Sheet, nib: float, size: int) -> NDArray[np.uint8]:
    """The finished drawing, ``uint8[size, size, 1]``: black on white."""
    return Ink(drawing, sheet, nib, size).until(len(drawing))
