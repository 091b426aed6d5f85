"""Canvases as PNG files, and as sheets of many canvases. Channels: 1 grey, 2 with alpha, 3 RGB, 4 RGBA."""

import io
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
GROUND = 216  # shade of a sheet between canvases


def image(canvas: Pixels) -> Image.Image:
    """A Pillow image of a canvas ``uint8[H, W, C]`` with 1 to 4 channels."""
    canvas = np.asarray(canvas)
    if canvas.dtype != np.uint8 or canvas.ndim != 3 or canvas.shape[-1] not in (1, 2, 3, 4) or canvas.size == 0:
        raise ValueError(f"a canvas is uint8[H, W, 1 … 4], got {canvas.dtype}{list(canvas.shape)}")
    return Image.fromarray(canvas[..., 0] if canvas.shape[-1] == 1 else canvas)


def png(canvas: Pixels) -> bytes:
    """The bytes of a PNG file of a canvas ``uint8[H, W, C]``, lossless."""
    file = io.BytesIO()
    image(canvas).save(file, "PNG")
    return file.getvalue()


def sheet(canvases: Pixels, columns: int | None = None, padding: int | None = None) -> Pixels:
    """Canvases ``uint8[..., N, H, W, C]`` as a grid ``uint8[..., H', W', C]``, left to right, top to bottom.

    ``columns`` makes the grid about square by default. ``padding`` grey pixels (a sixteenth of a canvas by default)
    separate and surround the canvases. ``ValueError`` without canvases or columns.
    """
    *leading, count, height, width, channels = canvases.shape
    if count < 1 or (columns is not None and columns < 1):
        raise ValueError(f"a sheet needs at least one canvas and one column, got {count} canvases, columns={columns}")
    columns = min(count, columns or math.ceil(math.sqrt(count)))
    padding = max(1, height // 16) if padding is None else padding
    rows = -(-count // columns)
    shape = (*leading, padding + rows * (height + padding), padding + columns * (width + padding), channels)
    result = np.full(shape, GROUND, np.uint8)
    if channels in (2, 4):
        result[..., -1] = 255
    for i in range(count):
        top = padding + i // columns * (height + padding)
        left = padding + i % columns * (width + padding)
        result[..., top : top + height, left : left + width, :] = canvases[..., i, :, :, :]
    return result


def pairs(first: Pixels, second: Pixels, columns: int = 4) -> Pixels:
    """Two sets of canvases ``uint8[N, H, W, C]`` in pairs, as a sheet with ``columns`` pairs in a row."""
    both = np.stack([first, second], axis=1)
    return sheet(both.reshape(-1, *first.shape[1:]), columns=2 * min(columns, len(first)))


def together(drawings: Sequence[Pixels], columns: int | None = None) -> Pixels:
    """Several drawings ``uint8[T_i, H, W, C]`` side by side as a sheet, ``uint8[max T, H', W', C]``.

    A shorter drawing keeps its last frame. ``ValueError`` without drawings.
    """
    if len(drawings) == 0:
        raise ValueError("an animation needs at least one drawing")
    length = max(len(drawing) for drawing in drawings)
    full = [np.concatenate([d, np.repeat(d[-1:], length - len(d), axis=0)]) for d in drawings]
    return sheet(np.stack(full, axis=1), columns)
