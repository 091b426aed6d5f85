"""Outlooks: where an agent would go on, and what it expects."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from limner.agents.agent import load_agent
from limner.inference.draw import DrawOptions, draw
from limner.inference.outlook import outlook
from limner.inference.sample import sample


def test_the_likeliest_place_is_where_an_agent_goes_on_that_takes_the_likeliest() -> None:
    agent, goal = load_agent("mnist-reconstruct"), sample(load_agent("mnist"), 1, seed=4)[0]
    program = next(iter(draw(agent, goal, DrawOptions(temperature=0)))).programs[0]
    for count in (0, 3, 19):
        begun = replace(program, actions=program.actions[:count])
        seen = outlook(agent, begun, goal[0])
        assert seen.places.shape == (32, 32)
        assert seen.places.sum() == pytest.approx(1, abs=1e-4)
        assert seen.places.argmax() == program.actions[count, program.space.index(seen.part)]
        assert np.isfinite(seen.value)


def test_agents_with_a_verb_and_a_memory(unconditional_folder) -> None:
    agent = load_agent(str(unconditional_folder))
    program = sample(agent, 1)[1][0]
    last = outlook(agent, replace(program, actions=program.actions[:-1]))
    assert last.part == "end"
    assert last.places.sum() == pytest.approx(1, abs=1e-4)


def test_what_an_agent_has_no_view_of() -> None:
    agent, other = load_agent("mnist"), load_agent("omniglot-prior")
    program = sample(agent, 1)[1][0]
    with pytest.raises(ValueError, match="draws 12 actions: of one after 12 it has no view"):
        outlook(agent, program)
    with pytest.raises(ValueError, match="another renderer"):
        outlook(other, program)
    with pytest.raises(ValueError, match="it needs one of"):
        outlook(load_agent("mnist-reconstruct"), replace(program, renderer=load_renderer("mnist-reconstruct")))


def load_renderer(name: str) -> dict[str, object]:
    return load_agent(name).config.make_renderer(1).settings()
