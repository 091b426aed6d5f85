from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from limner.inference.draw import DrawOptions, draw
from limner.models.config import CriticConfig
from limner.search.objectives import CriticObjective, load_critic
from limner.training import make_trainer
from limner.training.distance.config import DistanceConfig, DistanceReward
from limner.training.presets import PRESETS
from limner.training.saving import save_checkpoint
from limner.worlds.observation import preprocess
from limner.worlds.simulator import negative_mse

TINY = PRESETS["tiny"].config
CONDITIONAL = replace(TINY, agent=replace(TINY.agent, conditional=True))
GREY, COLOUR = (64, 64, 1), (64, 64, 3)


class MeanCritic(nn.Module):
    """Scores the mean of the first channel, less that of the second if there is one."""

    def score(self, pictures):
        means = pictures.mean((2, 3))
        return means[:, 0] - (means[:, 1] if pictures.shape[1] > 1 else 0)


def critic_objective(config=TINY):
    return CriticObjective("maker", MeanCritic(), config.agent)


def pictures(count=5, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (count, *GREY), np.uint8))


def save(config, source, folder):
    trainer = make_trainer(config, source)
    trainer.update(0.0)
    save_checkpoint(folder / "checkpoints", trainer, {})
    return trainer


def test_an_objective_is_the_error_and_a_weighted_score():
    canvases, goals = pictures(), pictures(seed=1)
    score = preprocess(canvases, 16).mean((1, 2, 3))
    for weight in (0.0, 0.25):
        objective = critic_objective().objective(weight, GREY)
        torch.testing.assert_close(objective(canvases, goals), negative_mse(canvases, goals) + weight * score)


def test_the_critic_of_a_conditional_agent_is_shown_the_targets():
    canvases, goals = pictures(), pictures(seed=1)
    score = critic_objective(CONDITIONAL).score(canvases, goals)
    torch.testing.assert_close(score, preprocess(canvases, 16).mean((1, 2, 3)) - preprocess(goals, 16).mean((1, 2, 3)))


@pytest.mark.parametrize(
    "critic",
    [
        TINY.critic,
        CriticConfig(loss="relativistic", width=4, batch_size=8, steps_per_update=1, replay=2),
        replace(TINY.critic, encoder="contrastive", encoder_steps=2),
    ],
)
def test_the_critic_of_a_checkpoint_is_the_one_that_learnt(critic, source, tmp_path):
    trainer = save(replace(TINY, critic=critic), source, tmp_path / "run")
    loaded = load_critic(str(tmp_path / "run"))
    assert loaded.name == "run"
    expected = trainer.critic.part.learner.critic.eval().score(preprocess(pictures(), 16)).detach()
    torch.testing.assert_close(loaded.score(pictures(), pictures()), expected)
    assert not any(parameter.requires_grad for parameter in loaded.critic.parameters())


def test_the_critic_of_a_conditional_agent_is_loaded(source, tmp_path):
    save(CONDITIONAL, source, tmp_path / "run")
    loaded = load_critic(str(tmp_path / "run"))
    assert loaded.config == CONDITIONAL.agent
    canvases, goals = pictures(), pictures(seed=1)
    scores = loaded.score(canvases, goals)
    assert scores.shape == (5,)
    assert (scores != loaded.score(canvases, goals.flip(0)))[[0, 1, 3, 4]].all()


def test_what_has_no_critic_is_refused(conditional_folder, source, tmp_path):
    with pytest.raises(ValueError, match="'conditional' has no critic: name a run that was rewarded by one"):
        load_critic(str(conditional_folder))
    reward, learning = DistanceReward(weight=1.0), TINY.learning
    save(DistanceConfig(CONDITIONAL.agent, TINY.run, reward=reward, learning=learning), source, tmp_path / "distant")
    with pytest.raises(ValueError, match="'distant' has no critic"):
        load_critic(str(tmp_path / "distant"))
    with pytest.raises(ValueError, match="'mnist' has no critic"):
        load_critic("mnist")
    with pytest.raises(ValueError, match="there is no agent 'nobody'"):
        load_critic("nobody")


@pytest.mark.parametrize(
    ("shape", "weight", "words"),
    [
        (COLOUR, 1.0, "critic of 'maker' scores pictures with 1 channels, the canvas has 3"),
        ((72, 72, 1), 1.0, "critic of 'maker' has a resolution of 16 pixels, the canvas of 72 is no multiple"),
        (GREY, -1.0, r"weight of the critic is -1\.0: must be 0 or more"),
        (GREY, float("nan"), "weight of the critic is nan"),
    ],
)
def test_critics_that_do_not_fit_are_refused(shape, weight, words):
    with pytest.raises(ValueError, match=words):
        critic_objective().objective(weight, shape)


@pytest.mark.parametrize("plan", ["refine", "greedy"])
def test_search_draws_what_the_critic_scores_high(plan, conditional_agent, digits):
    goals = digits.spread(4).pictures(64)
    darkness = []
    for weight in (0.0, 100.0):
        objective = critic_objective().objective(weight, GREY)
        (part,) = draw(conditional_agent, goals, DrawOptions(sweeps=4, plan=plan, objective=objective))
        darkness.append(255 - part.canvases.mean())
    assert darkness[1] > 1.5 * darkness[0]
