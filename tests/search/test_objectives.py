from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from limner.agents.checkpoint import save_checkpoint
from limner.inference.draw import draw
from limner.programs.program import Program, save_programs
from limner.worlds.simulator import negative_mse
from limner.search.objectives import CriticObjective, load_critic
from limner.training.config import CriticConfig, RewardConfig
from limner.training.presets import PRESETS
from limner.training.spiral.trainer import Adversarial
from limner.worlds.observation import preprocess

TINY = PRESETS["tiny"]
GREY, COLOUR = (64, 64, 1), (64, 64, 3)


class LikesInk(nn.Module):
    """Scores the mean of the first channel, less that of the second if there is one."""

    def __init__(self, complement=False):
        super().__init__()
        self.complement = complement

    def score(self, ink):
        means = ink.mean((2, 3))
        return means[:, 0] - (means[:, 1] if ink.shape[1] > 1 else 0)


def judge(network=None, **config):
    return CriticObjective("maker", network or LikesInk(), replace(TINY, **config))


def pictures(count=5, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (count, *GREY), np.uint8))


def save(config, source, folder):
    training = Adversarial(config, source)
    training.update(0.0)
    save_checkpoint(folder / "checkpoints", training, {})
    return training


def test_a_score_is_likeness_and_opinion():
    canvases, goals = pictures(), pictures(seed=1)
    opinion = preprocess(canvases, 16).mean((1, 2, 3))
    for weight in (0.0, 0.25):
        score = judge().score(weight, GREY)
        torch.testing.assert_close(score(canvases, goals), negative_mse(canvases, goals) + weight * opinion)


def test_a_critic_with_targets_is_shown_them():
    canvases, goals = pictures(), pictures(seed=1)
    opinion = judge(conditional=True).opinion(canvases, goals)
    torch.testing.assert_close(
        opinion, preprocess(canvases, 16).mean((1, 2, 3)) - preprocess(goals, 16).mean((1, 2, 3))
    )


def test_a_critic_of_complements_is_shown_each_half():
    canvases, goals = pictures(), pictures(seed=1)
    config = {"conditional": True, "critic": replace(TINY.critic, target="complement")}
    opinion = judge(LikesInk(complement=True), **config).opinion(canvases, goals)
    half = (preprocess(canvases, 16).mean((1, 2, 3)) + preprocess(goals, 16).mean((1, 2, 3))) / 2
    torch.testing.assert_close(opinion, half)


@pytest.mark.parametrize("critic", [TINY.critic, CriticConfig(loss="logistic", width=4, batch=8, steps=1, replay=2)])
def test_the_critic_of_a_checkpoint_is_the_one_that_learnt(critic, source, tmp_path):
    training = save(replace(TINY, critic=critic), source, tmp_path / "run")
    loaded = load_critic(str(tmp_path / "run"))
    assert loaded.name == "run"
    expected = training.critic_learner.critic.eval().score(preprocess(pictures(), 16)).detach()
    torch.testing.assert_close(loaded.opinion(pictures(), pictures()), expected)
    assert not any(parameter.requires_grad for parameter in loaded.critic.parameters())


def test_what_has_no_critic_is_refused(conditional_folder, source, tmp_path):
    with pytest.raises(ValueError, match="'conditional_agent' has no critic: name a run that was rewarded by one"):
        load_critic(str(conditional_folder))
    config = replace(TINY, conditional=True, reward=RewardConfig(critic=0.0, distance=1.0))
    save(config, source, tmp_path / "distant")
    with pytest.raises(ValueError, match="'distant' has no critic"):
        load_critic(str(tmp_path / "distant"))
    with pytest.raises(ValueError, match=r"mnist has no state\.safetensors"):
        load_critic("mnist")
    with pytest.raises(ValueError, match="there is no agent 'nobody'"):
        load_critic("nobody")


def test_a_critic_that_judges_programs_too_is_refused(source, tmp_path):
    space, settings = TINY.make_renderer(1).actions, TINY.make_renderer(1).settings()
    actions = space.sample(np.random.default_rng(0), (4, TINY.steps))
    programs = [Program(settings, rows, title=f"{TINY.data} train {i}") for i, rows in enumerate(actions)]
    save_programs(tmp_path / "programs.jsonl", programs)
    joint = replace(TINY.critic, programs=str(tmp_path / "programs.jsonl"))
    save(replace(TINY, critic=joint), source, tmp_path / "joint")
    with pytest.raises(ValueError, match=r"'joint' judges programs, too: name a run without critic\.programs"):
        load_critic(str(tmp_path / "joint"))


@pytest.mark.parametrize(
    ("shape", "weight", "words"),
    [
        (COLOUR, 1.0, "critic of 'maker' judges pictures with 1 channels, the canvas has 3"),
        ((72, 72, 1), 1.0, "critic of 'maker' sees 16 pixels a side, the canvas of 72 is no multiple"),
        (GREY, -1.0, r"weight of the critic is -1\.0: must be 0 or more"),
        (GREY, float("nan"), "weight of the critic is nan"),
    ],
)
def test_critics_that_do_not_fit_are_refused(shape, weight, words):
    with pytest.raises(ValueError, match=words):
        judge().score(weight, shape)


@pytest.mark.parametrize("plan", ["refine", "greedy"])
def test_search_draws_what_the_critic_likes(plan, conditional_agent, digits):
    goals = digits.spread(4).pictures(64)
    ink = []
    for weight in (0.0, 100.0):
        (part,) = draw(conditional_agent, goals, search=0.3, plan=plan, score=judge().score(weight, GREY))
        ink.append(255 - part.canvases.mean())
    assert ink[1] > 1.5 * ink[0]
