"""Metrics of drawings against their targets: squared error, structural similarity, Fréchet distance.

Notable choices:
- Pixel values are scaled to [0, 1], so that errors compare with the curves of Ganin et al. 2018 (64×64).
- The Fréchet distance is that of ``generation``, between the drawings and their targets. They share their content, so
  it is 0 for perfect drawings and smaller than between other pictures. Its features are those of a classifier of grey
  digits: colour counts as luma, and on other pictures they have no interpretation.
"""

import numpy as np
from numpy.typing import NDArray

from limner.data import Pictures
from limner.metrics.features import extract_features, small_grey
from limner.metrics.generation import frechet_distance
from limner.worlds.world import Canvas

FEWEST = 128
"""Smallest number of pictures for a Fréchet distance, twice the 64 features whose covariance is estimated."""


def squared_error(drawings: Canvas, goals: Pictures) -> NDArray[np.float64]:
    """Mean squared error ``float64[N]`` of ``uint8[N, H, W, C]``, pixel values scaled to [0, 1]."""
    difference = (drawings.astype(np.float64) - goals) / 255
    return np.asarray(np.square(difference).reshape(len(goals), -1).mean(1))


def structural_similarity(drawings: Canvas, goals: Pictures) -> NDArray[np.float64]:
    """Structural similarity ``float64[N]`` (Wang et al. 2004: Gaussian window, σ 1.5) of ``uint8[N, H, W, C]``."""
    from skimage.metrics import structural_similarity as similarity

    options = {"channel_axis": -1, "data_range": 255, "gaussian_weights": True, "use_sample_covariance": False}
    values = [similarity(a, b, **options) for a, b in zip(drawings, goals, strict=True)]  # type: ignore[no-untyped-call]
    return np.asarray(values)


def frechet(drawings: Canvas, goals: Pictures) -> float | None:
    """Squared Fréchet distance of ``uint8[N, H, W, 1 or 3]`` on white; None when N < ``FEWEST``."""
    if len(goals) < FEWEST:
        return None
    drawn, wanted = (extract_features(small_grey(pictures)).features for pictures in (drawings, goals))
    return frechet_distance(wanted, drawn)
