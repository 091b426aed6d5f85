"""Small configurations of imitation, one for each expert."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from limner.data.picture_source import PictureSource
from limner.programs.program import Program, save_programs
from limner.training.imitation.config import (
    AgentExpert,
    FileExpert,
    ImitationConfig,
    JointExpert,
    RandomExpert,
    SearchExpert,
)
from limner.training.imitation.trainer import ImitationTrainer
from limner.training.saving import save_checkpoint
from limner.training.spiral.config import SpiralConfig


@pytest.fixture(scope="session")
def search_config(tiny: SpiralConfig) -> ImitationConfig:
    """Of a conditional agent that imitates a search."""
    renderer = replace(tiny.agent.renderer, space="stroke", grid=16)
    return ImitationConfig(
        agent=replace(tiny.agent, conditional=True, renderer=renderer),
        run=replace(tiny.run, episodes=16),
        expert=SearchExpert(candidates=4, capacity=64),
        batch_size=8,
        steps_per_update=2,
    )


@pytest.fixture(scope="session")
def joint_config(search_config: ImitationConfig) -> ImitationConfig:
    """Of one that imitates joint search."""
    renderer = replace(search_config.agent.renderer, brush="classic/pen")
    return replace(
        search_config,
        agent=replace(search_config.agent, renderer=renderer),
        run=replace(search_config.run, episodes=4),
        expert=JointExpert(sweeps=1, capacity=64),
    )


@pytest.fixture(scope="session")
def random_config(search_config: ImitationConfig) -> ImitationConfig:
    """Of one that imitates random programs."""
    return replace(search_config, expert=RandomExpert())


@pytest.fixture
def file_config(search_config: ImitationConfig, tmp_path: Path) -> ImitationConfig:
    """Of an unconditional agent that imitates 20 random programs in a file."""
    agent, path = replace(search_config.agent, conditional=False), tmp_path / "programs.jsonl"
    renderer = agent.make_renderer(1)
    actions = renderer.actions.sample(np.random.default_rng(0), (20, agent.horizon))
    save_programs(path, [Program(renderer.settings(), rows) for rows in actions])
    return replace(search_config, agent=agent, expert=FileExpert(str(path)))


@pytest.fixture
def agent_config(search_config: ImitationConfig, source: PictureSource, tmp_path: Path) -> ImitationConfig:
    """Of one that imitates another conditional agent."""
    config = replace(search_config, agent=replace(search_config.agent, temperature=0.0))
    checkpoint = save_checkpoint(tmp_path / "agent", ImitationTrainer(config, source), {})
    return replace(config, expert=AgentExpert(str(checkpoint)), steps_per_update=8)
