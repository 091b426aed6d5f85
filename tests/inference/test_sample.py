from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch

from limner.agents.agent import load_agent
from limner.inference.sample import sample
from limner.programs.execution import execute_all
from limner.programs.program import Program
from limner.training import make_trainer
from limner.training.saving import save_checkpoint
from limner.worlds.paint.settings import PAINT, Space


@pytest.fixture(scope="module")
def agent(tiny, source, tmp_path_factory):
    """An agent with an LSTM that has learnt for two updates."""
    folder = tmp_path_factory.mktemp("runs") / "one"
    config = replace(tiny, agent=replace(tiny.agent, policy=replace(tiny.agent.policy, lstm=True)))
    trainer = make_trainer(config, source)
    for updates in range(2):
        trainer.update(updates / 2)
    save_checkpoint(folder / "checkpoints", trainer, {})
    return load_agent(str(folder))


@pytest.fixture(scope="module")
def drawn(agent):
    """More than two chunks."""
    return sample(agent, 230, seed=3)


def test_canvases_and_programs(agent, drawn):
    canvases, programs = drawn
    assert canvases.shape == (230, 64, 64, 1)
    assert canvases.dtype == np.uint8
    assert len(programs) == 230
    assert all(len(program) == agent.config.horizon for program in programs)
    assert {program.seed for program in programs} == {3}
    assert {program.agent for program in programs} == {"one"}
    assert len({canvas.tobytes() for canvas in canvases}) > 100, "the pictures are much alike"
    flags = np.concatenate([program.actions[:, 0] for program in programs])
    assert 0.1 < (flags == PAINT).mean() < 0.9


def test_a_program_paints_its_canvas_again_byte_for_byte(drawn):
    canvases, programs = drawn
    restored = [Program.from_json(program.to_json()) for program in programs]
    np.testing.assert_array_equal(np.stack(execute_all(restored)), canvases)


@pytest.mark.parametrize("space", get_args(Space))
def test_an_agent_of_every_space_learns_and_draws(space, tiny, source, tmp_path):
    config = replace(tiny, agent=replace(tiny.agent, renderer=replace(tiny.agent.renderer, space=space)))
    trainer = make_trainer(config, source)
    trainer.update(0.0)
    save_checkpoint(tmp_path / "checkpoints", trainer, {})
    canvases, programs = sample(load_agent(str(tmp_path)), 3, seed=1)
    assert {program.renderer["space"] for program in programs} == {space}
    restored = [Program.from_json(program.to_json()) for program in programs]
    np.testing.assert_array_equal(np.stack(execute_all(restored)), canvases)


@pytest.mark.parametrize("count", [1, 7, 100, 101])
def test_the_first_pictures_do_not_depend_on_how_many_are_asked_for(agent, drawn, count):
    canvases, programs = sample(agent, count, seed=3)
    np.testing.assert_array_equal(canvases, drawn[0][:count])
    assert [program.to_json() for program in programs] == [program.to_json() for program in drawn[1][:count]]


def test_seeds_and_chunks_draw_different_pictures(agent, drawn):
    other, _ = sample(agent, 100, seed=4)
    first, second = drawn[0][:100], drawn[0][100:200]
    for a, b in ((first, second), (first, other), (second, other)):
        assert (a != b).any((1, 2, 3)).mean() > 0.8


def test_the_temperature_is_that_of_the_configuration_unless_given(agent):
    cold = replace(agent, config=replace(agent.config, temperature=0.3))
    assert np.array_equal(sample(cold, 100)[0], sample(agent, 100, temperature=0.3)[0])
    assert np.array_equal(sample(cold, 100, temperature=1)[0], sample(agent, 100)[0])
    assert not np.array_equal(sample(cold, 100)[0], sample(agent, 100)[0])


def test_the_first_action_has_a_temperature_of_its_own(agent):
    _, (cold, *_) = sample(agent, 1, temperature=0)
    _, bold = sample(agent, 100, temperature=0, first_action_temperature=0)
    assert np.array_equal(bold[0].actions, cold.actions)
    _, varied = sample(agent, 100, temperature=0, first_action_temperature=10)
    config = replace(agent.config, temperature=0.0, first_action_temperature=10.0)
    configured = replace(agent, config=config)
    assert [p.actions.tolist() for p in sample(configured, 100)[1]] == [p.actions.tolist() for p in varied]
    assert len({p.actions[0].tobytes() for p in varied}) > 2 * len({p.actions[0].tobytes() for p in bold})
    assert np.array_equal(sample(configured, 100, temperature=0)[0], sample(agent, 100, temperature=0)[0])


def test_temperature_zero_leaves_only_the_noise_to_chance(agent):
    cold, _ = sample(agent, 100, temperature=0)
    hot, _ = sample(agent, 100, temperature=1)
    assert len({canvas.tobytes() for canvas in cold}) < len({canvas.tobytes() for canvas in hot})


def test_drawing_does_not_depend_on_torch_threads_or_global_seeds(agent, drawn):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        torch.manual_seed(99)
        np.testing.assert_array_equal(sample(agent, 50, seed=3)[0], drawn[0][:50])
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"count": 0}, "count is 0"),
        ({"count": 5, "temperature": -0.1}, "temperature is -0.1"),
        ({"count": 5, "temperature": float("nan")}, "temperature is nan"),
        ({"count": 5, "first_action_temperature": 11}, "first_action_temperature is 11: must be in 0 … 10"),
        ({"count": 5, "seed": -1}, "seed is -1"),
    ],
)
def test_impossible_options_are_refused(agent, options, words):
    with pytest.raises(ValueError, match=words):
        sample(agent, **options)


def test_a_conditional_agent_is_refused(conditional_agent):
    with pytest.raises(ValueError, match="agent 'conditional' draws pictures that it is given"):
        sample(conditional_agent, 1)
