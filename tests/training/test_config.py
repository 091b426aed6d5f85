import dataclasses
import json
import math
import subprocess
import sys

import pytest

from limner.training.config import Config, CriticConfig, ImitationConfig, LearningConfig, PolicyConfig, RewardConfig
from limner.training.presets import PRESETS
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.scenes.settings import ScenesSettings

SECTIONS = {
    "": Config,
    "renderer.": PaintSettings,
    "policy.": PolicyConfig,
    "critic.": CriticConfig,
    "reward.": RewardConfig,
    "learning.": LearningConfig,
}
FIELDS = [
    prefix + field.name
    for prefix, kind in SECTIONS.items()
    for field in dataclasses.fields(kind)
    if f"{field.name}." not in SECTIONS
]


def changed(name, value, config=PRESETS["tiny"]):
    """The configuration as a dictionary, with the field ``section.field`` set to ``value``."""
    result = json.loads(json.dumps(config.to_dict()))
    *section, field = name.split(".")
    (result[section[0]] if section else result)[field] = value
    return result


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_survives_json(name):
    config = PRESETS[name]
    restored = Config.from_dict(json.loads(json.dumps(config.to_dict())))
    assert restored == config
    assert isinstance(restored.renderer.sizes, tuple)
    assert config.make_renderer(2).batch == 2


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_is_checked_and_named(name):
    """No field takes an object, and one that is not there takes its default."""
    *section, field = name.split(".")
    with pytest.raises(ValueError, match=field):
        Config.from_dict(changed(name, {"what": "is this"}))
    values = PRESETS["tiny"].to_dict()
    del (values[section[0]] if section else values)[field]
    read, default = Config.from_dict(values), Config()
    if section:
        read, default = getattr(read, section[0]), type(getattr(read, section[0]))()
    assert getattr(read, field) == getattr(default, field)


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("data", [5, None]),
        ("seed", [-1, 2**61, 0.5, True]),
        ("steps", [0, -3, 1.5, "6", None]),
        ("batch", [0, 1, -8, 7.5]),
        ("resolution", [0, 4, 24, 128, 16.0, "16"]),
        ("temperature", [-0.1, 11.0, math.nan, None]),
        ("opening", [-0.1, 11.0, math.nan, "1"]),
        ("frames", [0, -1, 1e6]),
        ("minutes", [0, -1.0, math.nan, math.inf, "5"]),
        ("device", ["tpu", None]),
        ("threads", [0, 1025, None]),
        ("evaluate_every", [0]),
        ("checkpoint_every", [0]),
        ("keep", [0]),
        ("renderer.grid", [1, 65, "8"]),
        ("renderer.space", ["spiral", None, 2]),
        ("renderer.canvas", [32, 8192]),
        ("renderer.brush", [7, "classic/no-such-brush"]),
        ("policy.network", ["huge", None]),
        ("policy.channels", [0, 1.5]),
        ("policy.hidden", [0]),
        ("policy.lstm", [1, "yes"]),
        ("policy.noise", [-1]),
        ("critic.loss", ["hinge"]),
        ("critic.width", [0]),
        ("critic.learning_rate", [0, -1e-4, math.nan]),
        ("critic.batch", [0]),
        ("critic.steps", [0]),
        ("critic.penalty", [-1.0, math.inf]),
        ("critic.precision", ["float8"]),
        ("critic.fold", [0, 3, 16]),
        ("critic.penalised", [0.0, -0.1, 1.1]),
        ("critic.programs", [7, None]),
        ("policy.precision", ["float8"]),
        ("critic.replay", [0]),
        ("reward.form", ["both"]),
        ("reward.stroke_penalty", [-0.1]),
        ("reward.empty_penalty", [-0.1]),
        ("learning.learning_rate", [0.0, "fast"]),
        ("learning.final_learning_rate", [-0.1]),
        ("learning.target_kl", [0.0, -0.01]),
        ("learning.entropy_cost", [-0.1]),
        ("learning.final_entropy_cost", [-0.1]),
        ("learning.entropy_floor", [-1.0]),
        ("learning.advantage_floor", [0.0]),
        ("learning.discount", [-0.1, 1.1]),
        ("learning.trace_decay", [-0.1, 1.1]),
        ("learning.clip", [0.0, -0.2]),
        ("learning.passes", [0]),
        ("learning.minibatches", [0]),
        ("learning.value_cost", [-0.5]),
        ("learning.gradient_norm", [0.0]),
        ("learning.anchor_cost", [-0.1]),
        ("learning.average", [-0.1, 1.0]),
    ],
)
def test_what_cannot_work_is_refused_by_name_with_the_value(name, bad):
    for value in bad:
        with pytest.raises(ValueError, match=name.split(".")[-1]) as caught:
            Config.from_dict(changed(name, value)).make_renderer(1)
        assert str(value) in str(caught.value)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (lambda: Config(batch=128, learning=LearningConfig(minibatches=3)), ["batch is 128", "minibatches=3"]),
        (lambda: Config(batch=4, learning=LearningConfig(minibatches=4)), ["batch is 4", "at least twice"]),
        (lambda: Config(policy=PolicyConfig(blind=True)), ["policy.blind", "conditional"]),
        (lambda: Config(reward=RewardConfig(distance=1.0)), ["reward.distance", "conditional"]),
        (lambda: Config(critic=CriticConfig(target="complement")), ["complement", "conditional"]),
        (lambda: Config(conditional=True, critic=CriticConfig(programs="a.jsonl")), ["critic.programs", "a.jsonl"]),
        (lambda: Config(conditional=True, opening=1.0), ["opening", "1.0", "conditional"]),
        (lambda: Config(imitation=ImitationConfig(teacher="random")), ["imitation.teacher", "'random'", "conditional"]),
        (
            lambda: Config(conditional=True, critic=CriticConfig(data="mnist")),
            ["critic.data", "'mnist'", "conditional"],
        ),
        (lambda: Config(critic=CriticConfig(data="mnist", programs="a.jsonl")), ["critic.data", "critic.programs"]),
        (
            lambda: Config(critic=CriticConfig(data="mnist"), imitation=ImitationConfig("search")),
            ["critic.data", "imitation.teacher"],
        ),
        (lambda: Config(learning=LearningConfig(prior_cost=0.1)), ["learning.prior_cost", "0.1", "start"]),
        (lambda: ImitationConfig(teacher="programs"), ["imitation.programs", "''"]),
        (lambda: ImitationConfig(programs="a.jsonl"), ["imitation.programs", "a.jsonl", "teacher"]),
        (lambda: ImitationConfig(teacher="agent"), ["imitation.agent", "''"]),
        (lambda: ImitationConfig(agent="faces"), ["imitation.agent", "faces", "teacher"]),
        (lambda: ImitationConfig(teacher="prophet"), ["imitation.teacher", "prophet", "search"]),
        (lambda: ImitationConfig(slips=1.5), ["imitation.slips", "1.5"]),
        (lambda: ImitationConfig(dreams=-0.5), ["imitation.dreams", "-0.5"]),
        (lambda: ImitationConfig(sweeps=-1), ["imitation.sweeps", "-1"]),
        (lambda: Config(resolution=16, policy=PolicyConfig(network="pointer")), ["resolution 16", "pointer", "32"]),
        (
            lambda: Config(renderer=ScenesSettings(), policy=PolicyConfig(network="pointer")),
            ["resolution 32", "pointer", "64"],
        ),
        (lambda: Config(renderer=PaintSettings(canvas=80)), ["resolution is 32", "80 pixels"]),
        (lambda: Config(renderer=PaintSettings(grid=65)), ["grid", "65", "64"]),
        (
            lambda: Config(renderer=PaintSettings(grid=12), policy=PolicyConfig(spatial_heads=True)),
            ["renderer.grid is 12", "spatial_heads"],
        ),
        (
            lambda: Config(renderer=PaintSettings(space="relative"), policy=PolicyConfig(spatial_heads=True)),
            ["renderer.space is 'relative'", "spatial_heads"],
        ),
        (lambda: Config(renderer=PaintSettings(space="line", preset="deepmind-2018")), ["space", "'bezier'", "'line'"]),
    ],
)
def test_fields_that_do_not_go_together_are_refused(config, words):
    with pytest.raises(ValueError, match=words[0]) as caught:
        config()
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize("prefix", SECTIONS)
def test_unknown_fields_and_sections_that_are_none_are_named(prefix):
    with pytest.raises(ValueError, match="colour"):
        Config.from_dict(changed(prefix + "colour", 1))
    if prefix:
        with pytest.raises(ValueError, match=prefix[:-1] + " must be an object, got 7"):
            Config.from_dict(changed(prefix[:-1], 7))
    else:
        with pytest.raises(ValueError, match="must be an object, got 7"):
            Config.from_dict(7)


def test_what_renders_is_saved_and_was_a_painter_where_nothing_says_so():
    values = PRESETS["scenes"].to_dict()
    assert values["renderer"]["name"] == "scenes"
    assert Config.from_dict(values).renderer == ScenesSettings()
    old = PRESETS["tiny"].to_dict()
    assert old["renderer"].pop("name") == "paint"
    assert Config.from_dict(old) == PRESETS["tiny"]
    with pytest.raises(ValueError, match=r"renderer.name is 'toy': must be 'paint' or 'scenes'"):
        Config.from_dict(changed("renderer.name", "toy"))
    with pytest.raises(ValueError, match="unknown setting 'brush'"):
        Config.from_dict(changed("renderer.brush", "classic/pen", PRESETS["scenes"]))


@pytest.mark.parametrize("name", ["stroke_penalty", "empty_penalty"])
def test_scenes_have_no_penalties_for_strokes(name):
    with pytest.raises(ValueError, match=rf"reward.{name} is 0.1: it is for painters"):
        Config.from_dict(changed(f"reward.{name}", 0.1, PRESETS["scenes"]))
    assert getattr(Config.from_dict(changed(f"reward.{name}", 0.1)).reward, name) == 0.1


def test_updates_cover_the_frames():
    assert Config(frames=768).updates == 1
    assert Config(frames=769).updates == 2
    assert PRESETS["tiny"].updates == 10


def test_the_configuration_needs_no_torch():
    code = "import sys, limner.training.config; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_progress_is_by_updates_or_by_minutes():
    tiny = PRESETS["tiny"]
    assert tiny.progress(5, 0.5) == pytest.approx(5 / tiny.updates)
    assert dataclasses.replace(tiny, minutes=0.8).progress(5, 0.5) == pytest.approx(0.5 / 0.8)
    assert dataclasses.replace(tiny, minutes=0.1).progress(5, 0.5) == 1
