import math
from dataclasses import fields, replace

import pytest

from limner.models.config import CriticConfig
from limner.training.config import read_config
from limner.training.presets import PRESETS
from limner.training.spiral.config import SpiralReward

TINY = PRESETS["tiny"].config
FIELDS = ["device"] + [
    f"{section}.{field.name}" for section in ("critic", "reward") for field in fields(getattr(TINY, section))
]


def conditional(**changes):
    return replace(TINY, agent=replace(TINY.agent, conditional=True), **changes)


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_is_checked_and_named(name, with_field):
    with pytest.raises(ValueError, match=name):
        read_config(with_field(TINY, name, {"what": "is this"}))
    values = TINY.to_dict()
    *sections, field = name.split(".")
    del (values[sections[0]] if sections else values)[field]
    read = read_config(values)
    section = getattr(read, sections[0]) if sections else read
    default = type(section)() if sections else replace(TINY)
    assert getattr(section, field) == getattr(default, field)


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("device", ["tpu", None]),
        ("critic.loss", ["hinge"]),
        ("critic.width", [0]),
        ("critic.learning_rate", [0, -1e-4, math.nan]),
        ("critic.batch_size", [0]),
        ("critic.steps_per_update", [0]),
        ("critic.gradient_penalty", [-1.0, math.inf]),
        ("critic.gradient_penalty_share", [0.0, -0.1, 1.1]),
        ("critic.precision", ["float8"]),
        ("critic.pixel_unshuffle", [0, 3, 8, 16]),
        ("critic.replay", [0]),
        ("critic.data", [7, None]),
        ("reward.distance", [-1.0, math.nan]),
    ],
)
def test_what_cannot_work_is_refused_by_name_with_the_value(name, bad, with_field):
    for value in bad:
        with pytest.raises(ValueError, match=name) as caught:
            read_config(with_field(TINY, name, value))
        assert str(value) in str(caught.value)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (lambda: replace(TINY, reward=SpiralReward(distance=1.0)), ["reward.distance is 1.0", "set conditional"]),
        (
            lambda: replace(TINY, critic=CriticConfig(pixel_unshuffle=8)),
            ["critic.pixel_unshuffle is 8", "16 pixels"],
        ),
        (lambda: conditional(critic=CriticConfig(data="mnist")), ["critic.data is 'mnist'", "conditional"]),
        (lambda: conditional(critic=CriticConfig(encoder="contrastive")), ["critic.encoder is 'contrastive'", "none"]),
    ],
)
def test_fields_that_do_not_go_together_are_refused(config, words):
    with pytest.raises(ValueError, match=words[0]) as caught:
        config()
    assert all(word in str(caught.value) for word in words)


def test_with_a_target_the_same_fields_are_accepted():
    conditional(reward=SpiralReward(distance=1.0))
    replace(TINY, critic=CriticConfig(data="mnist"))


def test_a_removed_field_is_passed_over_where_it_asked_for_nothing(with_field):
    assert read_config(with_field(TINY, "critic.target", "beside")) == TINY
    for other in ("complement", ["beside"]):
        with pytest.raises(ValueError, match=r"unknown field critic\.target"):
            read_config(with_field(TINY, "critic.target", other))


@pytest.mark.parametrize("section", ["critic", "reward"])
def test_unknown_fields_and_sections_that_are_none_are_named(section, with_field):
    with pytest.raises(ValueError, match=f"unknown field {section}.colour, must be one of "):
        read_config(with_field(TINY, f"{section}.colour", 1))
    with pytest.raises(ValueError, match=f"{section} must be an object, got 7"):
        read_config(with_field(TINY, section, 7))
