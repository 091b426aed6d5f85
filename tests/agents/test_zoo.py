"""The agents that ship."""

import hashlib

import numpy as np
import pytest

from limner.agents.agent import load_agent
from limner.agents.zoo import shipped_agents
from limner.data import load_dataset
from limner.data.generated import ProgramDataset
from limner.data.resize import match_channels
from limner.inference.draw import DrawOptions, draw
from limner.inference.evaluate import reconstruct
from limner.inference.sample import sample
from limner.metrics.reconstruction import squared_error
from limner.worlds.scenes.examples import visible_scenes
from limner.worlds.scenes.settings import ScenesSettings, scene_actions

AGENTS = {name: load_agent(name) for name in sorted(shipped_agents())}
CONDITIONAL = [name for name, agent in AGENTS.items() if agent.config.conditional]
UNCONDITIONAL = [name for name in AGENTS if name not in CONDITIONAL]
SCENES = [name for name in CONDITIONAL if isinstance(AGENTS[name].config.renderer, ScenesSettings)]


def test_a_digit_agent_ships():
    assert "mnist" in AGENTS


@pytest.mark.parametrize("name", AGENTS)
def test_a_card_belongs_to_its_agent(name):
    folder = shipped_agents()[name]
    weights = (folder / "agent.safetensors").read_bytes()
    assert len(weights) < 2_200_000
    assert hashlib.sha256(weights).hexdigest() in (folder / "card.md").read_text()


@pytest.mark.parametrize("name", UNCONDITIONAL)
def test_an_unconditional_agent_draws_pictures_that_differ(name):
    canvases, programs = sample(AGENTS[name], 20, seed=0)
    assert len({picture.tobytes() for picture in canvases}) == 20
    assert all(picture.min() < 128 for picture in canvases)
    assert all(len(program) == AGENTS[name].config.horizon for program in programs)


@pytest.mark.parametrize("name", sorted({*CONDITIONAL} - {*SCENES}))
def test_a_conditional_agent_draws_digits_closer_than_an_empty_canvas(name):
    renderer = AGENTS[name].config.make_renderer(1)
    digits = load_dataset("mnist-5k", "test").spread(16).pictures(renderer.shape[0])
    goals = match_channels(digits, renderer.shape[2])
    (drawn,) = draw(AGENTS[name], goals)
    empty = squared_error(goals * 0 + 255, goals).mean()
    assert squared_error(drawn.canvases, goals).mean() < (0.7 if renderer.shape[2] == 1 else 2.0) * empty


@pytest.mark.usefixtures("gl")
@pytest.mark.parametrize("name", SCENES)
def test_an_agent_of_scenes_finds_most_of_their_objects(name):
    images, programs = visible_scenes(np.random.default_rng(3), 40)
    data = ProgramDataset("scenes", images, programs, scene_actions(ScenesSettings()))
    alone = reconstruct(AGENTS[name], data)
    assert alone.metrics.mse < 0.5 * alone.metrics.empty_mse
    assert alone.program_metrics["count_error"] < 1
    found = reconstruct(AGENTS[name], data, limit=8, options=DrawOptions(sweeps=1))
    assert found.metrics.mse < 0.1 * found.metrics.empty_mse
    assert found.program_metrics["colour_right"] > 0.6
