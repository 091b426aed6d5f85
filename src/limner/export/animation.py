"""Drawings growing stroke by stroke, as animated GIF.

Notable choices:
- All frames share one palette: grey pictures keep their 256 shades exactly, colour is reduced to 256 colours by median
  cut. Ordered dithering hides the bands; unlike error diffusion it changes no pixel outside a stroke, so nothing
  flickers.
- GIF counts in hundredths of a second; most viewers slow down frames shorter than two.
"""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from limner.export.picture import Pixels, image, sheet
from limner.worlds.world import on_white

DITHER = 10
BAYER = (np.asarray([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) - 7.5) / 7.5


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
