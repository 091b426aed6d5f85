"""Canvases as an animated GIF.

Notable choices:
- A frame is encoded when it comes, and only what has changed since the last one: memory does not grow with their
  number.
- All frames share one palette: grey pictures keep their 256 shades exactly, colour is reduced to 256 colours by median
  cut. Ordered dithering hides the bands; unlike error diffusion it changes no pixel outside a stroke, so nothing
  flickers.
- GIF counts in hundredths of a second; most viewers slow down frames shorter than two.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import numpy as np
from PIL import GifImagePlugin, Image, ImageChops

from limner.export.picture import Pixels, image
from limner.worlds.world import on_white

DITHER = 10
BAYER = (np.asarray([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) - 7.5) / 7.5


def gif(frames: Sequence[Pixels] | Pixels, step: float = 0.12, hold: float = 1.5) -> bytes:
    """The bytes of a GIF of ``frames``, ``uint8[T, H, W, C]``: ``step`` seconds each, the last one ``hold``; repeated.

    ``ValueError`` without frames, or unless ``step`` and ``hold`` are in 0.02 … 60 s.
    """
    return stream_gif(frames, frames[:: -max(1, len(frames) // 16)], step, hold)


def stream_gif(
    frames: Iterable[Pixels], colours: Sequence[Pixels] | Pixels, step: float = 0.12, hold: float = 1.5
) -> bytes:
    """As ``gif``, of frames ``uint8[H, W, C]`` that are made while they are asked for.

    The palette of coloured ones is that of ``colours``, some ``uint8[H, W, C]`` of any size.
    """
    return b"".join(gif_parts(frames, colours, step, hold))


def gif_parts(
    frames: Iterable[Pixels], colours: Sequence[Pixels] | Pixels, step: float, hold: float
) -> Iterator[bytes]:
    """The bytes that ``stream_gif`` gives, in parts, as the frames come."""
    if not 0.02 <= step <= 60 or not 0.02 <= hold <= 60:
        raise ValueError(f"a GIF needs 0.02 to 60 s for each frame, got step={step}, hold={hold}")
    pictures = map(_Indexer(colours), frames)
    if (last := next(pictures, None)) is None:
        raise ValueError("a GIF needs frames, got none")
    yield from GifImagePlugin.getheader(last.copy(), info={"loop": 0, "duration": 1})[0]
    left, top, changed, seconds = 0, 0, last, 0.0
    for picture in chain(pictures, [None]):
        seconds += hold if picture is None else step
        box = None if picture is None else ImageChops.difference(_numbers(picture), _numbers(last)).getbbox()
        if picture is None or box is not None:
            yield from GifImagePlugin.getdata(changed, (left, top), duration=round(seconds * 100) * 10, disposal=1)
        if picture is not None and box is not None:
            (left, top, *_), changed, last, seconds = box, picture.crop(box), picture, 0.0
    yield b";"


class _Indexer:
    """Turns canvases into images whose pixels are numbers of colours in one palette."""

    def __init__(self, colours: Sequence[Pixels] | Pixels) -> None:
        pictures = [image(on_white(picture)) for picture in colours]
        self.palette = _palette(pictures) if pictures and pictures[0].mode == "RGB" else None

    def __call__(self, frame: Pixels) -> Image.Image:
        frame = on_white(frame)
        if self.palette is None:
            return image(frame)
        return image(_dither(frame)).quantize(palette=self.palette, dither=Image.Dither.NONE)


def _numbers(picture: Image.Image) -> Image.Image:
    """The pixels of an image in mode P as they are stored."""
    return Image.frombytes("L", picture.size, picture.tobytes())


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
