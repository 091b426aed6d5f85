"""A frame: where a picture of any shape lies on a square sheet of paper.

Notable choices:
- What is laid there goes on a little beyond its edges. So strokes reach across them, and no paper shows inside.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from limner.data import Pictures
from limner.worlds.world import Canvas

BLEED = 64
"""The square is so many times as wide as what goes on beyond each edge of the picture."""


@dataclass(frozen=True)
class Frame:
    """The place of a picture of ``width`` × ``height`` in the middle of a square, whose side is the longer of them."""

    width: int
    height: int

    def box(self, size: int) -> tuple[int, int, int, int]:
        """Left, top, right and bottom on a square of ``size`` pixels a side; at least a pixel wide and high."""
        longer = max(self.width, self.height)
        width, height = (max(1, round(size * side / longer)) for side in (self.width, self.height))
        left, top = (size - width) // 2, (size - height) // 2
        return left, top, left + width, top + height

    def lay(self, image: Image.Image, size: int, channels: int) -> Pictures:
        """The picture, ``L`` or ``RGB``, on a white square: ``uint8[size, size, channels]``, grey as luma (BT.601).

        The pixels at its edges are repeated outwards, ``size / BLEED`` times.
        """
        left, top, right, bottom = self.box(size)
        image = image.convert("L" if channels == 1 else "RGB")
        image = image.resize((right - left, bottom - top), Image.Resampling.BICUBIC)
        pixels = np.asarray(image).reshape(bottom - top, right - left, channels)
        bleed = size // BLEED
        above, below = min(bleed, top), min(bleed, size - bottom)
        before, after = min(bleed, left), min(bleed, size - right)
        square = np.full((size, size, channels), 255, np.uint8)
        square[top - above : bottom + below, left - before : right + after] = np.pad(
            pixels, ((above, below), (before, after), (0, 0)), mode="edge"
        )
        return square

    def cut(self, square: Canvas) -> Canvas:
        """What lies in the frame, ``uint8[..., height, width, C]`` of ``uint8[..., S, S, C]``."""
        left, top, right, bottom = self.box(square.shape[-2])
        return square[..., top:bottom, left:right, :]
