"""A frame: where a picture of any shape lies on a square sheet of paper.

Notable choices:
- What is laid there goes on a little beyond its edges. So strokes reach across them, and no paper shows inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from limner.worlds.validation import require
from limner.worlds.world import Canvas

if TYPE_CHECKING:
    from PIL import Image

BLEED = 64
"""The square is so many times as wide as what goes on beyond each edge of the picture."""
LONGEST = 1_000_000
"""Largest width and height of a frame, in pixels."""


@dataclass(frozen=True)
class Frame:
    """The place of a picture of ``width`` × ``height`` pixels in the middle of a square, whose side is the longer.

    ``ValueError`` unless both are integers in 1 … ``LONGEST``.
    """

    width: int
    height: int

    def __post_init__(self) -> None:
        for name, value in (("width", self.width), ("height", self.height)):
            whole = type(value) is int and 1 <= value <= LONGEST
            require(whole, f"the {name} of a frame must be an integer in 1 … {LONGEST}, got {value!r}")

    def size(self, square: int) -> tuple[int, int]:
        """Width and height in pixels on a square of ``square`` pixels a side; at least 1."""
        longer = max(self.width, self.height)
        return max(1, round(square * self.width / longer)), max(1, round(square * self.height / longer))

    def box(self, square: int) -> tuple[int, int, int, int]:
        """Left, top, right and bottom, in pixels, on a square of ``square`` pixels a side."""
        width, height = self.size(square)
        left, top = (square - width) // 2, (square - height) // 2
        return left, top, left + width, top + height

    def lay(self, image: Image.Image, size: int, channels: int, paper: str = "white") -> Canvas:
        """The picture, ``L`` or ``RGB``, on a square of the colour ``paper``: ``uint8[size, size, channels]``.

        Grey is luma (BT.601).

        The pixels at its edges are repeated outwards, ``size / BLEED`` times.
        """
        from PIL.Image import Resampling
        from PIL.ImageColor import getrgb

        left, top, right, bottom = self.box(size)
        image = image.convert("L" if channels == 1 else "RGB")
        image = image.resize((right - left, bottom - top), Resampling.BICUBIC)
        pixels = np.asarray(image).reshape(bottom - top, right - left, channels)
        bleed = size // BLEED
        above, below = min(bleed, top), min(bleed, size - bottom)
        before, after = min(bleed, left), min(bleed, size - right)
        square = np.full((size, size, channels), getrgb(paper)[:channels], np.uint8)
        square[top - above : bottom + below, left - before : right + after] = np.pad(
            pixels, ((above, below), (before, after), (0, 0)), mode="edge"
        )
        return square

    def cut(self, square: Canvas) -> Canvas:
        """What lies in the frame, ``uint8[..., height, width, C]`` of ``uint8[..., S, S, C]``."""
        left, top, right, bottom = self.box(square.shape[-2])
        return square[..., top:bottom, left:right, :]
