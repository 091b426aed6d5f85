"""Canvases as PNG files, as sheets of many canvases and as animated GIF. Channels: 1 grey, 2 with alpha, 3 RGB, 4 RGBA.

Notable choices:
- All frames of a GIF share one palette: grey pictures keep their 256 shades exactly, colour is reduced to 256 colours
  by median cut. Ordered dithering hides the bands; unlike error diffusion it changes no pixel outside a stroke, so
  nothing flickers.
- GIF counts in hundredths of a second; most viewers slow down frames shorter than two.
"""

import io
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from limner.worlds.world import on_white

Pixels = NDArray[np.uint8]
GROUND = 216  # shade of a sheet between canvases
DITHER = 10
BAYER = (np.asarray([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) - 7.5) / 7.5


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


def gif(frames: Pixels, step: float = 0.12, hold: float = 1.5) -> bytes:
    """The bytes of a GIF of ``frames``, ``uint8[T, H, W, C]``: ``step`` seconds each, the last one ``hold``; repeated.

    ``ValueError`` without frames, or unless ``step`` and ``hold`` are in 0.02 … 60 s.
    """
    if len(frames) == 0 or not 0.02 <= step <= 60 or not 0.02 <= hold <= 60:
        raise ValueError(f"a GIF needs frames and 0.02 to 60 s for each, got {len(frames)}, step={step}, hold={hold}")
    frames = on_white(frames)
    if frames.shape[-1] == 3:
        palette = _palette([image(frame) for frame in frames[:: -max(1, len(frames) // 16)]])
        pictures = [image(_dither(frame)).quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    else:
        pictures = [image(frame) for frame in frames]
    durations = [round(step * 100) * 10] * (len(pictures) - 1) + [round(hold * 100) * 10]
    file = io.BytesIO()
    pictures[0].save(
        file, "GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0, optimize=False, disposal=1
    )
    return file.getvalue()


def together(drawings: Sequence[Pixels], columns: int | None = None) -> Pixels:
    """Several drawings ``uint8[T_i, H, W, C]`` side by side as a sheet, ``uint8[max T, H', W', C]``.

    A shorter drawing keeps its last frame. ``ValueError`` without drawings.
    """
    if len(drawings) == 0:
        raise ValueError("an animation needs at least one drawing")
    length = max(len(drawing) for drawing in drawings)
    full = [np.concatenate([d, np.repeat(d[-1:], length - len(d), axis=0)]) for d in drawings]
    return sheet(np.stack(full, axis=1), columns)


def _palette(pictures: list[Image.Image]) -> Image.Image:
    """The palette of 256 colours of ``pictures``, as an image in mode P."""
    small = (96, 96)  # pixels of a thumbnail, enough to find the colours
    strip = np.concatenate([picture.resize(small, Image.Resampling.NEAREST) for picture in pictures])
    return Image.fromarray(strip).quantize(256, method=Image.Quantize.MEDIANCUT, kmeans=1)


def _dither(frame: Pixels) -> Pixels:
    """A frame ``uint8[H, W, 3]`` with Bayer's 4×4 pattern (1973) of ±``DITHER`` levels on top; white stays white."""
    height, width, _ = frame.shape
    pattern = np.tile(BAYER, (-(-height // 4), -(-width // 4)))[:height, :width, None] * DITHER
    return np.where(frame == 255, 255, np.clip(frame + pattern, 0, 255)).astype(np.uint8)
