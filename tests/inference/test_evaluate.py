import math
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from limner.actions import ActionSpace
from limner.agents.agent import load_agent
from limner.data import ArrayDataset, load_dataset
from limner.data.generated import ProgramDataset
from limner.data.resize import match_channels
from limner.inference.draw import BATCH, DrawOptions
from limner.inference.evaluate import generation_reference, reconstruct
from limner.metrics.reconstruction import FEWEST, frechet, structural_similarity
from limner.programs.execution import execute
from limner.training.evaluation import GenerationEvaluation

RNG = np.random.default_rng(0)


def pictures(*shape):
    return RNG.integers(0, 256, shape, np.uint8)


def test_a_data_set_is_drawn_and_measured(conditional_agent, digits):
    told = []
    options = DrawOptions(seed=5)
    result = reconstruct(conditional_agent, digits, BATCH + 2, options, lambda *done: told.append(done))
    goals = digits.spread(BATCH + 2).pictures(64)
    np.testing.assert_array_equal(result.goals, goals)
    assert told == [(BATCH, BATCH + 2), (BATCH + 2, BATCH + 2)]
    assert result.drawings.shape == goals.shape
    for i in (0, BATCH, BATCH + 1):
        np.testing.assert_array_equal(execute(result.programs[i]), result.drawings[i])
    metrics = result.metrics
    assert metrics.mse == pytest.approx(((result.drawings / 255 - goals / 255) ** 2).mean())
    assert metrics.empty_mse == pytest.approx(((1 - goals / 255) ** 2).mean())
    assert metrics.ssim == pytest.approx(structural_similarity(result.drawings, goals).mean())
    assert metrics.ssim < 1
    assert metrics.frechet is None
    assert metrics.strokes == conditional_agent.config.horizon
    assert metrics.pictures == BATCH + 2
    assert 0 < metrics.seconds_per_image < math.inf
    again = reconstruct(conditional_agent, digits, BATCH + 2, replace(options, threads=2))
    np.testing.assert_array_equal(again.drawings, result.drawings)
    assert again.programs == result.programs
    assert replace(again.metrics, seconds_per_image=0) == replace(metrics, seconds_per_image=0)


@pytest.mark.parametrize("limit", [None, 3, 99])
def test_no_more_than_there_are(conditional_agent, digits, limit):
    few = digits.spread(3)
    result = reconstruct(conditional_agent, few, limit=limit)
    assert result.metrics.pictures == len(result.programs) == 3
    np.testing.assert_array_equal(result.goals, few.pictures(64))


def test_colour_pictures_for_a_grey_agent(conditional_agent):
    colours = pictures(2, 64, 64, 3)
    result = reconstruct(conditional_agent, ArrayDataset("colours", colours))
    np.testing.assert_array_equal(result.goals, match_channels(colours, 1))


def test_an_unconditional_agent_is_refused_before_any_picture_is_loaded(unconditional_folder):
    class Untouched(ArrayDataset):
        def pictures(self, size, rows=None):
            raise AssertionError("loaded")

    data = Untouched("none", pictures(2, 64, 64))
    with pytest.raises(ValueError, match="is unconditional: use limner sample"):
        reconstruct(load_agent(str(unconditional_folder)), data)


def test_enough_pictures_have_a_frechet_distance(conditional_agent, digits):
    result = reconstruct(conditional_agent, digits, limit=FEWEST)
    assert result.metrics.frechet == pytest.approx(frechet(result.drawings, result.goals))
    assert result.metrics.frechet > 1


def test_none_at_all_is_refused(conditional_agent, digits):
    with pytest.raises(ValueError, match="cannot take 0 pictures"):
        reconstruct(conditional_agent, digits, limit=0)


@pytest.mark.parametrize("known", [True, False])
def test_programs_are_measured_by_their_world_where_the_true_ones_are_known(conditional_agent, monkeypatch, known):
    space = conditional_agent.config.actions
    truth = space.sample(np.random.default_rng(0), (3, 5))
    given = []

    def metrics(self, space, found, truth):
        given.append((space, found, truth))
        return {"right": 0.5}

    monkeypatch.setattr(type(conditional_agent.config.world), "metrics", metrics, raising=False)
    other = ActionSpace(space.parts[:-1])
    data = ProgramDataset("some", pictures(3, 64, 64, 1), truth, space if known else other)
    result = reconstruct(conditional_agent, data)
    assert result.program_metrics == ({"right": 0.5} if known else {})
    for asked_space, found, expected in given:
        assert asked_space == space
        assert [actions.tolist() for actions in found] == [program.actions.tolist() for program in result.programs]
        np.testing.assert_array_equal(expected, truth)
    assert len(given) == known
    assert reconstruct(conditional_agent, ArrayDataset("none", data.images)).program_metrics == {}


def test_a_budget_in_sweeps_brings_drawings_closer(conditional_agent, digits):
    alone, found = (
        reconstruct(conditional_agent, digits, limit=3, options=DrawOptions(sweeps=sweeps)).metrics.mse
        for sweeps in (0, 2)
    )
    assert found < 0.9 * alone


@pytest.mark.parametrize("total", [20, 60, 250])
def test_a_reference_for_drawings_is_that_of_training_however_few_pictures_there_are(tiny, tmp_path, total):
    for i, digit in enumerate(load_dataset().spread(total).pictures(28)):
        Image.fromarray(digit[..., 0]).save(tmp_path / f"{i:03}.png")
    spec = f"folder:{tmp_path}"
    reference = generation_reference(tiny.agent, spec)
    trained = GenerationEvaluation(tiny, load_dataset(spec), load_dataset(spec, "test")).reference
    assert reference.count == trained.count
    assert (reference.real, reference.random, reference.borrowed) == (trained.real, trained.random, trained.borrowed)
