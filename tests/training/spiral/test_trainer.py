import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from limner.agents.rollout import EpisodeBatch, collect
from limner.data import ArrayDataset
from limner.data.picture_source import PictureSource
from limner.training.config import CriticConfig, LearningConfig, PolicyConfig, RewardConfig
from limner.training.policy_learner import score
from limner.training.presets import PRESETS
from limner.training.spiral.trainer import Adversarial
from limner.worlds.observation import preprocess

TINY = PRESETS["tiny"]
VARIANTS = {
    "tiny": TINY,
    "lstm": replace(TINY, policy=replace(TINY.policy, lstm=True), learning=LearningConfig(clip=None, minibatches=2)),
    "logistic": replace(TINY, critic=replace(TINY.critic, loss="logistic", steps=3)),
    "bfloat16": replace(TINY, critic=replace(TINY.critic, precision="bfloat16")),
    "conditional": replace(TINY, conditional=True, reward=RewardConfig(distance=10.0)),
    "blind": replace(TINY, conditional=True, policy=replace(TINY.policy, blind=True)),
    "complement": replace(TINY, conditional=True, critic=replace(TINY.critic, target="complement")),
    "distance": replace(TINY, conditional=True, reward=RewardConfig(critic=0.0, distance=100.0)),
}


def same(a, b):
    assert a.keys() == b.keys()
    return [name for name in a if not torch.equal(a[name], b[name])]


@pytest.mark.parametrize("variant", VARIANTS)
def test_one_thread_and_two_give_the_same_run_bit_for_bit(variant, source, everything):
    runs = []
    for threads in (1, 2):
        training = Adversarial(replace(VARIANTS[variant], threads=threads), source)
        metrics = [training.update(i / 6) for i in range(6)]
        runs.append((everything(training), metrics))
    assert same(runs[0][0], runs[1][0]) == []
    assert runs[0][1] == runs[1][1]


def test_a_seed_decides_the_run_and_nothing_else_does(source, everything):
    runs = []
    for seed, disturbance in ((0, 1), (0, 2), (1, 1)):
        torch.manual_seed(disturbance)
        np.random.seed(disturbance)  # noqa: NPY002 (nobody should be using this one)
        training = Adversarial(replace(TINY, seed=seed), source)
        for i in range(3):
            training.update(i / 3)
        runs.append(everything(training))
    assert same(runs[0], runs[1]) == []
    different = same(runs[0], runs[2])
    assert {"critic output.weight", "policy value.weight", "replay", "episodes actions"} <= set(different)


def test_global_random_states_are_left_alone(source):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    training = Adversarial(TINY, source)
    training.update(0.0)
    training.update(0.1)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("variant", ["tiny", "distance"])
def test_the_next_episodes_are_painted_after_learning_or_instead_of_a_critic_that_learns(variant, source):
    training = Adversarial(VARIANTS[variant], source)
    for i in range(3):
        before = copy.deepcopy(training.policy_learner.policy)
        training.update(i / 3)
        episodes = training.episodes
        with torch.no_grad():
            was, now = (
                policy.evaluate(episodes.observations(), episodes.actions).log_prob
                for policy in (before, training.policy_learner.policy)
            )
        painter, other = (now, was) if variant == "tiny" else (was, now)
        torch.testing.assert_close(painter, episodes.log_prob)
        assert (other - episodes.log_prob).abs().max() > 1e-4


def test_an_update_is_one_batch_judged_by_the_critic_of_the_last(source, everything, monkeypatch):
    training = Adversarial(TINY, source)
    judged = []

    def spy(critic, episodes):
        assert critic is training.judge
        judged.append({name: value.clone() for name, value in critic.state_dict().items()})
        return score(critic, episodes)

    monkeypatch.setattr("limner.training.spiral.trainer.score", spy)
    critics = []
    for i in range(3):
        assert training.updates == i
        assert training.frames == i * 24
        assert len(training.replay) == min(i * 8, 16)
        painted = training.episodes.final.clone()
        critics.append({name: value.clone() for name, value in training.critic_learner.critic.state_dict().items()})
        metrics = training.update(i / 3)
        assert np.isfinite(list(metrics.values())).all()
        newest = training.replay.pictures[i * 8 % 16 : i * 8 % 16 + 8]
        assert torch.equal(newest, painted)
        assert not torch.equal(newest, training.episodes.final), "the next episodes are painted"
    for expected, found in zip(critics, judged, strict=True):
        assert same(expected, found) == []
    assert same(judged[0], judged[1]) != []
    assert same(judged[1], judged[2]) != []


@pytest.mark.parametrize("settings", [{"color": True}, {"ground": "transparent"}])
def test_pictures_that_do_not_fit_the_renderer_are_refused(settings, source):
    config = replace(TINY, renderer=replace(TINY.renderer, **settings))
    with pytest.raises(ValueError, match=r"'mnist-5k' are 200 of \[64, 64, 1\], canvases \[64, 64, [23]\]"):
        Adversarial(config, source)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused(source):
    with pytest.raises(ValueError, match="device is 'cuda', but PyTorch finds no GPU here: use --device cpu"):
        Adversarial(replace(TINY, device="cuda"), source)


def test_a_short_training_paints_what_the_critic_was_shown():
    """Real pictures have noise in their lower half and nothing above: that is where the strokes move to."""
    generator = torch.Generator().manual_seed(0)
    noise = np.random.default_rng(0).integers(0, 256, (300, 16, 16), dtype=np.uint8)
    noise[:, :8] = 255
    shown, held_out = (ArrayDataset("noise", pictures) for pictures in (noise[:200], noise[200:]))
    config = replace(
        TINY,
        steps=2,
        batch=32,
        policy=PolicyConfig(channels=8, hidden=64, noise=4),
        critic=CriticConfig(width=8, batch=32, steps=4, learning_rate=1e-3, replay=10),
        learning=LearningConfig(learning_rate=2e-3, minibatches=2, entropy_cost=0.01, average=0.5),
    )
    training = Adversarial(config, PictureSource(shown, 64))
    random = EpisodeBatch.empty(config, training.renderer)
    collect(training.renderer, training.policy_learner.policy, random, generator)
    shares = []
    for i in range(40):
        training.update(i / 40)
        drawn = training.episodes.final
        shares.append((drawn[:, :, 8:].sum() / drawn.sum().clamp(min=1e-6)).item())
    with torch.no_grad():
        real = preprocess(torch.from_numpy(held_out.pictures(64)), 16)
        scores = [training.judge.score(pictures).mean().item() for pictures in (real, random.final)]
    assert scores[0] > scores[1] + 2, "the critic cannot tell pictures it was not shown from random strokes"
    assert np.mean(shares[:5]) < 0.42
    assert np.mean(shares[-5:]) > 0.52
