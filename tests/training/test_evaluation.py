from dataclasses import replace

import numpy as np
import pytest
import torch

from limner.data import load_dataset
from limner.metrics.sample_size import sampling_error
from limner.training import make_trainer
from limner.training.evaluation import GenerationEvaluation, ReconstructionEvaluation, make_evaluation


@pytest.fixture(scope="module")
def generation(tiny):
    return GenerationEvaluation(tiny, load_dataset().spread(200), load_dataset(split="test"), count=50)


@pytest.fixture
def reconstruction(conditional_config):
    return ReconstructionEvaluation(conditional_config, load_dataset(split="test"), count=50)


def without_seconds(record):
    assert record["eval/seconds"] > 0
    return {name: value for name, value in record.items() if name != "eval/seconds"}


def test_reference_rows_are_real_digits_and_random_strokes(generation):
    rows = generation.reference_rows
    assert rows.keys() == {"real", "random"}
    assert rows["real"]["frechet"] < rows["random"]["frechet"]
    assert (rows["real"]["normalised_frechet"], rows["random"]["normalised_frechet"]) == (0, 1)


@pytest.mark.parametrize(("total", "count", "borrowed"), [(20, 10, 8), (60, 20, 14), (300, 30, 0)])
def test_as_many_pictures_are_drawn_as_there_are_to_compare_with(tiny, source, total, count, borrowed):
    data, tenth = load_dataset(), total // 10
    few = GenerationEvaluation(tiny, data.spread(total - tenth), load_dataset(split="test").spread(tenth))
    real = few.reference_rows["real"]
    assert (real["pictures"], real["borrowed"]) == (count, borrowed)
    assert few.sampling_error == sampling_error(count, borrowed)
    figures = few.measure(make_trainer(tiny, source))
    assert sum(figures["eval/histogram"]) == count
    assert 0 <= figures["eval/precision"] <= 1
    assert np.isfinite(figures["eval/normalised_frechet"])


def test_too_few_pictures_are_refused(tiny):
    data = load_dataset()
    with pytest.raises(ValueError, match=r"'mnist-5k' has 19 pictures in all; .*needs 20: add more"):
        GenerationEvaluation(tiny, data.spread(18), data.spread(1))


def test_nothing_is_to_be_said_of_the_usual_evaluation(generation, reconstruction):
    assert GenerationEvaluation.sampling_error == reconstruction.sampling_error == ""
    assert "of 50 drawings against 50 real pictures:" in generation.sampling_error


def test_figures_of_generation_are_drawn_with_the_same_seed(generation, tiny, source):
    trainer = make_trainer(tiny, source)
    first, second = (without_seconds(generation.measure(trainer)) for _ in range(2))
    assert first == second
    assert {"eval/frechet", "eval/normalised_frechet", "eval/precision", "eval/entropy"} <= first.keys()
    assert sum(first["eval/histogram"]) == 50
    assert isinstance(first["eval/features"], str)


def test_runs_with_other_seeds_can_be_judged_with_the_same_noise(generation, tiny, source):
    trainer = make_trainer(tiny, source)
    first = without_seconds(generation.measure(trainer))
    trainer.config = replace(tiny, run=replace(tiny.run, seed=5))
    assert without_seconds(generation.measure(trainer)) != first
    trainer.config = replace(tiny, run=replace(tiny.run, seed=5, evaluation_seed=tiny.run.seed))
    assert without_seconds(generation.measure(trainer)) == first


def test_the_averaged_policy_is_what_draws(generation, tiny, source):
    trainer = make_trainer(tiny, source)
    before = generation.measure(trainer)["eval/ink"]
    with torch.no_grad():
        for parameter in trainer.policy_learner.policy.parameters():
            parameter.zero_()
    assert generation.measure(trainer)["eval/ink"] == before
    with torch.no_grad():
        trainer.policy_learner.average.decoder.heads[0].bias[:] = torch.tensor([100.0, 0.0])  # jumps only
    assert generation.measure(trainer)["eval/ink"] == 0


def test_the_error_of_reconstruction_is_that_of_the_drawings(reconstruction, conditional_config, source):
    trainer = make_trainer(conditional_config, source)
    first, second = (without_seconds(reconstruction.measure(trainer)) for _ in range(2))
    assert first == second
    drawn, goals = (x.numpy() / 255 for x in (reconstruction.episodes.canvas, reconstruction.episodes.goal))
    assert first == {"eval/mse": pytest.approx(np.square(drawn - goals).mean(), rel=1e-4)}


def test_the_reference_of_reconstruction_is_an_empty_canvas(reconstruction):
    goals = reconstruction.episodes.goal.numpy() / 255
    assert reconstruction.reference_rows == {"empty": {"mse": pytest.approx(np.square(1 - goals).mean(), rel=1e-4)}}


def test_the_kind_of_evaluation_follows_from_the_agent(tiny, conditional_config, monkeypatch):
    made = []
    for name in ("GenerationEvaluation", "ReconstructionEvaluation"):
        monkeypatch.setattr(f"limner.training.evaluation.{name}", lambda *_, name=name: made.append(name))
    for config in (tiny, conditional_config, replace(conditional_config, agent=tiny.agent)):
        make_evaluation(config, None, None)
    assert made == ["GenerationEvaluation", "ReconstructionEvaluation", "GenerationEvaluation"]
