"""The agents that ship."""

import hashlib

import numpy as np
import pytest

from limner.agents.agent import load_agent, sample
from limner.agents.zoo import shipped_agents
from limner.data import load_dataset
from limner.data.scenes import random_scenes
from limner.inference.draw import draw
from limner.inference.evaluate import fit, reconstruct, squared_error
from limner.worlds.scenes.settings import ScenesSettings

AGENTS = {name: load_agent(name) for name in sorted(shipped_agents())}
DRAWING = [name for name, agent in AGENTS.items() if agent.config.conditional]
BUILDING = [name for name in DRAWING if isinstance(AGENTS[name].config.renderer, ScenesSettings)]


def test_a_digit_agent_ships():
    assert "mnist" in AGENTS


@pytest.mark.parametrize("name", AGENTS)
def test_a_card_belongs_to_its_agent(name):
    folder = shipped_agents()[name]
    weights = (folder / "agent.safetensors").read_bytes()
    assert len(weights) < 4_000_000
    assert hashlib.sha256(weights).hexdigest() in (folder / "card.md").read_text()


@pytest.mark.parametrize("name", [name for name in AGENTS if name not in DRAWING])
def test_an_agent_without_targets_draws_what_it_likes(name):
    canvases, programs = sample(AGENTS[name], 20, seed=0)
    assert len({picture.tobytes() for picture in canvases}) == 20
    assert all(picture.min() < 128 for picture in canvases)
    assert all(len(program) == AGENTS[name].config.steps for program in programs)


@pytest.mark.parametrize("name", sorted({*DRAWING} - {*BUILDING}))
def test_an_agent_with_targets_draws_digits_closer_than_an_empty_canvas(name):
    renderer = AGENTS[name].config.make_renderer(1)
    goals = fit(load_dataset("mnist-5k", "test").spread(16).pictures(renderer.shape[0]), renderer.shape[2])
    (drawn,) = draw(AGENTS[name], goals)
    empty = squared_error(goals * 0 + 255, goals).mean()
    assert squared_error(drawn.canvases, goals).mean() < (0.7 if renderer.shape[2] == 1 else 2.0) * empty


@pytest.mark.usefixtures("gl")
@pytest.mark.parametrize("name", BUILDING)
def test_an_agent_that_builds_scenes_finds_most_of_their_objects(name):
    data = random_scenes(np.random.default_rng(3), 40)
    alone = reconstruct(AGENTS[name], data)
    assert alone.likeness.mse < 0.5 * alone.likeness.empty_mse
    assert alone.structure.count_error < 1
    found = reconstruct(AGENTS[name], data, search=0.5, limit=8)
    assert found.likeness.mse < 0.1 * found.likeness.empty_mse
    assert found.structure.colour_right > 0.6
