"""Pictures between NumPy and Pillow, and as the bytes that a browser is sent."""

import io

import numpy as np
from PIL import Image

from limner.worlds.world import Canvas

LOSSLESS = 300_000
"""Pixels of the largest picture that is sent as PNG; larger ones are JPEG, which takes a third of the time."""


def as_image(canvas: Canvas) -> Image.Image:
    """``uint8[H, W, 1 or 3]`` as ``L`` or ``RGB``, a copy."""
    return Image.fromarray(np.ascontiguousarray(canvas[..., 0] if canvas.shape[-1] == 1 else canvas))


def as_canvas(image: Image.Image) -> Canvas:
    """The reverse of ``as_image``."""
    pixels = np.asarray(image)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def encode(canvas: Canvas) -> tuple[bytes, str]:
    """A picture ``uint8[H, W, 1 or 3]`` as the bytes of a file, and its media type."""
    file, lossless = io.BytesIO(), canvas.shape[0] * canvas.shape[1] <= LOSSLESS
    if lossless:
        as_image(canvas).save(file, "PNG", compress_level=1)
    else:
        as_image(canvas).save(file, "JPEG", quality=92, subsampling=0)
    return file.getvalue(), "image/png" if lossless else "image/jpeg"


def changed_box(before: Canvas, after: Canvas) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom of where two pictures ``uint8[H, W, C]`` differ; None where they do not."""
    differ = (before != after).any(-1)
    rows, columns = np.flatnonzero(differ.any(1)), np.flatnonzero(differ.any(0))
    return None if not len(rows) else (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
