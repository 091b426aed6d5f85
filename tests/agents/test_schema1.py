"""Manifests of schema 1. ``schema1/`` holds one of an agent that shipped for each way of training."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from limner.agents.agent import load_agent
from limner.agents.checkpoint import read_manifest
from limner.agents.config import AgentConfig
from limner.agents.schema1 import migrate
from limner.agents.zoo import shipped_agents
from limner.inference.draw import draw
from limner.inference.sample import sample
from limner.training.config import read_config
from limner.training.imitation.config import AgentExpert, FileExpert, RandomExpert, SearchExpert
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.scenes.settings import ScenesSettings

FOLDER = Path(__file__).parent / "schema1"
SHIPPED = ["mnist-reconstruct", "scenes"]
ALL = [*SHIPPED, "mnist", "mnist-spiral"]


def old(name):
    return json.loads((FOLDER / f"{name}.json").read_text())


def rounded(name):
    """The same, of the weights of the shipped agent: they have been rounded since."""
    return old(name) | {"sha256": read_manifest(shipped_agents()[name])["sha256"]}


def changed(name, section=None, /, **values):
    manifest = old(name)
    target = manifest["config"] if section is None else manifest["config"][section]
    target |= values
    return manifest


def training(manifest):
    return read_config(migrate(manifest)["training"])


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_manifest_is_the_migrated_one(name):
    text = (shipped_agents()[name] / "manifest.json").read_text()
    assert json.dumps(migrate(rounded(name)), indent=2) == text


@pytest.mark.parametrize("name", sorted(shipped_agents()))
def test_a_shipped_manifest_is_of_schema_2_and_its_training_can_be_read(name):
    manifest = json.loads((shipped_agents()[name] / "manifest.json").read_text())
    assert manifest["schema"] == 2
    assert read_config(manifest["training"]).agent == AgentConfig.from_dict(manifest["agent"])
    assert not Path(read_config(manifest["training"]).run.start).is_absolute()


@pytest.mark.parametrize("name", ALL)
def test_both_configurations_of_a_migrated_manifest_can_be_read(name):
    manifest, before = migrate(old(name)), old(name)
    agent, config = AgentConfig.from_dict(manifest["agent"]), read_config(manifest["training"])
    assert config.agent == agent
    assert (agent.horizon, agent.resolution) == (before["config"]["steps"], before["config"]["resolution"])
    assert (config.run.episodes, config.run.data) == (before["config"]["batch"], before["config"]["data"])
    assert (manifest["sha256"], manifest["torch"]) == (before["sha256"], before["torch"])


def test_imitation_of_an_agent():
    config = training(old("mnist"))
    assert config.algorithm == "imitation"
    assert config.expert == AgentExpert(agent="runs/rec6", action_noise=0.1)
    assert (config.batch_size, config.steps_per_update) == (32, 48)
    assert (config.learning.ema_decay, config.learning.learning_rate) == (0.995, 7e-4)
    assert (config.agent.temperature, config.agent.first_action_temperature) == (0.45, 0.8)
    assert not config.agent.conditional


def test_training_from_the_distance():
    config = training(old("mnist-reconstruct"))
    assert config.algorithm == "distance"
    assert config.reward.weight == 100
    assert config.agent.conditional
    section = old("mnist-reconstruct")["config"]["learning"]
    for before, now in (("discount", "discount"), ("trace_decay", "gae_lambda"), ("passes", "epochs")):
        assert getattr(config.learning, now) == section[before]


def test_imitation_of_random_programs():
    config = training(old("scenes"))
    assert config.algorithm == "imitation"
    assert config.expert == RandomExpert(action_noise=0.3)
    assert isinstance(config.agent.renderer, ScenesSettings)


def test_training_from_a_critic_before_agents_had_targets():
    config = training(old("mnist-spiral"))
    assert config.algorithm == "spiral"
    assert not config.agent.conditional
    assert isinstance(config.agent.renderer, PaintSettings)
    assert (config.critic.pixel_unshuffle, config.critic.gradient_penalty_share) == (4, 0.5)
    assert (config.critic.batch_size, config.critic.steps_per_update, config.critic.gradient_penalty) == (64, 4, 10)
    assert (config.learning.kl_average_cost, config.learning.ema_decay) == (1.0, 0.97)
    assert config.reward.distance == 0


def test_a_loss_that_there_is_no_more_is_named():
    with pytest.raises(ValueError, match=r"critic\.loss is 'logistic': must be 'wasserstein' or 'relativistic'"):
        training(changed("mnist-spiral", "critic", loss="logistic"))


def test_a_critic_beside_the_distance():
    config = training(changed("mnist-reconstruct", "reward", critic=1.0, distance=2.0))
    assert config.algorithm == "spiral"
    assert config.reward.distance == 2


def test_the_other_experts():
    search = {"teacher": "search", "tries": 4, "sweeps": 1, "memory": 64, "dreams": 0.25, "slips": 0.125}
    expected = SearchExpert(candidates=4, sweeps=1, capacity=64, augmentation=0.25, action_noise=0.125)
    assert training(changed("mnist", "imitation", **search)).expert == expected
    file = {"teacher": "programs", "programs": "some.jsonl"}
    assert training(changed("mnist", "imitation", **file)).expert == FileExpert(path="some.jsonl")


def test_counters_have_their_new_names():
    counters = migrate(old("mnist"))["counters"]
    assert counters["demonstrations"] == old("mnist")["counters"]["lessons"]
    assert {"entropy_scale", "learning_rate_divisor", "updates", "frames", "minutes"} < counters.keys()
    assert not {"entropy_boost", "caution", "lessons"} & counters.keys()


@pytest.mark.parametrize("name", SHIPPED)
def test_an_agent_with_an_old_manifest_draws_what_the_shipped_one_draws(name, request, tmp_path):
    if name == "scenes":
        request.getfixturevalue("gl")
    folder = tmp_path / name
    folder.mkdir()
    shutil.copy(shipped_agents()[name] / "agent.safetensors", folder)
    (folder / "manifest.json").write_text(json.dumps(rounded(name)))
    agents = load_agent(str(folder)), load_agent(name)
    assert agents[0].config == agents[1].config
    if agents[0].config.conditional:
        shape = agents[0].config.make_renderer(1).shape
        goals = np.random.default_rng(0).integers(0, 256, (4, *shape), np.uint8)
        (one,), (other,) = (draw(agent, goals) for agent in agents)
        assert one.programs == other.programs
        np.testing.assert_array_equal(one.canvases, other.canvases)
    else:
        (one, programs), (other, expected) = (sample(agent, 4) for agent in agents)
        assert programs == expected
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (changed("mnist", renderer=7), "renderer must be an object, got 7"),
        (changed("mnist", learning=[]), r"learning must be an object, got \[\]"),
        (changed("mnist", imitation=None), "imitation must be an object, got None"),
        (changed("mnist", "imitation", teacher="prophet"), "imitation.teacher is 'prophet': must be one of search, "),
        (changed("mnist", "imitation", teacher=["search"]), r"imitation.teacher is \['search'\]"),
        (changed("mnist-spiral", critic="none"), "critic must be an object, got 'none'"),
        (old("mnist") | {"counters": None}, "counters must be an object, got None"),
        (old("mnist") | {"config": None}, "config is missing"),
    ],
)
def test_a_damaged_manifest_is_refused(tmp_path, manifest, words):
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match=rf"manifest\.json is damaged: (.*){words}"):
        read_manifest(tmp_path)
