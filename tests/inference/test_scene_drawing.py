"""Agents that build scenes draw, are searched for and are measured with the code that painters are."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from limner.agents.agent import Agent, load_agent
from limner.agents.config import AgentConfig
from limner.agents.rollout import EpisodeBatch, observation
from limner.data.dataset import ArrayDataset
from limner.data.generated import ProgramDataset
from limner.data.picture_source import PictureSource
from limner.inference.draw import DrawOptions, draw
from limner.inference.evaluate import reconstruct
from limner.inference.paint import canvas_shape
from limner.models.config import PolicyConfig
from limner.programs.execution import execute
from limner.training import make_trainer
from limner.training.config import RunConfig
from limner.training.imitation.config import ImitationConfig, RandomExpert
from limner.training.saving import save_checkpoint
from limner.worlds.scenes.examples import visible_scenes
from limner.worlds.scenes.renderer import Scenes
from limner.worlds.scenes.settings import PLACE, ScenesSettings

pytestmark = pytest.mark.usefixtures("gl")


@pytest.fixture(scope="module")
def scenes(gl: None) -> ProgramDataset:
    images, programs = visible_scenes(np.random.default_rng(0), 40)
    return ProgramDataset("scenes", images, programs, Scenes().actions)


@pytest.fixture(scope="module")
def agent(scenes: ProgramDataset, tmp_path_factory: pytest.TempPathFactory) -> Agent:
    """It has learnt for two updates."""
    policy = PolicyConfig(channels=4, hidden=32, noise=2)
    config = ImitationConfig(
        AgentConfig(ScenesSettings(), conditional=True, horizon=6, resolution=16, temperature=0.0, policy=policy),
        RunConfig(data="scenes", episodes=8, threads=1),
        RandomExpert(),
        batch_size=4,
        steps_per_update=2,
    )
    trainer = make_trainer(config, PictureSource(scenes, 64))
    for update in range(2):
        trainer.update(update / 2)
    return load_agent(str(save_checkpoint(tmp_path_factory.mktemp("run"), trainer, {})))


def test_only_objects_are_proposed(agent: Agent, scenes: ProgramDataset) -> None:
    episodes = EpisodeBatch.empty(agent.config, Scenes(batch=4))
    episodes.aim(torch.from_numpy(scenes.images[:4]))
    seen, random = observation(episodes, 0), torch.Generator().manual_seed(0)
    acted = agent.policy.act(seen, None, random, count=50, verb=PLACE)
    assert (acted.actions[:, 0] == PLACE).all()
    assert len(acted.actions.unique(dim=0)) > 100
    free = agent.policy.act(seen, None, torch.Generator().manual_seed(0), count=50)
    assert len(free.actions[:, 0].unique()) == 3


@pytest.mark.parametrize("plan", ["refine", "greedy"])
def test_an_agent_draws_scenes_and_search_comes_closer(plan: str, agent: Agent, scenes: ProgramDataset) -> None:
    goals = scenes.images[:3]
    options = (DrawOptions(plan=plan), DrawOptions(plan=plan, sweeps=1))
    (alone,), (found,) = (list(draw(agent, goals, each)) for each in options)
    errors = [np.square(part.canvases / 255 - goals / 255).mean() for part in (alone, found)]
    assert errors[1] < 0.9 * errors[0]
    for program, canvas in zip(found.programs, found.canvases, strict=True):
        np.testing.assert_array_equal(execute(program), canvas)


def test_programs_are_measured_where_the_true_ones_are_known(
    agent: Agent, scenes: ProgramDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = reconstruct(agent, scenes, limit=10)
    assert result.program_metrics["scenes"] == 10
    assert 0 <= result.program_metrics["count_right"] <= 1
    empty = Scenes().canvas() / 255
    assert result.metrics.empty_mse == pytest.approx(np.square(result.goals / 255 - empty).mean())
    spread = scenes.spread(10)
    (drawings,) = draw(agent, spread.images)
    programs = [replace(program, actions=own) for program, own in zip(drawings.programs, spread.programs, strict=True)]
    right = replace(drawings, canvases=spread.images, programs=programs)
    monkeypatch.setattr("limner.inference.evaluate.draw", lambda *given: [right])
    exact = reconstruct(agent, spread)
    assert exact.metrics.mse == 0
    assert exact.metrics.strokes == pytest.approx((spread.programs[..., 0] == PLACE).sum(1).mean())
    assert [exact.program_metrics[name] for name in ("count_right", "colour_right", "cells_apart")] == [1, 1, 0]
    assert reconstruct(agent, ArrayDataset("pictures", spread.images)).program_metrics == {}


def test_a_large_picture_needs_an_agent_that_paints(agent: Agent) -> None:
    with pytest.raises(ValueError, match="the renderer 'scenes' cannot paint large pictures: an agent of 'paint' is"):
        canvas_shape(agent, 2)
