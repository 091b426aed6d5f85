import numpy as np
import pytest

from limner.data.resize import match_channels
from limner.metrics.features import extract_features, small_grey
from limner.metrics.generation import frechet_distance
from limner.metrics.reconstruction import FEWEST, frechet, squared_error, structural_similarity

RNG = np.random.default_rng(0)


def pictures(*shape):
    return RNG.integers(0, 256, shape, np.uint8)


def test_the_squared_error_counts_values_from_0_to_1():
    black, white = np.zeros((2, 8, 8, 3), np.uint8), np.full((2, 8, 8, 3), 255, np.uint8)
    assert squared_error(black, white).tolist() == squared_error(white, black).tolist() == [1, 1]
    assert squared_error(black, black).tolist() == [0, 0]
    half = black.copy()
    half[1, :4] = 51
    assert squared_error(half, black) == pytest.approx([0, 0.04 / 2])


def test_identical_pictures_are_similar():
    some = pictures(3, 32, 32, 1)
    assert structural_similarity(some, some) == pytest.approx([1, 1, 1])


def test_the_similarity_of_flat_pictures():
    """Nothing but the luminance term is left: (2ab + C₁) / (a² + b² + C₁), C₁ = 0.01²."""
    flat = [np.full((1, 16, 16, 1), value, np.uint8) for value in (0, 51, 255)]
    for a, b in ((0, 2), (1, 2), (0, 1)):
        x, y = (float(flat[i][0, 0, 0, 0]) / 255 for i in (a, b))
        expected = (2 * x * y + 1e-4) / (x * x + y * y + 1e-4)
        assert structural_similarity(flat[a], flat[b]) == pytest.approx([expected], abs=1e-6)


def test_the_similarity_is_that_of_wang_et_al():
    """Against the definition, written out: an 11 × 11 Gaussian window with σ 1.5 at every place where it fits."""
    size = 16
    a = pictures(1, size, size, 2)
    b = np.clip(a.astype(int) + RNG.integers(-40, 40, a.shape), 0, 255).astype(np.uint8)
    line = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2
    values = []
    for channel in range(2):
        for top in range(size - 10):
            for left in range(size - 10):
                x, y = (p[0, top : top + 11, left : left + 11, channel] / 255 for p in (a, b))
                mx, my = (window * x).sum(), (window * y).sum()
                vx, vy = (window * (x - mx) ** 2).sum(), (window * (y - my) ** 2).sum()
                covariance = (window * (x - mx) * (y - my)).sum()
                values.append(
                    (2 * mx * my + 1e-4) * (2 * covariance + 9e-4)
                    / ((mx * mx + my * my + 1e-4) * (vx + vy + 9e-4))
                )  # fmt: skip
    assert structural_similarity(a, b) == pytest.approx([np.mean(values)], abs=1e-6)


def test_the_frechet_distance_is_that_of_the_features(digits):
    goals = digits.pictures(64)[:FEWEST]
    assert frechet(goals, goals) == pytest.approx(0, abs=1e-6)
    other = digits.pictures(64)[-FEWEST:]
    a, b = (extract_features(small_grey(some)).features for some in (goals, other))
    assert frechet(other, goals) == pytest.approx(frechet_distance(a, b))
    assert frechet(255 - goals, goals) > frechet(other, goals) > 1
    assert frechet(other[1:], goals[1:]) is None


def test_the_frechet_distance_of_colours_is_that_of_their_luma():
    colours, others = pictures(FEWEST, 32, 32, 3), pictures(FEWEST, 32, 32, 3)
    assert frechet(colours, others) == pytest.approx(frechet(match_channels(colours, 1), match_channels(others, 1)))
