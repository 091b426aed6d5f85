import json
import math
import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pytest

from limner.agents.config import AgentConfig
from limner.models.config import PolicyConfig
from limner.training.presets import PRESETS
from limner.worlds import find_world
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.scenes.settings import ScenesSettings
from limner.worlds.toy.renderer import ToySettings

TINY, SCENES = PRESETS["tiny"].config.agent, PRESETS["scenes"].config.agent
SECTIONS = {"": AgentConfig, "policy.": PolicyConfig, "renderer.": PaintSettings}
FIELDS = [
    prefix + field.name
    for prefix, kind in SECTIONS.items()
    for field in fields(kind)
    if f"{field.name}." not in SECTIONS
]


def changed(name, value, config=TINY):
    """The configuration as JSON values, with the field ``section.field`` set to ``value``."""
    result = json.loads(json.dumps(config.to_dict()))
    *section, field = name.split(".")
    (result[section[0]] if section else result)[field] = value
    return result


@pytest.mark.parametrize("name", PRESETS)
def test_a_configuration_survives_json(name):
    config = PRESETS[name].config.agent
    restored = AgentConfig.from_dict(json.loads(json.dumps(config.to_dict())))
    assert restored == config
    assert isinstance(restored.renderer.sizes, tuple)


@pytest.mark.parametrize("name", PRESETS)
def test_world_actions_and_renderer_are_those_of_the_settings(name):
    config = PRESETS[name].config.agent
    assert config.world is find_world(config.renderer.name)
    renderer = config.make_renderer(2)
    assert renderer.batch == 2
    assert renderer.settings() == config.to_dict()["renderer"]
    assert renderer.actions == config.actions


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_is_checked_and_named(name):
    """No field takes an object, and one that is not there takes its default."""
    *section, field = name.split(".")
    with pytest.raises(ValueError, match=field):
        AgentConfig.from_dict(changed(name, {"what": "is this"}))
    values = TINY.to_dict()
    del (values[section[0]] if section else values)[field]
    read, default = AgentConfig.from_dict(values), AgentConfig(PaintSettings())
    if section:
        read, default = (getattr(config, section[0]) for config in (read, default))
    assert getattr(read, field) == getattr(default, field)


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("conditional", [1, "yes", None]),
        ("horizon", [0, -3, 1.5, "6", None]),
        ("resolution", [0, 4, 24, 128, 16.0, "16"]),
        ("temperature", [-0.1, 11.0, math.nan, None]),
        ("first_action_temperature", [-0.1, 11.0, math.nan, "1"]),
        ("renderer.grid", [1, 65, "8"]),
        ("renderer.space", ["spiral", None, 2]),
        ("renderer.canvas", [32, 8193]),
        ("renderer.brush", [7, "classic/no-such-brush"]),
        ("policy.network", ["huge", None]),
        ("policy.channels", [0, 1.5]),
        ("policy.hidden", [0]),
        ("policy.lstm", [1, "yes"]),
        ("policy.noise", [-1]),
        ("policy.precision", ["float8"]),
    ],
)
def test_values_that_cannot_work_are_refused_by_name(name, bad):
    for value in bad:
        with pytest.raises(ValueError, match=name.split(".")[-1]) as caught:
            AgentConfig.from_dict(changed(name, value)).make_renderer(1)
        assert str(value) in str(caught.value)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (lambda: AgentConfig(PaintSettings(), policy=PolicyConfig(blind=True)), ["policy.blind", "conditional"]),
        (
            lambda: AgentConfig(PaintSettings(), conditional=True, first_action_temperature=1.0),
            ["first_action_temperature", "1.0", "unconditional"],
        ),
        (
            lambda: AgentConfig(PaintSettings(), resolution=16, policy=PolicyConfig(network="pointer")),
            ["resolution is 16", "pointer", "32"],
        ),
        (
            lambda: AgentConfig(ScenesSettings(), policy=PolicyConfig(network="pointer")),
            ["resolution is 32", "pointer", "64"],
        ),
        (lambda: AgentConfig(PaintSettings(canvas=80)), ["resolution is 32", "80 pixels"]),
        (lambda: AgentConfig(PaintSettings(grid=65)), ["grid", "65", "64"]),
        (
            lambda: AgentConfig(PaintSettings(grid=12), policy=PolicyConfig(spatial_heads=True)),
            ["'end' has 12 cells", "spatial_heads", "renderer.grid"],
        ),
        (
            lambda: AgentConfig(PaintSettings(grid=8, space="relative"), policy=PolicyConfig(spatial_heads=True)),
            ["cells a side", "spatial_heads", "renderer.space"],
        ),
        (
            lambda: AgentConfig(PaintSettings(grid=24), policy=PolicyConfig(network="pointer")),
            ["24 cells", "multiple of 16", "renderer.grid"],
        ),
        (
            lambda: PolicyConfig(network="pointer", spatial_heads=True),
            ["policy.spatial_heads", "'pointer'", "switch it off"],
        ),
    ],
)
def test_fields_that_do_not_go_together_are_refused(config, words):
    with pytest.raises(ValueError, match=words[0]) as caught:
        config()
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize("prefix", SECTIONS)
def test_unknown_fields_and_sections_that_are_none_are_named(prefix):
    with pytest.raises(ValueError, match=f"unknown field {prefix}colour"):
        AgentConfig.from_dict(changed(prefix + "colour", 1))
    if prefix:
        with pytest.raises(ValueError, match=prefix[:-1] + " must be an object, got 7"):
            AgentConfig.from_dict(changed(prefix[:-1], 7))
    else:
        with pytest.raises(ValueError, match="must be an object, got 7"):
            AgentConfig.from_dict(7)


def test_the_name_says_what_the_settings_are():
    values = SCENES.to_dict()
    assert values["renderer"]["name"] == "scenes"
    assert AgentConfig.from_dict(values).renderer == ScenesSettings()
    with pytest.raises(ValueError, match=r"unknown field renderer\.brush"):
        AgentConfig.from_dict(changed("renderer.brush", "classic/pen", SCENES))
    toy = replace(TINY, renderer=ToySettings(canvas=32))
    assert AgentConfig.from_dict(toy.to_dict()) == toy
    for name in ("clay", None, 7):
        with pytest.raises(ValueError, match=f"unknown renderer {name!r}: must be one of 'paint', 'scenes', 'toy'"):
            AgentConfig.from_dict(changed("renderer.name", name))
    values = TINY.to_dict()
    del values["renderer"]["name"]
    with pytest.raises(ValueError, match="unknown renderer None"):
        AgentConfig.from_dict(values)


def test_an_agent_without_a_renderer_is_refused():
    with pytest.raises(ValueError, match="renderer is missing"):
        AgentConfig.from_dict({"horizon": 3})


def test_the_renderer_paints_what_the_settings_say_on_any_number_of_threads():
    actions = TINY.actions.sample(np.random.default_rng(0), (3, 4))
    canvases = []
    for threads in (1, 2):
        renderer = TINY.make_renderer(4, threads)
        for action in actions:
            renderer.step(action)
        canvases.append(renderer.canvas())
    np.testing.assert_array_equal(*canvases)


def test_the_configuration_needs_no_torch():
    code = "import sys, limner.agents.config; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
