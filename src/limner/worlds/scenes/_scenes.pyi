"""Compiled loops over pixels, see ``scenes.cpp``."""

import numpy as np
from numpy.typing import NDArray

def halve(pictures: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
    """Write pictures ``uint8[N, 2 S, 2 S, 3]`` at half their size: rounded means of 2 × 2 pixels."""

def match(
    starts: NDArray[np.int32],
    pixels: NDArray[np.int32],
    depths: NDArray[np.float32],
    bright: NDArray[np.uint8],
    table: NDArray[np.uint8],
    scene_depths: NDArray[np.float32],
    scene_colours: NDArray[np.uint8],
    errors: NDArray[np.int16],
    out: NDArray[np.int64],
) -> None:
    """Write the growth of 16 times the squared error of a picture with each of T templates, ``out`` [T, 3, S].

    Template ``t`` has the rows ``starts[t]`` to ``starts[t + 1]`` of ``pixels`` [M], ``depths`` and ``bright`` [M, 4].
    ``table`` [S, 256] maps brightness to each of S shades; ``scene_depths`` [P, 4], ``scene_colours`` [P, 4, 3] and
    ``errors`` [P, 3] are of the picture.
    """
