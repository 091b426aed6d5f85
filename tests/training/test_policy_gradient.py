import math

import pytest
import torch
from toy_episodes import Bandit

from limner.agents.rollout import EpisodeBatch
from limner.training.config import PolicyGradientConfig


@pytest.mark.parametrize("clip", [0.2, None])
def test_the_policy_learns_what_it_is_paid_for(clip):
    bandit = Bandit(PolicyGradientConfig(clip=clip, learning_rate=3e-3, entropy_cost=0.0, ema_decay=0.5))
    assert bandit.play().sum(0).mean() < 0.3
    metrics = bandit.learn(16)
    assert bandit.play().sum(0).mean() > 1.0
    assert bandit.play(bandit.learner.average).sum(0).mean() > 1.0
    assert metrics[-1]["policy/entropy"] < metrics[0]["policy/entropy"] - 1
    assert all(math.isfinite(value) for record in metrics for value in record.values())


@pytest.mark.parametrize("clip", [0.2, None])
def test_the_policy_learns_from_candidates_that_were_not_executed(clip):
    config = PolicyGradientConfig(clip=clip, learning_rate=3e-3, entropy_cost=0.0, ema_decay=0.5, candidates=3)
    bandit = Bandit(config)
    metrics = bandit.learn(16)
    assert bandit.play().sum(0).mean() > 1.0
    assert metrics[-1]["policy/entropy"] < metrics[0]["policy/entropy"] - 1
    assert all(math.isfinite(value) for record in metrics for value in record.values())


def test_candidates_that_are_paid_alike_teach_nothing():
    bandit = Bandit(PolicyGradientConfig(candidates=2, entropy_cost=0.0, value_cost=0.0, advantage_floor=1e-3))
    rewards = bandit.play()
    before = [parameter.clone() for parameter in bandit.learner.policy.parameters()]
    bandit.learner.step(bandit.episodes, rewards, 0.0, others=rewards.sum(0).expand(2, 64)[..., None])
    moved = max((a - b).abs().max().item() for a, b in zip(before, bandit.learner.policy.parameters(), strict=True))
    assert moved < 1e-6


def test_where_old_weights_acted_the_first_step_is_that_of_v_trace_without_a_clipped_ratio():
    stepped = []
    for clip, lag in ((0.2, 2), (None, 2), (0.2, 1)):
        bandit = Bandit(PolicyGradientConfig(clip=clip, minibatches=1))
        rewards = bandit.play()
        bandit.episodes.log_prob.add_(torch.randn(2, 64, generator=torch.Generator().manual_seed(0)))
        bandit.learner.step(bandit.episodes, rewards, 0.0, lag=lag)
        stepped.append(torch.cat([parameter.detach().flatten() for parameter in bandit.learner.policy.parameters()]))
    torch.testing.assert_close(stepped[0], stepped[1])
    assert (stepped[0] - stepped[2]).abs().max() > 1e-4


def test_the_value_learns_the_returns():
    bandit = Bandit(PolicyGradientConfig(learning_rate=1e-2))
    for _ in range(15):
        bandit.play()
        rewards = torch.stack([torch.full((64,), 0.5), (bandit.episodes.noise[:, 0] > 0).float()])
        bandit.learner.step(bandit.episodes, rewards, 0.0)
    with torch.no_grad():
        value = bandit.learner.policy.evaluate(bandit.episodes.observations(), bandit.episodes.actions).value
    for t, later in enumerate((0.5, 0.0)):
        high = bandit.episodes.noise[:, 0] > 0.5
        low = bandit.episodes.noise[:, 0] < -0.5
        assert abs(value[t, high].mean() - later - 1) < 0.3
        assert abs(value[t, low].mean() - later) < 0.3


def test_the_entropy_bonus_alone_makes_the_policy_uniform():
    bandit = Bandit(PolicyGradientConfig(learning_rate=1e-2, entropy_cost=1.0, gradient_norm=10.0))
    with torch.no_grad():
        bandit.learner.policy.decoder.heads[1].bias[0] = 4  # nearly always the first of 16 places
    entropies = []
    for _ in range(15):
        bandit.play()
        entropies.append(bandit.learner.step(bandit.episodes, torch.zeros(2, 64), 0.0)["policy/entropy"])
    assert entropies[-1] > entropies[0] + 0.8


def test_below_its_floor_entropy_is_worth_more_and_above_it_no_more_than_configured():
    bandit = Bandit(PolicyGradientConfig(entropy_cost=0.01, entropy_floor=100.0))
    costs = [metrics["policy/entropy_cost"] for metrics in bandit.learn(3)]
    assert costs == pytest.approx([0.01, 0.0102, 0.010404])
    bandit.learner.entropy_scale = 1e6
    bandit.learn(1)
    assert bandit.learner.entropy_scale == 100
    bandit.learner.config = PolicyGradientConfig(entropy_cost=0.01, entropy_floor=0.0)
    bandit.learn(2)
    assert bandit.learner.entropy_scale == pytest.approx(100 / 1.02**2)
    bandit.learner.entropy_scale = 1.01
    bandit.learn(1)
    assert bandit.learner.entropy_scale == 1


def test_a_policy_that_moves_too_far_learns_more_slowly_until_it_keeps_to_the_target():
    bandit = Bandit(PolicyGradientConfig(learning_rate=1e-2, minibatches=1, epochs=8, target_kl=1e-9))
    assert [metrics["policy/learning_rate"] for metrics in bandit.learn(2)] == pytest.approx([1e-2, 1e-2 / 1.5])
    bandit.learner.learning_rate_divisor = 900.0
    bandit.learn(1)
    assert bandit.learner.learning_rate_divisor == 1000
    bandit.learner.learning_rate_divisor = 2.0
    bandit.learner.config = PolicyGradientConfig(learning_rate=1e-2, target_kl=1e6)
    assert [metrics["policy/learning_rate"] for metrics in bandit.learn(3)] == pytest.approx(
        [1e-2 / 2, 1e-2 / 2 * 1.5, 1e-2]
    )
    bandit.learner.config = PolicyGradientConfig(learning_rate=1e-2)
    bandit.learn(1)
    assert bandit.learner.learning_rate_divisor == 1


def test_the_first_gradient_step_is_on_policy_and_later_ones_are_not():
    for epochs, moved in ((1, False), (3, True)):
        bandit = Bandit(PolicyGradientConfig(learning_rate=1e-2, minibatches=1, epochs=epochs))
        (metrics,) = bandit.learn(1)
        assert (abs(metrics["policy/kl"]) > 1e-5) == moved


@pytest.mark.parametrize(("epochs", "minibatches"), [(1, 4), (3, 2)])
def test_an_epoch_takes_every_episode_once(monkeypatch, epochs, minibatches):
    bandit = Bandit(PolicyGradientConfig(epochs=epochs, minibatches=minibatches))
    taken = []
    original = EpisodeBatch.observations

    def observations(self, episodes=None):
        taken.append(episodes.tolist())
        return original(self, episodes)

    monkeypatch.setattr(EpisodeBatch, "observations", observations)
    bandit.learn(1)
    assert [len(rows) for rows in taken] == [64 // minibatches] * (epochs * minibatches)
    for i in range(epochs):
        rows = [row for chunk in taken[i * minibatches : (i + 1) * minibatches] for row in chunk]
        assert sorted(rows) == list(range(64))
        assert rows != sorted(rows)


def test_the_cost_of_the_average_holds_the_policy_near_it():
    divergences = []
    for cost in (1e-9, 3.0):
        config = PolicyGradientConfig(learning_rate=3e-3, entropy_cost=0.0, kl_average_cost=cost, ema_decay=0.95)
        divergences.append(Bandit(config).learn(8)[-1]["policy/kl_average"])
    assert 0 < divergences[1] < 0.5 * divergences[0]
    assert Bandit(PolicyGradientConfig(kl_average_cost=0.0)).learn(1)[0]["policy/kl_average"] == 0


def test_the_cost_of_the_prior_keeps_the_policy_near_where_it_started():
    log_ratios = []
    for cost in (1e-9, 3.0):
        bandit = Bandit(PolicyGradientConfig(learning_rate=3e-3, entropy_cost=0.0, kl_prior_cost=cost))
        first = [parameter.clone() for parameter in bandit.learner.prior.parameters()]
        metrics = bandit.learn(12)
        log_ratios.append(metrics[-1]["policy/log_ratio_to_prior"])
        assert metrics[0]["policy/log_ratio_to_prior"] == pytest.approx(0, abs=1e-5)
        assert all(map(torch.equal, first, bandit.learner.prior.parameters()))
    assert log_ratios[0] > 0.1
    assert log_ratios[1] < 0.5 * log_ratios[0]
    bandit = Bandit(PolicyGradientConfig())
    assert bandit.learner.prior is None
    assert bandit.learn(1)[0]["policy/log_ratio_to_prior"] == 0


def test_the_prior_is_the_policy_that_the_run_starts_from_and_is_not_moved_by_later_counters():
    bandit, other = (Bandit(PolicyGradientConfig(kl_prior_cost=1.0), seed) for seed in (0, 1))
    bandit.learner.start_from(other.learner.policy)
    pairs = zip(bandit.learner.prior.parameters(), other.learner.policy.parameters(), strict=True)
    assert all(torch.equal(mine, its) for mine, its in pairs)


def test_counters_put_back_the_adaptive_scales():
    bandit = Bandit(PolicyGradientConfig(entropy_floor=100.0, target_kl=1e-12, epochs=2))
    bandit.learn(3)
    counters = bandit.learner.counters()
    assert counters["entropy_scale"] > 1
    assert counters["learning_rate_divisor"] > 1
    again = Bandit(PolicyGradientConfig())
    again.learner.load(counters)
    assert again.learner.counters() == counters


def test_only_the_minibatch_with_a_reward_that_is_not_finite_is_skipped():
    bandit = Bandit(PolicyGradientConfig(minibatches=4, entropy_floor=100.0))
    learner, rewards = bandit.learner, bandit.play()
    rewards[0, 7] = math.nan
    metrics = learner.step(bandit.episodes, rewards, 0.0)
    assert learner.guard.counters() == {"policy_skipped": 1, "policy_skipped_in_a_row": learner.guard.skips.in_a_row}
    assert learner.guard.skips.first == "rewards of the policy became NaN"
    assert all(math.isfinite(value) for value in metrics.values())
    assert all(parameter.isfinite().all() for parameter in learner.policy.parameters())
    assert learner.entropy_scale == 1.02


def test_where_no_step_is_taken_nothing_is_learnt_or_adapted():
    bandit = Bandit(PolicyGradientConfig(minibatches=4, entropy_floor=100.0, target_kl=1e-12))
    learner, rewards = bandit.learner, bandit.play()
    before = [parameter.clone() for parameter in learner.policy.parameters()]
    metrics = learner.step(bandit.episodes, rewards + math.inf, 0.0, scores=torch.full((3, 64), math.inf))
    assert learner.guard.skips.skipped == 4
    assert learner.guard.skips.first == "scores of the policy became infinite"
    assert all(map(torch.equal, before, learner.policy.parameters()))
    assert (learner.entropy_scale, learner.learning_rate_divisor) == (1, 1)
    assert math.isnan(metrics["policy/entropy"])


def test_a_policy_whose_actions_have_no_finite_probability_is_found_out():
    """Finite weights so large that what is computed from them is not."""
    bandit = Bandit(PolicyGradientConfig(minibatches=4))
    with torch.no_grad():
        for parameter in bandit.learner.policy.parameters():
            parameter.mul_(1e15)
    rewards = bandit.play()
    assert rewards.isfinite().all()
    bandit.learner.step(bandit.episodes, rewards, 0.0)
    assert bandit.learner.guard.skips.skipped == 4
    assert bandit.learner.guard.skips.first == "log_prob of the policy became NaN"
