import math
from dataclasses import replace

import pytest
import torch
from toy_episodes import RESOLUTION, episodes_of_toy, seeded

from limner.models.config import CriticConfig
from limner.models.critic import PixelCritic
from limner.training.buffers import RingBuffer
from limner.training.losses import gradient_penalty, zero_centred_penalty
from limner.training.presets import PRESETS
from limner.training.spiral.critic_learner import CriticLearner, CriticSide, score


def dark_on_the_left(count, seed):
    pictures = torch.rand(count, 1, RESOLUTION, RESOLUTION, generator=seeded(seed))
    pictures[..., RESOLUTION // 2 :] *= 0.3
    return pictures


def dark_on_the_right(count, seed):
    return dark_on_the_left(count, seed + 100).flip(-1)


def make_critic_learner(loss="wasserstein", seed=0):
    penalty = {"wasserstein": 10.0, "relativistic": 0.2}[loss]
    config = CriticConfig(
        loss=loss, width=4, learning_rate=2e-3, batch_size=32, steps_per_update=10, gradient_penalty=penalty
    )
    torch.manual_seed(seed)
    painted = {"pictures": dark_on_the_right(256, seed)}
    replay = RingBuffer(256, painted, "replay")
    replay.add(painted)
    pictures = dark_on_the_left(256, seed)

    def real(count, generator):
        return pictures[torch.randint(256, (count,), generator=generator)]

    return CriticLearner(PixelCritic(config, 1, RESOLUTION), config, seeded(seed)), (real, replay)


@pytest.mark.parametrize("loss", ["wasserstein", "relativistic"])
def test_the_critic_learns_to_tell_two_sets_apart(loss):
    learner, pictures = make_critic_learner(loss)
    real, fake = dark_on_the_left(100, 1), dark_on_the_right(100, 1)  # none of them seen in training
    learner.critic.output.bias.data += 5  # the constant is free, and stays out of the centred scores
    assert abs((learner.critic(real).mean() - learner.critic(fake).mean()).item()) < 0.3
    first = learner.step(*pictures)["critic/gap"]
    for _ in range(9):
        metrics = learner.step(*pictures)
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
    learner, pictures = make_critic_learner()
    for _ in range(10):
        metrics = learner.step(*pictures)
    mix = torch.rand(100, 1, 1, 1, generator=seeded())
    between = (mix * dark_on_the_left(100, 1) + (1 - mix) * dark_on_the_right(100, 1)).requires_grad_(True)
    (slope,) = torch.autograd.grad(learner.critic(between).sum(), between)
    assert 0.7 < slope.flatten(1).norm(dim=1).mean() < 1.5
    assert 0 < metrics["critic/penalty"] < 0.3


@pytest.mark.parametrize("share", [1e-9, 0.25, 1.0])
def test_the_penalty_is_estimated_from_a_share_of_the_batch(monkeypatch, share):
    learner, pictures = make_critic_learner()
    learner.config = replace(learner.config, gradient_penalty=10.0, gradient_penalty_share=share)
    counts = []

    def penalty(critic, real, fake, mix):
        counts.append((len(real), len(fake), len(mix)))
        return gradient_penalty(critic, real, fake, mix)

    monkeypatch.setattr("limner.training.spiral.critic_learner.gradient_penalty", penalty)
    metrics = learner.step(*pictures)
    assert set(counts) == {(max(1, round(32 * share)),) * 3}
    assert metrics["critic/penalty"] > 0


def test_the_relativistic_penalty_is_zero_centred_and_estimated_from_a_share(monkeypatch):
    learner, pictures = make_critic_learner("relativistic")
    learner.config = replace(learner.config, gradient_penalty_share=0.25)
    counts = []

    def penalty(critic, real, fake):
        counts.append((len(real), len(fake)))
        return zero_centred_penalty(critic, real, fake)

    monkeypatch.setattr("limner.training.spiral.critic_learner.zero_centred_penalty", penalty)
    assert learner.step(*pictures)["critic/penalty"] > 0
    assert set(counts) == {(8, 8)}


def test_without_a_penalty_none_is_computed(monkeypatch):
    learner, pictures = make_critic_learner()
    learner.config = replace(learner.config, gradient_penalty=0.0)
    monkeypatch.setattr("limner.training.spiral.critic_learner.gradient_penalty", None)
    assert learner.step(*pictures)["critic/penalty"] == 0


def test_the_critic_follows_its_generator():
    weights = []
    for seed in (0, 0, 1):
        learner, pictures = make_critic_learner()
        learner.generator.manual_seed(seed)
        learner.step(*pictures)
        weights.append(learner.critic.output.weight.detach().clone())
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_every_canvas_is_scored_without_touching_the_critic():
    _, episodes = episodes_of_toy()
    critic = PixelCritic(CriticConfig(width=4), 1, RESOLUTION)
    critic.offset.fill_(0.7)
    scores = score(critic, episodes)
    assert scores.shape == (5, 8)
    assert not scores.requires_grad
    for t in range(5):
        torch.testing.assert_close(scores[t], critic(episodes.observed[t]).detach() - 0.7)


def test_every_canvas_is_scored_with_its_target():
    _, episodes = episodes_of_toy()
    episodes.target = torch.rand(8, 1, RESOLUTION, RESOLUTION, generator=seeded(3))
    critic = PixelCritic(CriticConfig(width=4), 1, RESOLUTION, conditional=True)
    scores = score(critic, episodes)
    for t in range(5):
        pictures = torch.cat([episodes.observed[t], episodes.target], dim=1)
        torch.testing.assert_close(scores[t], critic(pictures).detach())


def test_only_the_step_on_pictures_that_are_not_finite_is_skipped():
    (learner, (real, replay)), (healthy, pictures) = make_critic_learner(), make_critic_learner()
    calls = []

    def poisoned(count, generator):
        calls.append(count)
        return real(count, generator) * (math.nan if len(calls) == 10 else 1.0)

    metrics = learner.step(poisoned, replay)
    assert (learner.taken, learner.guard.skips.skipped) == (9, 1)
    assert learner.guard.skips.first == "real of the critic became NaN"
    healthy.config = replace(healthy.config, steps_per_update=9)
    assert healthy.step(*pictures) == metrics
    assert torch.equal(learner.critic.output.weight, healthy.critic.output.weight)
    assert learner.critic.offset == healthy.critic.offset


def test_a_gradient_that_is_not_finite_is_skipped_where_the_loss_is(monkeypatch):
    """The penalty's gradient of a critic that is flat at a picture: a root has no slope at zero."""
    learner, pictures = make_critic_learner()
    before = [parameter.clone() for parameter in learner.critic.parameters()]

    def poisoned(critic, real, fake, mix):
        return (critic(real).sum() * 0.0).sqrt()

    monkeypatch.setattr("limner.training.spiral.critic_learner.gradient_penalty", poisoned)
    metrics = learner.step(*pictures)
    assert learner.guard.skips.first == "gradient of the critic became NaN"
    assert (learner.taken, learner.guard.skips.skipped) == (0, 10)
    assert all(map(torch.equal, before, learner.critic.parameters()))
    assert all(math.isnan(value) for value in metrics.values())
    assert learner.critic.offset == 0


# --- The side of an update on which the critic learns -------------------------------------------------------------

TINY = PRESETS["tiny"].config


def painted(config, seed):
    side = config.agent.resolution
    return torch.rand(config.run.episodes, 2 if config.agent.conditional else 1, side, side, generator=seeded(seed))


@pytest.mark.parametrize("conditional", [False, True])
def test_what_is_painted_is_remembered_and_learnt_from(conditional, source):
    config = replace(TINY, agent=replace(TINY.agent, conditional=conditional))
    side = CriticSide(config, source)
    before = [parameter.detach().clone() for parameter in side.learner.critic.parameters()]
    for update in (1, 2, 3):
        learnt = side.learn(painted(config, update), update)
    assert torch.equal(side.replay.rows["pictures"], torch.cat([painted(config, 3), painted(config, 2)]))
    assert any(not torch.equal(a, b) for a, b in zip(before, side.learner.critic.parameters(), strict=True))
    assert learnt.figures.keys() == {"critic/gap", "critic/penalty", "seconds/critic learning"}
    assert learnt.skips == side.skips() == side.learner.guard.skips
    for name, tensor in side.learner.critic.state_dict().items():
        assert torch.equal(learnt.weights[name], tensor)


def test_it_goes_on_from_given_weights(source):
    side, other = CriticSide(TINY, source), CriticSide(TINY, source)
    side.learn(painted(TINY, 1), 1)
    other.set_weights(side.learner.critic.state_dict())
    for a, b in zip(side.learner.critic.parameters(), other.learner.critic.parameters(), strict=True):
        assert torch.equal(a, b)


def test_it_goes_on_from_the_state_of_another_bit_for_bit(source):
    first, second = CriticSide(TINY, source), CriticSide(TINY, source)
    for update in (1, 2, 3):
        first.learn(painted(TINY, update), update)
    second.restore(first.state(), first.counters())
    for side in (first, second):
        side.learn(painted(TINY, 4), 4)
    assert first.counters() == second.counters()
    one, other = first.state(), second.state()
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


def test_the_batch_of_a_skipped_step_is_kept_under_the_number_of_the_update(source, tmp_path):
    side = CriticSide(TINY, source)
    side.keep_skipped(tmp_path)
    learnt = side.learn(torch.full_like(painted(TINY, 1), math.nan), 7)
    assert learnt.skips.skipped > 0
    assert learnt.skips.began == 7
    assert [path.name for path in tmp_path.iterdir()] == ["00000007-critic.safetensors"]


def test_the_real_example_for_a_target_is_the_target(source):
    side = CriticSide(replace(TINY, agent=replace(TINY.agent, conditional=True)), source)
    pictures, targets = side.real(5, seeded()).chunk(2, dim=1)
    assert torch.equal(pictures, targets)
    rows = source.draw_rows(5, seeded())
    assert torch.equal(pictures, source.take_preprocessed(rows, TINY.agent.resolution))
