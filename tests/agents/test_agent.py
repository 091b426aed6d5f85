import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from limner.agents import agent as agents
from limner.agents.agent import find_agent, load_agent
from limner.inference.draw import draw
from limner.inference.sample import sample
from limner.training import make_trainer
from limner.training.saving import save_checkpoint
from limner.worlds.toy.renderer import ToySettings


@pytest.fixture(scope="module")
def config(tiny):
    return replace(tiny, agent=replace(tiny.agent, policy=replace(tiny.agent.policy, lstm=True)))


@pytest.fixture(scope="module")
def run_folder(config, source, tmp_path_factory):
    """A run with the checkpoints of two updates."""
    folder = tmp_path_factory.mktemp("runs") / "one"
    trainer = make_trainer(config, source)
    for updates in range(2):
        trainer.update(updates / 2)
        save_checkpoint(folder / "checkpoints", trainer, {})
    return folder


@pytest.fixture(scope="module")
def drawn(run_folder):
    return sample(load_agent(str(run_folder)), 5, seed=3)


@pytest.fixture
def copied(run_folder, tmp_path):
    """The newest checkpoint as a folder of an agent, without the state."""
    folder = shutil.copytree(run_folder / "checkpoints" / "00000002", tmp_path / "agent")
    (folder / "state.safetensors").unlink()
    return folder


@pytest.fixture
def shipped(monkeypatch, copied):
    """The folder of an agent that ships under the name ``one``."""
    monkeypatch.setattr(agents, "shipped_agents", lambda: {"one": copied})
    return copied


def edit_manifest(folder, section, **changes):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest[section] |= changes
    path.write_text(json.dumps(manifest))


def test_an_agent_is_the_average_in_the_newest_checkpoint(run_folder, config, source):
    agent = load_agent(str(run_folder))
    assert agent.name == "one"
    assert agent.config == config.agent
    trainer = make_trainer(config, source)
    for updates in range(2):
        trainer.update(updates / 2)
    expected, found = trainer.policy_learner.average.state_dict(), agent.policy.state_dict()
    assert all((expected[name] == found[name]).all() for name in expected)
    older = load_agent(str(run_folder / "checkpoints" / "00000001")).policy.state_dict()
    assert not all((expected[name] == older[name]).all() for name in expected)


def test_an_agent_needs_no_state_to_draw(copied, drawn):
    alone = load_agent(str(copied))
    assert alone.name == "agent"
    np.testing.assert_array_equal(sample(alone, 5, seed=3)[0], drawn[0])


def test_an_agent_that_ships_is_found_by_its_name(shipped, drawn):
    assert find_agent("one") == (shipped, "one")
    agent = load_agent("one")
    assert agent.name == "one"
    assert agent.config.policy.lstm
    canvases, programs = sample(agent, 5, seed=3)
    np.testing.assert_array_equal(canvases, drawn[0])
    assert programs[0].agent == "one"


def test_an_unknown_agent_is_an_error_that_says_what_there_is(shipped):
    with pytest.raises(ValueError, match=r"there is no agent 'picasso': name one that ships with Limner \(one\)"):
        load_agent("picasso")


def test_a_folder_that_is_no_agent_and_a_damaged_one(copied, tmp_path):
    with pytest.raises(ValueError, match=r"is not a checkpoint: it has no manifest\.json"):
        load_agent(str(tmp_path))
    data = (copied / "agent.safetensors").read_bytes()
    (copied / "agent.safetensors").write_bytes(data[:-1])
    with pytest.raises(ValueError, match=r"agent\.safetensors is damaged"):
        load_agent(str(copied))
    (copied / "agent.safetensors").write_bytes(data)
    edit_manifest(copied, "agent", policy={"channels": 4, "hidden": 48, "noise": 2, "lstm": True})
    shapes = r"is \[\d[\d, ]*\], must be \[\d[\d, ]*\] \(\d+ tensors do not fit\)$"
    with pytest.raises(ValueError, match=rf"agent\.safetensors does not fit its configuration: \w\S* {shapes}"):
        load_agent(str(copied))
    edit_manifest(copied, "agent", policy={"depth": 4})
    with pytest.raises(ValueError, match=r"unknown field policy\.depth"):
        load_agent(str(copied))


def test_an_agent_is_read_without_knowing_how_it_was_trained(copied, drawn):
    edit_manifest(copied, "training", algorithm="yet to be invented", critic=7)
    np.testing.assert_array_equal(sample(load_agent(str(copied)), 5, seed=3)[0], drawn[0])


def test_an_agent_trained_on_a_gpu_draws_without_one(conditional_folder, unconditional_folder, digits, tmp_path):
    for name, folder in (("conditional", conditional_folder), ("unconditional", unconditional_folder)):
        moved = shutil.copytree(folder, tmp_path / name)
        (checkpoint,) = moved.glob("checkpoints/*")
        edit_manifest(checkpoint, "training", device="cuda")
    goals = digits.pictures(64)[:2]
    (one,), (other,) = (draw(load_agent(str(p)), goals) for p in (conditional_folder, tmp_path / "conditional"))
    assert one.programs == other.programs
    drawn, _ = sample(load_agent(str(tmp_path / "unconditional")), 2)
    np.testing.assert_array_equal(drawn, sample(load_agent(str(unconditional_folder)), 2)[0])


def test_an_agent_of_any_world_has_a_policy_that_fits(tiny):
    config = replace(tiny.agent, renderer=ToySettings(canvas=32), conditional=True)
    policy, renderer = agents.make_policy(config), config.make_renderer(1)
    assert [len(head.bias) for head in policy.decoder.heads] == list(renderer.actions.sizes)
    first = next(layer for layer in policy.torso.modules() if hasattr(layer, "in_channels"))
    assert first.in_channels >= 2 * renderer.shape[2], "canvas and target"
