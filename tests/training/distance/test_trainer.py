import copy
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from figures import untimed
from safetensors.torch import load

from limner.agents.rollout import EpisodeBatch, collect
from limner.data import ArrayDataset
from limner.data.picture_source import PictureSource
from limner.models.config import PolicyConfig
from limner.models.critic import PixelCritic
from limner.training import NonFiniteError
from limner.training.config import PolicyGradientConfig
from limner.training.distance.config import DistanceConfig
from limner.training.distance.trainer import DistanceTrainer
from limner.training.finite import PATIENCE
from limner.training.presets import PRESETS
from limner.training.saving import restore_checkpoint, save_checkpoint

TINY = PRESETS["tiny"].config
CONFIG = DistanceConfig(agent=replace(TINY.agent, conditional=True), run=TINY.run, learning=TINY.learning)


def state(trainer):
    modules = trainer.modules() | {"average": trainer.policy_learner.average}
    named = {f"{name} {key}": value for name, module in modules.items() for key, value in module.state_dict().items()}
    named |= {f"random {name}": generator.get_state() for name, generator in trainer.generators().items()}
    named |= trainer.tensors() | {"counters": torch.tensor([*trainer.counters().values()], dtype=torch.float64)}
    return {name: value.clone() for name, value in named.items()}


def different(a, b):
    assert a.keys() == b.keys()
    return [name for name in a if not torch.equal(a[name], b[name])]


def test_one_thread_and_two_give_the_same_run_and_so_does_resuming(source, tmp_path):
    whole, threaded = (DistanceTrainer(replace(CONFIG, run=replace(CONFIG.run, threads=n)), source) for n in (1, 2))
    metrics = [untimed(trainer.update(i / 4) for i in range(4)) for trainer in (whole, threaded)]
    assert metrics[0] == metrics[1]
    assert different(state(whole), state(threaded)) == []
    first, second = (DistanceTrainer(CONFIG, source) for _ in range(2))
    for i in range(2):
        first.update(i / 4)
    restore_checkpoint(save_checkpoint(tmp_path, first, {}), second)
    for i in range(2, 4):
        second.update(i / 4)
    assert different(state(whole), state(second)) == []


def test_the_next_episodes_are_painted_while_the_policy_learns_by_the_policy_as_it_stood(source):
    trainer = DistanceTrainer(CONFIG, source)
    for i in range(3):
        before = copy.deepcopy(trainer.policy_learner.policy)
        trainer.update(i / 3)
        episodes = trainer.runtime.batch
        with torch.no_grad():
            was, now = (
                policy.evaluate(episodes.observations(), episodes.actions).log_prob
                for policy in (before, trainer.policy_learner.policy)
            )
        torch.testing.assert_close(was, episodes.log_prob)
        assert (now - episodes.log_prob).abs().max() > 1e-4


def test_the_score_is_minus_the_weighted_distance(source, monkeypatch):
    learning = replace(CONFIG.learning, candidates=2)
    trainer = DistanceTrainer(replace(CONFIG, reward=replace(CONFIG.reward, weight=20.0), learning=learning), source)
    batch, learn, given = trainer.runtime.batch, trainer._learn, []
    expected, expected_others = -20 * batch.distance, -20 * batch.others_distance
    assert max(expected.max(), expected_others.max()) < 0

    def spy(episodes, scores, others, progress):
        given.extend([scores.clone(), others.clone()])
        return learn(episodes, scores, others, progress)

    monkeypatch.setattr(trainer, "_learn", spy)
    trainer.update(0.0)
    torch.testing.assert_close(given, [expected, expected_others])


def test_no_critic_is_made_fed_scored_or_saved(source, tmp_path, monkeypatch):
    def forbidden(*_, **__):
        raise AssertionError("there is to be no critic")

    monkeypatch.setattr(PixelCritic, "__init__", forbidden)
    monkeypatch.setattr(PixelCritic, "forward", forbidden)
    trainer = DistanceTrainer(CONFIG, source)
    metrics = [trainer.update(i / 2) for i in range(2)]
    checkpoint = save_checkpoint(tmp_path, trainer, {})
    saved = [
        *load((checkpoint / "state.safetensors").read_bytes()),
        *load((checkpoint / "agent.safetensors").read_bytes()),
    ]
    names = [*saved, *trainer.modules(), *trainer.optimizers(), *trainer.generators(), *trainer.counters(), *metrics[0]]
    assert {"episodes.distance", "generator.policy", "policy"} <= set(names)
    assert not [name for name in names if "critic" in name or "replay" in name]
    assert not [name for name in vars(trainer) if "critic" in name or "replay" in name]


def test_scores_that_are_not_finite_are_named_and_training_stops(source):
    trainer = DistanceTrainer(CONFIG, source)
    act = trainer.runtime.actor.act

    def poisoned():
        episodes, figures = act()
        episodes.distance[-1, 3] = math.nan
        return episodes, figures

    trainer.runtime.actor.act = poisoned
    trainer.update(0.0)
    for _ in range(PATIENCE - 1):
        trainer.update(0.0)
    with pytest.raises(NonFiniteError, match=r"in update 11: .* First scores of the policy became NaN, in update 2"):
        trainer.update(0.0)


def test_a_short_training_comes_closer_to_targets_that_it_was_not_shown():
    """All targets are dark but at the left: closer than random strokes, and than an empty canvas."""
    noise = np.random.default_rng(0).integers(0, 120, (112, 16, 16), dtype=np.uint8)
    noise[..., :4] = 255
    config = replace(
        CONFIG,
        agent=replace(CONFIG.agent, horizon=2, policy=PolicyConfig(channels=8, hidden=64, noise=4)),
        run=replace(CONFIG.run, episodes=32),
        learning=PolicyGradientConfig(learning_rate=2e-3, minibatches=2, entropy_cost=0.01, ema_decay=0.5),
    )
    trainer = DistanceTrainer(config, PictureSource(ArrayDataset("noise", noise[:80]), 64))
    renderer = config.agent.make_renderer(32)
    held_out = EpisodeBatch.empty(config.agent, renderer)
    held_out.aim(torch.from_numpy(ArrayDataset("noise", noise[80:]).pictures(64)))

    def distance():
        collect(renderer, trainer.policy_learner.average, held_out, torch.Generator().manual_seed(1))
        return held_out.distance[-1].mean().item()

    random, empty = distance(), held_out.distance[0].mean().item()
    returns = [trainer.update(i / 40)["reward/return"] for i in range(40)]
    assert distance() < 0.88 * min(random, empty)
    assert np.mean(returns[-5:]) > np.mean(returns[:5]) + 4
