import math

import pytest
import torch
from toy_episodes import Bandit

from limner.training.config import PolicyGradientConfig


def test_schedules_are_linear_in_progress():
    config = PolicyGradientConfig(
        learning_rate=1e-3, final_learning_rate=0.1, entropy_cost=0.02, final_entropy_cost=0.5
    )
    bandit = Bandit(config)
    for progress, rate, cost in ((0.0, 1e-3, 0.02), (0.5, 5.5e-4, 0.015), (1.0, 1e-4, 0.01)):
        (metrics,) = bandit.learn(1, progress)
        assert metrics["policy/learning_rate"] == pytest.approx(rate)
        assert bandit.learner.optimizer.param_groups[0]["lr"] == pytest.approx(rate)
        assert metrics["policy/entropy_cost"] == pytest.approx(cost)


def test_gradients_are_clipped_to_the_norm():
    bandit = Bandit(PolicyGradientConfig(gradient_norm=1e-3, minibatches=1, value_cost=100.0))
    (metrics,) = bandit.learn(1)
    assert metrics["policy/gradient_norm"] > 1e-3
    gradients = [parameter.grad.flatten() for parameter in bandit.learner.policy.parameters()]
    assert torch.cat(gradients).norm().item() == pytest.approx(1e-3, rel=1e-3)


def test_the_average_follows_the_policy_by_its_decay():
    bandit = Bandit(PolicyGradientConfig(learning_rate=1e-2, ema_decay=0.15))
    slow = [parameter.detach().clone() for parameter in bandit.learner.average.parameters()]
    for taken in (1, 2, 3):
        bandit.learn(1)
        decay = min(0.15, taken / (taken + 10))  # young averages forget faster
        new = [parameter.detach() for parameter in bandit.learner.policy.parameters()]
        slow = [decay * old + (1 - decay) * now for old, now in zip(slow, new, strict=True)]
        for expected, found in zip(slow, bandit.learner.average.parameters(), strict=True):
            torch.testing.assert_close(found, expected)
            assert not found.requires_grad
    still = Bandit(PolicyGradientConfig(learning_rate=1e-2, ema_decay=0.0))
    still.learn(1)
    pairs = zip(still.learner.policy.parameters(), still.learner.average.parameters(), strict=True)
    assert all(torch.equal(now, averaged) for now, averaged in pairs)


def test_starting_from_a_policy_takes_its_weights_for_policy_and_average():
    bandit, other = (Bandit(PolicyGradientConfig(), seed) for seed in (0, 1))
    bandit.learner.start_from(other.learner.policy)
    for network in (bandit.learner.policy, bandit.learner.average):
        pairs = zip(network.parameters(), other.learner.policy.parameters(), strict=True)
        assert all(torch.equal(mine, its) for mine, its in pairs)
    assert bandit.learner.taken == 1000


def test_the_average_takes_up_no_parameter_that_is_not_finite(monkeypatch):
    bandit = Bandit(PolicyGradientConfig(minibatches=4, learning_rate=2.0))
    learner, calls = bandit.learner, []

    def poisoned():
        calls.append(None)
        if len(calls) == 2:
            learner.policy.value.weight.data[0, 3] = math.nan

    monkeypatch.setattr(learner.optimizer, "step", poisoned)
    (metrics,) = bandit.learn(1)
    assert len(calls) == 4
    assert learner.guard.skips.skipped == 1
    assert all(math.isfinite(value) for value in metrics.values())
    for network in (learner.policy, learner.average):
        assert all(parameter.isfinite().all() for parameter in network.parameters())
