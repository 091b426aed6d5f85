import math
from dataclasses import replace

import pytest
import torch

from limner.training import NonFiniteError
from limner.training.config import OptimizerConfig
from limner.training.imitation.trainer import ImitationTrainer


@pytest.fixture
def trainer(random_config, source):
    return ImitationTrainer(replace(random_config, steps_per_update=4), source)


def weights(module):
    return [parameter.detach().clone() for parameter in module.parameters()]


def poison(monkeypatch, learner, numbers):
    """Make the log-probabilities NaN in the gradient steps with these numbers, from 1."""
    evaluate, calls = learner.policy.evaluate, []

    def poisoned(observation, actions):
        calls.append(None)
        evaluated = evaluate(observation, actions)
        return evaluated._replace(log_prob=evaluated.log_prob * (math.nan if len(calls) in numbers else 1.0))

    monkeypatch.setattr(learner.policy, "evaluate", poisoned)


def test_the_average_follows_every_gradient_step(trainer):
    learner = trainer.policy_learner
    learner.optimizer_config = OptimizerConfig(ema_decay=0.5)
    trainer.update(0.0)
    assert learner.taken == 4


def test_a_step_that_is_not_finite_is_skipped_and_the_figures_are_those_of_the_others(trainer, monkeypatch):
    poison(monkeypatch, trainer.policy_learner, {3})
    metrics = trainer.update(0.0)
    learner = trainer.policy_learner
    assert learner.guard.counters() == {"policy_skipped": 1, "policy_skipped_in_a_row": 0}
    assert learner.guard.first == (1, "log_prob of the policy became NaN")
    assert learner.taken == 3
    assert all(math.isfinite(value) for value in metrics.values())
    assert all(parameter.isfinite().all() for parameter in (*weights(learner.policy), *weights(learner.average)))


def test_where_no_step_is_taken_nothing_is_learnt_and_after_ten_training_stops(trainer, monkeypatch):
    trainer.update(0.0)
    learner = trainer.policy_learner
    before = weights(learner.policy), weights(learner.average)
    poison(monkeypatch, learner, range(1, 100))
    for _ in range(2):
        assert math.isnan(trainer.update(0.0)["policy/nll"])
    with pytest.raises(NonFiniteError, match=r"in update 4: .* First log_prob of the policy became NaN, in update 2"):
        trainer.update(0.0)
    after = weights(learner.policy), weights(learner.average)
    assert all(map(torch.equal, before[0] + before[1], after[0] + after[1]))
    assert learner.guard.skipped == 10
