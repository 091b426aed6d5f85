import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from figures import untimed

from limner.agents.rollout import EpisodeBatch, collect
from limner.data import ArrayDataset
from limner.data.picture_source import PictureSource
from limner.models.config import CriticConfig, PolicyConfig
from limner.models.encoder import learn_contrast
from limner.training.config import PolicyGradientConfig
from limner.training.presets import PRESETS
from limner.training.spiral.config import SpiralReward
from limner.training.spiral.critic_learner import score
from limner.training.spiral.trainer import SpiralTrainer
from limner.worlds.observation import preprocess

TINY = PRESETS["tiny"].config
CONDITIONAL = replace(TINY, agent=replace(TINY.agent, conditional=True))


def with_policy(config, **changes):
    return replace(config, agent=replace(config.agent, policy=replace(config.agent.policy, **changes)))


VARIANTS = {
    "tiny": TINY,
    "lstm": replace(with_policy(TINY, lstm=True), learning=PolicyGradientConfig(clip=None, minibatches=2)),
    "relativistic": replace(TINY, critic=replace(TINY.critic, loss="relativistic", steps_per_update=3)),
    "candidates": replace(TINY, learning=replace(TINY.learning, candidates=3)),
    "candidates conditional": replace(CONDITIONAL, learning=replace(TINY.learning, candidates=2)),
    "bfloat16": replace(TINY, critic=replace(TINY.critic, precision="bfloat16")),
    "conditional": replace(CONDITIONAL, reward=SpiralReward(distance=10.0)),
    "encoder": replace(TINY, critic=replace(TINY.critic, encoder="contrastive", encoder_steps=2)),
    "blind": with_policy(CONDITIONAL, blind=True),
}


def different(a, b):
    assert a.keys() == b.keys()
    return [name for name in a if not torch.equal(a[name], b[name])]


@pytest.mark.parametrize("variant", VARIANTS)
def test_one_thread_and_two_give_the_same_run_bit_for_bit(variant, source, everything):
    runs = []
    for threads in (1, 2):
        config = VARIANTS[variant]
        trainer = SpiralTrainer(replace(config, run=replace(config.run, threads=threads)), source)
        metrics = [trainer.update(i / 6) for i in range(6)]
        runs.append((everything(trainer), untimed(metrics)))
    assert different(runs[0][0], runs[1][0]) == []
    assert runs[0][1] == runs[1][1]


def test_the_encoder_learns_once_and_is_fixed_from_then_on(source, monkeypatch, everything):
    learnt = []

    def learn(*arguments):
        learnt.append(arguments)
        return learn_contrast(*arguments)

    monkeypatch.setattr("limner.training.spiral.trainer.learn_contrast", learn)
    trainer, other = (SpiralTrainer(VARIANTS["encoder"], source) for _ in range(2))
    fresh = copy.deepcopy(trainer.frozen_critic.state_dict())
    trainer.update(0.0)
    first = copy.deepcopy(trainer.frozen_critic.state_dict())
    trainer.update(0.1)
    second = trainer.frozen_critic.state_dict()
    assert {name.split(".")[0] for name in different(fresh, first)} == {"encoder", "layers", "offset"}
    assert {name.split(".")[0] for name in different(first, second)} == {"layers", "offset"}
    assert len(learnt) == 1
    other.policy_learner.average.load_state_dict(trainer.policy_learner.average.state_dict())
    other.restore(*trainer.begin_snapshot()())
    for one in (trainer, other):
        one.update(0.2)
    assert different(everything(trainer), everything(other)) == []
    assert len(learnt) == 1, "not after resuming either"


def test_the_next_episodes_are_painted_after_learning(source):
    trainer = SpiralTrainer(TINY, source)
    for i in range(3):
        before = copy.deepcopy(trainer.policy_learner.policy)
        trainer.update(i / 3)
        episodes = trainer.runtime.batch
        with torch.no_grad():
            was, now = (
                policy.evaluate(episodes.observations(), episodes.actions).log_prob
                for policy in (before, trainer.policy_learner.policy)
            )
        torch.testing.assert_close(now, episodes.log_prob)
        assert (was - episodes.log_prob).abs().max() > 1e-4


def test_an_update_is_one_batch_scored_by_the_critic_of_the_last(source, monkeypatch):
    trainer = SpiralTrainer(TINY, source)
    scored_by = []

    def spy(critic, episodes):
        assert critic is trainer.frozen_critic
        scored_by.append({name: value.clone() for name, value in critic.state_dict().items()})
        return score(critic, episodes)

    monkeypatch.setattr("limner.training.spiral.trainer.score", spy)
    critics = []
    for i in range(3):
        assert trainer.updates == i
        assert trainer.frames == i * 24
        assert len(trainer.critic.part.replay) == min(i * 8, 16)
        painted = trainer.runtime.batch.final.clone()
        critics.append({name: value.clone() for name, value in trainer.critic.part.learner.critic.state_dict().items()})
        metrics = trainer.update(i / 3)
        assert np.isfinite(list(metrics.values())).all()
        newest = trainer.critic.part.replay.rows["pictures"][i * 8 % 16 : i * 8 % 16 + 8]
        assert torch.equal(newest, painted)
        assert not torch.equal(newest, trainer.runtime.batch.final), "the next episodes are painted"
    for expected, found in zip(critics, scored_by, strict=True):
        assert different(expected, found) == []
    assert different(scored_by[0], scored_by[1]) != []
    assert different(scored_by[1], scored_by[2]) != []


def test_the_distance_to_the_target_is_subtracted_from_the_score(source, monkeypatch):
    trainer = SpiralTrainer(VARIANTS["conditional"], source)
    episodes, learn, given = trainer.runtime.batch, trainer._learn, []
    assert episodes.distance.min() > 0
    expected = score(trainer.frozen_critic, episodes) - 10 * episodes.distance

    def spy(episodes, scores, *arguments):
        given.append(scores.clone())
        return learn(episodes, scores, *arguments)

    monkeypatch.setattr(trainer, "_learn", spy)
    trainer.update(0.0)
    torch.testing.assert_close(given[0], expected)


def test_a_short_training_paints_what_the_critic_was_shown():
    """Real pictures have noise in their lower half and nothing above: that is where the strokes move to."""
    generator = torch.Generator().manual_seed(0)
    noise = np.random.default_rng(0).integers(0, 256, (300, 16, 16), dtype=np.uint8)
    noise[:, :8] = 255
    shown, held_out = (ArrayDataset("noise", pictures) for pictures in (noise[:200], noise[200:]))
    config = replace(
        TINY,
        agent=replace(TINY.agent, horizon=2, policy=PolicyConfig(channels=8, hidden=64, noise=4)),
        run=replace(TINY.run, episodes=32),
        critic=CriticConfig(width=8, batch_size=32, steps_per_update=4, learning_rate=1e-3, replay=10),
        learning=PolicyGradientConfig(learning_rate=2e-3, minibatches=2, entropy_cost=0.01, ema_decay=0.5),
    )
    trainer = SpiralTrainer(config, PictureSource(shown, 64))
    renderer = config.agent.make_renderer(32)
    random = EpisodeBatch.empty(config.agent, renderer)
    collect(renderer, trainer.policy_learner.policy, random, generator)
    shares = []
    for i in range(40):
        trainer.update(i / 40)
        drawn = trainer.runtime.batch.final
        shares.append((drawn[:, :, 8:].sum() / drawn.sum().clamp(min=1e-6)).item())
    with torch.no_grad():
        real = preprocess(torch.from_numpy(held_out.pictures(64)), 16)
        scores = [trainer.frozen_critic.score(pictures).mean().item() for pictures in (real, random.final)]
    assert scores[0] > scores[1] + 2, "the critic cannot tell pictures it was not shown from random strokes"
    assert np.mean(shares[:5]) < 0.42
    assert np.mean(shares[-5:]) > 0.52
