import math
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from limner.agents.agent import load_agent
from limner.data import ArrayDataset
from limner.inference.draw import BATCH
from limner.inference.evaluate import (
    FEWEST,
    count_strokes,
    fit,
    frechet,
    reconstruct,
    squared_error,
    structural_similarity,
)
from limner.metrics.features import extract_features, small_grey
from limner.metrics.generation import frechet_distance
from limner.programs.program import Program, execute
from limner.worlds import make_renderer

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


def test_colour_becomes_luma_as_elsewhere():
    colours = pictures(3, 16, 16, 3)
    colours[0, 0, :3] = [[255, 255, 255], [0, 0, 0], [255, 0, 0]]
    grey = fit(colours, 1)
    assert grey.dtype == np.uint8
    expected = np.stack([np.asarray(Image.fromarray(picture).convert("L")) for picture in colours])
    np.testing.assert_array_equal(grey[..., 0], expected)
    assert grey[0, 0, :3, 0].tolist() == [255, 0, 76]


def test_grey_becomes_colour_and_the_rest_stays():
    grey, colours = pictures(2, 8, 8, 1), pictures(2, 8, 8, 3)
    assert (fit(grey, 3) == grey).all()
    assert fit(grey, 3).shape == colours.shape
    assert fit(grey, 1) is grey
    assert fit(colours, 3) is colours
    for channels in (2, 4):
        with pytest.raises(ValueError, match=f"canvas has {channels} channels .* choose a white ground"):
            fit(grey, channels)


@pytest.mark.parametrize(
    ("space", "actions", "strokes"),
    [
        ("bezier", [[0, 5, 0, 0, 0], [1, 9, 3, 0, 0], [1, 2, 3, 0, 0], [0, 1, 0, 0, 0]], 2),
        ("spline", [[0, 5, 0, 0], [2, 9, 0, 0], [1, 3, 0, 0]], 1),
        ("stroke", [[0, 5, 9, 0, 0], [0, 0, 0, 0, 0], [1, 2, 3, 0, 0]], 3),
    ],
)
def test_strokes_are_actions_that_paint(space, actions, strokes):
    renderer = make_renderer({"name": "paint", "space": space, "grid": 8})
    assert count_strokes(Program(renderer.settings(), np.array(actions))) == strokes


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
    assert frechet(colours, others) == pytest.approx(frechet(fit(colours, 1), fit(others, 1)))


# --- The whole ---------------------------------------------------------------------------------------------------


def test_a_data_set_is_drawn_and_measured(conditional_agent, digits):
    told = []
    result = reconstruct(conditional_agent, digits, limit=BATCH + 2, seed=5, report=lambda *done: told.append(done))
    goals = digits.spread(BATCH + 2).pictures(64)
    np.testing.assert_array_equal(result.goals, goals)
    assert told == [(BATCH, BATCH + 2), (BATCH + 2, BATCH + 2)]
    assert result.drawings.shape == goals.shape
    for i in (0, BATCH, BATCH + 1):
        np.testing.assert_array_equal(execute(result.programs[i]), result.drawings[i])
    likeness = result.likeness
    assert likeness.mse == pytest.approx(((result.drawings / 255 - goals / 255) ** 2).mean())
    assert likeness.empty_mse == pytest.approx(((1 - goals / 255) ** 2).mean())
    assert likeness.ssim == pytest.approx(structural_similarity(result.drawings, goals).mean())
    assert likeness.ssim < 1
    assert likeness.frechet is None
    assert likeness.strokes == conditional_agent.config.steps
    assert likeness.pictures == BATCH + 2
    assert 0 < likeness.seconds_per_image < math.inf
    again = reconstruct(conditional_agent, digits, limit=BATCH + 2, seed=5, threads=2)
    np.testing.assert_array_equal(again.drawings, result.drawings)
    assert again.programs == result.programs
    assert replace(again.likeness, seconds_per_image=0) == replace(likeness, seconds_per_image=0)


@pytest.mark.parametrize("limit", [None, 3, 99])
def test_no_more_than_there_are(conditional_agent, digits, limit):
    few = digits.spread(3)
    result = reconstruct(conditional_agent, few, limit=limit)
    assert result.likeness.pictures == len(result.programs) == 3
    np.testing.assert_array_equal(result.goals, few.pictures(64))


def test_colour_pictures_for_a_grey_agent(conditional_agent):
    colours = pictures(2, 64, 64, 3)
    result = reconstruct(conditional_agent, ArrayDataset("colours", colours))
    np.testing.assert_array_equal(result.goals, fit(colours, 1))


def test_an_agent_without_targets_is_refused_before_any_picture_is_loaded(unconditional_folder):
    class Untouched(ArrayDataset):
        def pictures(self, size, rows=None):
            raise AssertionError("loaded")

    data = Untouched("none", pictures(2, 64, 64))
    with pytest.raises(ValueError, match="draws what it likes"):
        reconstruct(load_agent(str(unconditional_folder)), data)


def test_enough_pictures_have_a_frechet_distance(conditional_agent, digits):
    result = reconstruct(conditional_agent, digits, limit=FEWEST)
    assert result.likeness.frechet == pytest.approx(frechet(result.drawings, result.goals))
    assert result.likeness.frechet > 1


def test_none_at_all_is_refused(conditional_agent, digits):
    with pytest.raises(ValueError, match="cannot take 0 pictures"):
        reconstruct(conditional_agent, digits, limit=0)
