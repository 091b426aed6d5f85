import json
import shutil
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch

from limner.worlds.paint.actions import PAINT, Space
from limner.agents.agent import load_agent, sample
from limner.agents.checkpoint import save_checkpoint
from limner.agents import agent as sampling
from limner.programs.program import Program, execute_all
from limner.training.presets import PRESETS
from limner.training.spiral.trainer import Adversarial

TINY = PRESETS["tiny"]


@pytest.fixture(scope="module")
def run_folder(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "one"
    training = Adversarial(replace(TINY, policy=replace(TINY.policy, lstm=True)), source)
    for updates in range(2):
        training.update(updates / 2)
        save_checkpoint(folder / "checkpoints", training, {})
    return folder


@pytest.fixture(scope="module")
def agent(run_folder):
    return load_agent(str(run_folder))


@pytest.fixture(scope="module")
def drawn(agent):
    """More than two chunks."""
    return sample(agent, 230, seed=3)


def test_canvases_and_programs(drawn):
    canvases, programs = drawn
    assert canvases.shape == (230, 64, 64, 1)
    assert canvases.dtype == np.uint8
    assert len(programs) == 230
    assert all(len(program) == TINY.steps for program in programs)
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
def test_an_agent_of_every_space_learns_and_draws(space, source, tmp_path):
    training = Adversarial(replace(TINY, renderer=replace(TINY.renderer, space=space)), source)
    training.update(0.0)
    save_checkpoint(tmp_path / "checkpoints", training, {})
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


def test_the_opening_is_the_first_action(agent):
    _, (cold, *_) = sample(agent, 1, temperature=0)
    _, bold = sample(agent, 100, temperature=0, opening=0)
    assert np.array_equal(bold[0].actions, cold.actions)
    _, opened = sample(agent, 100, temperature=0, opening=10)
    configured = replace(agent, config=replace(agent.config, temperature=0.0, opening=10.0))
    assert [p.actions.tolist() for p in sample(configured, 100)[1]] == [p.actions.tolist() for p in opened]
    assert len({p.actions[0].tobytes() for p in opened}) > 2 * len({p.actions[0].tobytes() for p in bold})
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


def test_an_agent_is_the_average_in_the_newest_checkpoint(run_folder, agent, source):
    assert agent.config == replace(TINY, policy=replace(TINY.policy, lstm=True))
    training = Adversarial(agent.config, source)
    for updates in range(2):
        training.update(updates / 2)
    expected, found = training.policy_learner.average.state_dict(), agent.policy.state_dict()
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    older = load_agent(str(run_folder / "checkpoints" / "00000001")).policy.state_dict()
    assert not all(torch.equal(expected[name], older[name]) for name in expected)


def test_an_agent_needs_no_state_to_draw(run_folder, drawn, tmp_path):
    folder = shutil.copytree(run_folder / "checkpoints" / "00000002", tmp_path / "agent")
    (folder / "state.safetensors").unlink()
    alone = load_agent(str(folder))
    assert alone.name == "agent"
    np.testing.assert_array_equal(sample(alone, 5, seed=3)[0], drawn[0][:5])


@pytest.fixture
def shipped(monkeypatch, run_folder, tmp_path):
    """The folder of an agent that ships under the name ``one``."""
    folder = shutil.copytree(run_folder / "checkpoints" / "00000002", tmp_path / "agents" / "one")
    (folder / "state.safetensors").unlink()
    monkeypatch.setattr(sampling, "shipped_agents", lambda: {"one": folder})
    return folder


def test_an_agent_that_ships_is_found_by_its_name(shipped, drawn):
    agent = load_agent("one")
    assert agent.name == "one"
    assert agent.config.policy.lstm
    canvases, programs = sample(agent, 5, seed=3)
    np.testing.assert_array_equal(canvases, drawn[0][:5])
    assert programs[0].agent == "one"


def test_an_unknown_agent_is_an_error_that_says_what_there_is(shipped):
    with pytest.raises(ValueError, match=r"there is no agent 'picasso': name one that ships with Limner \(one\)"):
        load_agent("picasso")


def test_a_folder_that_is_no_agent_and_a_damaged_one(run_folder, tmp_path):
    with pytest.raises(ValueError, match=r"is not a checkpoint: it has no manifest\.json"):
        load_agent(str(tmp_path))
    folder = shutil.copytree(run_folder / "checkpoints" / "00000002", tmp_path / "agent")
    data = (folder / "agent.safetensors").read_bytes()
    (folder / "agent.safetensors").write_bytes(data[:-1])
    with pytest.raises(ValueError, match=r"agent\.safetensors is damaged"):
        load_agent(str(folder))
    (folder / "agent.safetensors").write_bytes(data)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["config"]["policy"]["hidden"] = 48
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match=r"agent\.safetensors does not fit its configuration"):
        load_agent(str(folder))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"count": 0}, "count is 0"),
        ({"count": 5, "temperature": -0.1}, "temperature is -0.1"),
        ({"count": 5, "temperature": float("nan")}, "temperature is nan"),
        ({"count": 5, "opening": 11}, "opening is 11"),
        ({"count": 5, "seed": -1}, "seed is -1"),
    ],
)
def test_impossible_wishes(agent, options, words):
    with pytest.raises(ValueError, match=words):
        sample(agent, **options)
