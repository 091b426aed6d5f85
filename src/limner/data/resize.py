"""Resizing pictures, to the same bytes on every machine: weights are integers, and sums are exact in float64."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from limner.worlds.validation import require

Pictures = NDArray[np.uint8]

CHUNK = 2**24  # approximate number of float64 values held at once while pictures are resized


def resize_square(images: Pictures, size: int) -> Pictures:
    """Resize square pictures ``uint8[N, S, S]`` or ``uint8[N, S, S, C]`` to ``size`` pixels a side, by channel.

    Enlarging is bilinear between pixel centres, with edge pixels repeated; reducing averages the covered area.
    ``ValueError`` on another dtype or shape, or when ``size`` is not in 1 … 4096.
    """
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or images.shape[1] != images.shape[2]:
        raise ValueError(f"pictures must be uint8[N, S, S] or [N, S, S, C], got {images.dtype}{list(images.shape)}")
    check_size(size)
    if images.ndim == 3:
        return _resize(images, size)
    count, source, _, channels = images.shape
    planes = np.moveaxis(images, 3, 1).reshape(count * channels, source, source)
    return np.ascontiguousarray(np.moveaxis(_resize(planes, size).reshape(count, channels, size, size), 1, 3))


def luma(pictures: Pictures) -> Pictures:
    """Colour ``uint8[..., 3]`` to grey ``uint8[...]`` (ITU-R BT.601, rounded as Pillow does)."""
    weighted = pictures.astype(np.uint32) @ np.array((19595, 38470, 7471), np.uint32)
    return ((weighted + 32768) >> 16).astype(np.uint8)


def match_channels(pictures: Pictures, channels: int) -> Pictures:
    """Pictures ``uint8[N, S, S, 1 or 3]`` with the ``channels`` of a canvas, grey being luma (BT.601).

    ``ValueError`` when the canvas has an alpha channel.
    """
    if pictures.shape[3] == channels:
        return pictures
    if channels == 3:
        return np.repeat(pictures, 3, axis=3)
    if channels == 1:
        return luma(pictures)[..., None]
    raise ValueError(f"a canvas with {channels} channels cannot be compared with pictures: choose a white ground")


def check_size(size: int) -> None:
    """``ValueError`` unless pictures can have ``size`` pixels a side."""
    require(1 <= size <= 4096, f"size is {size}, must be in 1 … 4096 pixels")


def _resize(planes: Pictures, size: int) -> Pictures:
    """``uint8[N, S, S]`` to ``uint8[N, size, size]``."""
    source = planes.shape[1]
    weights, total = _resize_weights(source, size)
    out = np.empty((len(planes), size, size), np.uint8)
    step = max(1, CHUNK // max(source, size) ** 2)
    band = max(1, CHUNK // source)  # rows of a large plane that are summed at once
    for start in range(0, len(planes), step):
        chunk = planes[start : start + step]
        rows = (slice(top, top + band) for top in range(0, source, band))
        half = sum(weights[:, row] @ chunk[:, row].astype(np.float64) for row in rows)
        out[start : start + step] = (half @ weights.T + total**2 / 2) // total**2
    return out


@lru_cache(maxsize=4)
def _resize_weights(source: int, target: int) -> tuple[NDArray[np.float64], int]:
    """Integer weights ``[target, source]`` of a resize along one axis, and the sum of each row."""
    row, column = np.arange(target)[:, None], np.arange(source)
    if target <= source:  # overlap of source pixel ``column`` and target pixel ``row``, in units of 1 / target
        start, stop = np.maximum(row * source, column * target), np.minimum((row + 1) * source, (column + 1) * target)
        weights, total = np.maximum(stop - start, 0), source
    else:  # centres, in units of 1 / (2 target) source pixels, clipped to the outermost source centres
        centre = np.clip((2 * row + 1) * source, target, (2 * source - 1) * target)
        weights, total = np.maximum(2 * target - abs(centre - (2 * column + 1) * target), 0), 2 * target
    common = math.gcd(total, int(np.gcd.reduce(weights, axis=None)))
    return (weights // common).astype(np.float64), total // common
