"""Pens of several colours: which pen draws a stroke.

Notable choices:
- Colours are as far apart as people see them (CIEDE2000, Sharma et al. 2005): in plain CIELAB black is nearer to white
  than to blue.
- Paper is white, and it counts as a pen that draws nothing: a stroke to which it is nearest is left out.
- Without a palette the pens are chosen by k-means (Lloyd, 1982) over the strokes, weighted by their lengths, with the
  paper as one more centre that stays. It starts from the colours that add most, so it is the same each time.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from limner.worlds.colours import as_text, channels, hexadecimal
from limner.worlds.validation import require

Colours = NDArray[np.float64]
"""``float64[n, 3]``: red, green and blue in [0, 1], or CIELAB."""

PAPER = -1
"""Of a stroke that no pen draws."""
ROUNDS = 100


def read_colours(names: Sequence[str]) -> Colours:
    """The colours, ``float64[n, 3]`` in [0, 1], that are called so in CSS; ``ValueError`` names one that is none."""
    colours = []
    for name in names:
        try:
            colours.append(channels(hexadecimal(name)))
        except ValueError:
            raise ValueError(f"gcode.pens: {name!r} is no colour: give names such as navy, or #rrggbb") from None
    require(len(set(colours)) == len(colours), f"gcode.pens is {tuple(names)!r}: two pens have the same colour")
    return np.asarray(colours) / 255


def choose_pens(colours: Colours, lengths: NDArray[np.float64], count: int) -> list[str]:
    """Up to ``count`` pens, #rrggbb, for strokes of ``colours`` (RGB) and ``lengths``: light ones first."""
    from skimage.color import lab2rgb

    distinct, rows = np.unique(colours, axis=0, return_inverse=True)
    places, weights = _lab(distinct), np.bincount(rows.ravel(), lengths)
    centres = _lab(np.ones((1, 3)))
    for _ in range(count):
        gain = weights * _distances(places, centres).min(1) ** 2
        if gain.max() <= 0:
            break
        centres = np.concatenate([centres, places[gain.argmax()][None]])
    for _ in range(ROUNDS):
        nearest = _distances(places, centres).argmin(1)
        means = centres.copy()
        for i in range(1, len(centres)):
            if weights[nearest == i].sum() > 0:
                means[i] = np.average(places[nearest == i], axis=0, weights=weights[nearest == i])
        if np.array_equal(means, centres):
            break
        centres = means
    pens = centres[1:][np.argsort(-centres[1:, 0], kind="stable")]
    shades = np.rint(255 * lab2rgb(pens[None])[0]).astype(int)
    return list(dict.fromkeys(as_text(*shade) for shade in shades))


def assign_pens(colours: Colours, pens: Sequence[str]) -> NDArray[np.int64]:
    """``int64[n]``: for each of ``colours`` (RGB) the nearest of ``pens``, or PAPER if white is nearer than all."""
    white = np.ones((1, 3))
    nearest = _distances(_lab(colours), _lab(np.concatenate([read_colours(pens), white]))).argmin(1)
    return np.where(nearest == len(pens), PAPER, nearest)


def _lab(colours: Colours) -> Colours:
    from skimage.color import rgb2lab

    return np.asarray(rgb2lab(colours[None])[0], np.float64)


def _distances(places: Colours, centres: Colours) -> NDArray[np.float64]:
    """``float64[n, m]`` of colours in CIELAB."""
    from skimage.color import deltaE_ciede2000

    return np.asarray(deltaE_ciede2000(places[:, None], centres[None]), np.float64)  # type: ignore[no-untyped-call]
