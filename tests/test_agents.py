"""The agents that ship."""

import hashlib

import pytest

from limner.agents import shipped_agents
from limner.sampling import load_agent, sample


def test_a_digit_agent_ships():
    assert "mnist" in shipped_agents()


@pytest.mark.parametrize("name", sorted(shipped_agents()))
def test_a_shipped_agent_draws_and_its_card_belongs_to_it(name):
    canvases, programs = sample(load_agent(name), 20, seed=0)
    assert len({picture.tobytes() for picture in canvases}) == 20
    assert all(picture.min() < 128 for picture in canvases)
    assert all(len(program) == load_agent(name).config.steps for program in programs)
    folder = shipped_agents()[name]
    weights = (folder / "agent.safetensors").read_bytes()
    assert len(weights) < 4_000_000
    assert hashlib.sha256(weights).hexdigest() in (folder / "card.md").read_text()
