import math
from dataclasses import replace

import pytest
import torch

from limner.worlds.paint.actions import JUMP, PAINT, VIA, bezier_actions, paint_actions
from limner.agents.rollout import EpisodeBatch, collect
from limner.models.critic import Critic, complement
from limner.models.policy import Policy
from limner.training.buffers import Replay
from limner.training.config import Config, CriticConfig, LearningConfig, PolicyConfig, RewardConfig
from limner.training.losses import gradient_penalty
from limner.training.policy_learner import CriticLearner, PolicyLearner, reward, score
from limner.worlds.toy.renderer import Toy
from limner.worlds.toy.settings import ToySettings

RESOLUTION = 16


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


# --- The critic --------------------------------------------------------------------------------------------------


def dark_on_the_left(count, seed):
    pictures = torch.rand(count, 1, RESOLUTION, RESOLUTION, generator=generator(seed))
    pictures[..., RESOLUTION // 2 :] *= 0.3
    return pictures


def dark_on_the_right(count, seed):
    return dark_on_the_left(count, seed + 100).flip(-1)


def make_critic_learner(loss="wasserstein", seed=0):
    config = CriticConfig(loss=loss, width=4, learning_rate=2e-3, batch=32, steps=10)
    torch.manual_seed(seed)
    replay = Replay(256, (1, RESOLUTION, RESOLUTION))
    replay.add(dark_on_the_right(256, seed))
    pictures = dark_on_the_left(256, seed)

    def real(count, generator):
        return pictures[torch.randint(256, (count,), generator=generator)]

    return CriticLearner(Critic(config, 1, RESOLUTION), real, config, generator(seed)), replay


@pytest.mark.parametrize("loss", ["wasserstein", "logistic"])
def test_the_critic_learns_to_tell_two_sets_apart(loss):
    learner, replay = make_critic_learner(loss)
    real, fake = dark_on_the_left(100, 1), dark_on_the_right(100, 1)  # none of them seen in training
    if loss == "wasserstein":
        learner.critic.output.bias.data += 5  # the constant is free, and stays out of the centred scores
    assert abs((learner.critic(real).mean() - learner.critic(fake).mean()).item()) < 0.3
    first = learner.step(replay)["critic/gap"]
    for _ in range(9):
        metrics = learner.step(replay)
    learner.critic.eval()
    with torch.no_grad():
        scores_real, scores_fake = learner.critic.score(real), learner.critic.score(fake)
    assert (scores_real[:, None] > scores_fake).float().mean() > 0.98
    gap = (scores_real.mean() - scores_fake.mean()).item()
    assert gap > 2
    assert metrics["critic/gap"] == pytest.approx(gap, rel=0.35)
    assert metrics["critic/gap"] > first + 1
    assert abs((scores_real.mean() + scores_fake.mean()).item()) < 0.25 * gap, "the scores are not centred"
    assert learner.taken == 100


def test_the_penalty_keeps_the_slope_near_one():
    learner, replay = make_critic_learner()
    for _ in range(10):
        metrics = learner.step(replay)
    mix = torch.rand(100, 1, 1, 1, generator=generator())
    between = (mix * dark_on_the_left(100, 1) + (1 - mix) * dark_on_the_right(100, 1)).requires_grad_(True)
    (slope,) = torch.autograd.grad(learner.critic(between).sum(), between)
    assert 0.7 < slope.flatten(1).norm(dim=1).mean() < 1.5
    assert 0 < metrics["critic/penalty"] < 0.3


@pytest.mark.parametrize("share", [1e-9, 0.25, 1.0])
def test_the_penalty_is_estimated_from_a_share_of_the_batch(monkeypatch, share):
    learner, replay = make_critic_learner()
    learner.config = replace(learner.config, penalised=share)
    counts = []

    def penalty(critic, real, fake, mix):
        counts.append((len(real), len(fake), len(mix)))
        return gradient_penalty(critic, real, fake, mix)

    monkeypatch.setattr("limner.training.policy_learner.gradient_penalty", penalty)
    metrics = learner.step(replay)
    assert set(counts) == {(max(1, round(32 * share)),) * 3}
    assert metrics["critic/penalty"] > 0


def test_the_critic_follows_its_generator():
    weights = []
    for seed in (0, 0, 1):
        learner, replay = make_critic_learner()
        learner.generator.manual_seed(seed)
        learner.step(replay)
        weights.append(learner.critic.output.weight.detach().clone())
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


# --- Rewards -----------------------------------------------------------------------------------------------------


def small(steps):
    return Config(steps=steps, resolution=RESOLUTION, policy=PolicyConfig(noise=2))


def episodes_of_toy(steps=4, batch=8, seed=0):
    """Random episodes; the first canvas stays empty."""
    renderer = Toy(ToySettings(canvas=16, grid=4), batch)
    torch.manual_seed(seed)
    policy = Policy(renderer.actions, PolicyConfig(channels=4, hidden=32, noise=2), 1, RESOLUTION)
    episodes = EpisodeBatch.empty(small(steps), renderer)
    collect(renderer, policy, episodes, generator(seed))
    episodes.actions[:, 0, 0] = 0
    episodes.ink[:, 0] = 0
    return renderer, episodes


def test_every_canvas_is_scored_without_touching_the_critic():
    _, episodes = episodes_of_toy()
    critic = Critic(CriticConfig(width=4), 1, RESOLUTION)
    critic.offset.fill_(0.7)
    scores = score(critic, episodes)
    assert scores.shape == (5, 8)
    assert not scores.requires_grad
    for t in range(5):
        torch.testing.assert_close(scores[t], critic(episodes.ink[t]).detach() - 0.7)


@pytest.mark.parametrize("shown", ["beside", "complement"])
def test_every_canvas_is_scored_with_its_target(shown):
    _, episodes = episodes_of_toy()
    episodes.target = torch.rand(8, 1, RESOLUTION, RESOLUTION, generator=generator(3))
    critic = Critic(CriticConfig(width=4, target=shown), 1, RESOLUTION, conditional=True)
    scores = score(critic, episodes)
    for t in range(5):
        pictures = torch.cat([episodes.ink[t], episodes.target], dim=1)
        if shown == "complement":  # the same half all through an episode
            pictures = complement(pictures, torch.arange(8) % 4)
        torch.testing.assert_close(scores[t], critic(pictures).detach())


def test_rewards_weigh_the_critic_against_the_distance():
    renderer, episodes = episodes_of_toy()
    scores, episodes.distance = torch.randn(5, 8, generator=generator()), torch.rand(5, 8, generator=generator(1))
    rewards = reward(scores, episodes, renderer.actions, RewardConfig(critic=0.5, distance=20.0))
    mixed = 0.5 * scores - 20 * episodes.distance
    torch.testing.assert_close(rewards, mixed[1:] - mixed[:-1])


@pytest.mark.parametrize("form", ["differences", "final"])
@pytest.mark.parametrize(("stroke", "empty"), [(0.0, 0.0), (0.3, 0.0), (0.0, 2.0), (0.3, 2.0)])
def test_rewards_are_scores_less_penalties(form, stroke, empty):
    renderer, episodes = episodes_of_toy()
    scores = torch.randn(5, 8, generator=generator())
    config = RewardConfig(form=form, stroke_penalty=stroke, empty_penalty=empty)
    rewards = reward(scores, episodes, renderer.actions, config)
    flags = episodes.actions[..., 0].tolist()
    starts = 0
    for b in range(8):
        for t in range(4):
            if form == "differences":
                expected = scores[t + 1, b] - scores[t, b]
            else:
                expected = scores[4, b] if t == 3 else torch.zeros(())
            if flags[t][b] == 1 and (t == 0 or flags[t - 1][b] == 0):
                expected = expected - stroke
                starts += 1
            if t == 3 and b == 0:  # the only empty picture
                expected = expected - empty
            assert rewards[t, b].item() == pytest.approx(expected.item(), abs=1e-6)
    assert 0 < starts < 28
    assert (episodes.final.flatten(1).sum(1) == 0).tolist() == [True] + [False] * 7


# --- The policy --------------------------------------------------------------------------------------------------


class Bandit:
    """Two strokes on a tiny canvas; each is paid ten times the ink it adds on the right, less that on the left."""

    def __init__(self, config, seed=0):
        self.renderer = Toy(ToySettings(canvas=16, grid=4), batch=64)
        self.episodes = EpisodeBatch.empty(small(2), self.renderer)
        torch.manual_seed(seed)
        policy = Policy(self.renderer.actions, PolicyConfig(channels=4, hidden=32, noise=2), 1, RESOLUTION)
        self.learner = PolicyLearner(policy, config, generator(seed))
        self.acting = generator(seed + 1)

    def play(self, policy=None):
        """Rewards [T, B] of one batch."""
        collect(self.renderer, policy or self.learner.policy, self.episodes, self.acting)
        left, right = self.episodes.ink.chunk(2, dim=-1)
        worth = 10 * (right - left).mean((2, 3, 4))
        return worth[1:] - worth[:-1]

    def learn(self, updates, progress=0.0):
        return [self.learner.step(self.episodes, self.play(), progress) for _ in range(updates)]


@pytest.mark.parametrize("clip", [0.2, None])
def test_the_policy_learns_what_it_is_paid_for(clip):
    bandit = Bandit(LearningConfig(clip=clip, learning_rate=3e-3, entropy_cost=0.0, average=0.5))
    assert bandit.play().sum(0).mean() < 0.3
    metrics = bandit.learn(16)
    assert bandit.play().sum(0).mean() > 1.0
    assert bandit.play(bandit.learner.average).sum(0).mean() > 1.0
    assert metrics[-1]["policy/entropy"] < metrics[0]["policy/entropy"] - 1
    assert all(math.isfinite(value) for record in metrics for value in record.values())


def test_the_value_learns_the_returns():
    bandit = Bandit(LearningConfig(learning_rate=1e-2))
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
    bandit = Bandit(LearningConfig(learning_rate=1e-2, entropy_cost=1.0, gradient_norm=10.0))
    with torch.no_grad():
        bandit.learner.policy.decoder.heads[1].bias[0] = 4  # nearly always the first of 16 places
    entropies = []
    for _ in range(15):
        bandit.play()
        entropies.append(bandit.learner.step(bandit.episodes, torch.zeros(2, 64), 0.0)["policy/entropy"])
    assert entropies[-1] > entropies[0] + 0.8


def test_below_its_floor_entropy_is_worth_more_and_above_it_no_more_than_configured():
    bandit = Bandit(LearningConfig(entropy_cost=0.01, entropy_floor=100.0))
    costs = [metrics["policy/entropy_cost"] for metrics in bandit.learn(3)]
    assert costs == pytest.approx([0.01, 0.0102, 0.010404])
    bandit.learner.entropy_scale = 1e6
    bandit.learn(1)
    assert bandit.learner.entropy_scale == 100
    bandit.learner.config = LearningConfig(entropy_cost=0.01, entropy_floor=0.0)
    bandit.learn(2)
    assert bandit.learner.entropy_scale == pytest.approx(100 / 1.02**2)
    bandit.learner.entropy_scale = 1.01
    bandit.learn(1)
    assert bandit.learner.entropy_scale == 1


def test_a_policy_that_moves_too_far_learns_more_slowly_until_it_keeps_to_the_target():
    bandit = Bandit(LearningConfig(learning_rate=1e-2, minibatches=1, passes=8, target_kl=1e-9))
    assert [metrics["policy/learning_rate"] for metrics in bandit.learn(2)] == pytest.approx([1e-2, 1e-2 / 1.5])
    bandit.learner.learning_rate_divisor = 900.0
    bandit.learn(1)
    assert bandit.learner.learning_rate_divisor == 1000
    bandit.learner.learning_rate_divisor = 2.0
    bandit.learner.config = LearningConfig(learning_rate=1e-2, target_kl=1e6)
    assert [metrics["policy/learning_rate"] for metrics in bandit.learn(3)] == pytest.approx(
        [1e-2 / 2, 1e-2 / 2 * 1.5, 1e-2]
    )
    bandit.learner.config = LearningConfig(learning_rate=1e-2)
    bandit.learn(1)
    assert bandit.learner.learning_rate_divisor == 1


def test_schedules_are_linear_in_progress():
    config = LearningConfig(learning_rate=1e-3, final_learning_rate=0.1, entropy_cost=0.02, final_entropy_cost=0.5)
    bandit = Bandit(config)
    for progress, rate, cost in ((0.0, 1e-3, 0.02), (0.5, 5.5e-4, 0.015), (1.0, 1e-4, 0.01)):
        (metrics,) = bandit.learn(1, progress)
        assert metrics["policy/learning_rate"] == pytest.approx(rate)
        assert bandit.learner.optimizer.param_groups[0]["lr"] == pytest.approx(rate)
        assert metrics["policy/entropy_cost"] == pytest.approx(cost)


def test_the_first_gradient_step_is_on_policy_and_later_ones_are_not():
    for passes, moved in ((1, False), (3, True)):
        bandit = Bandit(LearningConfig(learning_rate=1e-2, minibatches=1, passes=passes))
        (metrics,) = bandit.learn(1)
        assert (abs(metrics["policy/kl"]) > 1e-5) == moved


@pytest.mark.parametrize(("passes", "minibatches"), [(1, 4), (3, 2)])
def test_a_pass_takes_every_episode_once(monkeypatch, passes, minibatches):
    bandit = Bandit(LearningConfig(passes=passes, minibatches=minibatches))
    taken = []
    original = EpisodeBatch.observations

    def observations(self, episodes=None):
        taken.append(episodes.tolist())
        return original(self, episodes)

    monkeypatch.setattr(EpisodeBatch, "observations", observations)
    bandit.learn(1)
    assert [len(rows) for rows in taken] == [64 // minibatches] * (passes * minibatches)
    for i in range(passes):
        rows = [row for chunk in taken[i * minibatches : (i + 1) * minibatches] for row in chunk]
        assert sorted(rows) == list(range(64))
        assert rows != sorted(rows)


def test_gradients_are_clipped_to_the_norm():
    bandit = Bandit(LearningConfig(gradient_norm=1e-3, minibatches=1, value_cost=100.0))
    (metrics,) = bandit.learn(1)
    assert metrics["policy/gradient_norm"] > 1e-3
    gradients = [parameter.grad.flatten() for parameter in bandit.learner.policy.parameters()]
    assert torch.cat(gradients).norm().item() == pytest.approx(1e-3, rel=1e-3)


def test_the_average_follows_the_policy_by_its_decay():
    bandit = Bandit(LearningConfig(learning_rate=1e-2, average=0.15))
    slow = [parameter.detach().clone() for parameter in bandit.learner.average.parameters()]
    for taken in (1, 2, 3):
        bandit.learn(1)
        decay = min(0.15, taken / (taken + 10))  # young averages forget faster
        new = [parameter.detach() for parameter in bandit.learner.policy.parameters()]
        slow = [decay * old + (1 - decay) * now for old, now in zip(slow, new, strict=True)]
        for expected, found in zip(slow, bandit.learner.average.parameters(), strict=True):
            torch.testing.assert_close(found, expected)
            assert not found.requires_grad
    still = Bandit(LearningConfig(learning_rate=1e-2, average=0.0))
    still.learn(1)
    pairs = zip(still.learner.policy.parameters(), still.learner.average.parameters(), strict=True)
    assert all(torch.equal(now, averaged) for now, averaged in pairs)


def test_an_anchor_holds_the_policy_near_its_average():
    drifts = []
    for cost in (1e-9, 3.0):
        bandit = Bandit(LearningConfig(learning_rate=3e-3, entropy_cost=0.0, anchor_cost=cost, average=0.95))
        drifts.append(bandit.learn(8)[-1]["policy/drift"])
    assert 0 < drifts[1] < 0.5 * drifts[0]
    assert Bandit(LearningConfig(anchor_cost=0.0)).learn(1)[0]["policy/drift"] == 0


def test_a_prior_cost_keeps_the_policy_near_where_it_started():
    strange = []
    for cost in (1e-9, 3.0):
        bandit = Bandit(LearningConfig(learning_rate=3e-3, entropy_cost=0.0, prior_cost=cost))
        first = [parameter.clone() for parameter in bandit.learner.prior.parameters()]
        metrics = bandit.learn(12)
        strange.append(metrics[-1]["policy/strangeness"])
        assert metrics[0]["policy/strangeness"] == pytest.approx(0, abs=1e-5)
        assert all(map(torch.equal, first, bandit.learner.prior.parameters()))
    assert strange[0] > 0.1
    assert strange[1] < 0.5 * strange[0]
    bandit = Bandit(LearningConfig())
    assert bandit.learner.prior is None
    assert bandit.learn(1)[0]["policy/strangeness"] == 0


def test_a_control_point_does_not_lift_the_pen():
    _, episodes = episodes_of_toy()
    spline = paint_actions("spline", 4, (2,), 1, False, 2)
    flags = torch.tensor([[JUMP, VIA, VIA, PAINT], [VIA, PAINT, VIA, PAINT], [PAINT, JUMP, PAINT, VIA]])
    actions = torch.zeros(4, 3, len(spline), dtype=torch.int64)
    actions[..., 0] = flags.T
    scores = torch.zeros(5, 3)
    episodes = replace(episodes, actions=actions, distance=torch.zeros(5, 3))
    paid = reward(scores, episodes, spline, RewardConfig(stroke_penalty=1.0))
    assert (-paid.T).tolist() == [[0, 1, 0, 0], [1, 0, 0, 0], [1, 0, 1, 0]]


def test_a_space_without_a_flag_pays_no_stroke_penalty():
    _, episodes = episodes_of_toy()
    flagless = type(bezier_actions())(bezier_actions(grid=4).parts[1:2])
    scores = torch.randn(5, 8, generator=generator())
    paid = reward(scores, episodes, flagless, RewardConfig(stroke_penalty=1.0))
    torch.testing.assert_close(paid, scores[1:] - scores[:-1])
