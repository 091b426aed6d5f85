import json
import math
from dataclasses import fields, replace

import pytest

from limner.training.config import read_config
from limner.training.distance.config import DistanceConfig, DistanceReward
from limner.training.presets import PRESETS

TINY = PRESETS["tiny"].config
CONFIG = DistanceConfig(agent=replace(TINY.agent, conditional=True), run=TINY.run, learning=TINY.learning)
SCENES = PRESETS["scenes"].config.agent


def test_it_survives_json():
    assert read_config(json.loads(json.dumps(CONFIG.to_dict()))) == CONFIG


def test_it_has_no_field_of_a_critic():
    assert {field.name for field in fields(CONFIG)} == {"agent", "run", "device", "reward", "learning"}
    assert {field.name for field in fields(CONFIG.reward)} == {"weight", "form", "stroke_penalty", "empty_penalty"}


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, "100"])
def test_a_weight_that_cannot_work_is_refused(value, with_field):
    with pytest.raises(ValueError, match=r"reward\.weight is ") as caught:
        read_config(with_field(CONFIG, "reward.weight", value))
    assert str(value) in str(caught.value)


def test_an_agent_without_targets_is_refused():
    with pytest.raises(ValueError, match="algorithm is 'distance', but the agent has no targets: set conditional"):
        DistanceConfig(agent=TINY.agent)


@pytest.mark.parametrize("name", ["stroke_penalty", "empty_penalty"])
def test_scenes_have_no_penalties_for_strokes(name):
    with pytest.raises(ValueError, match=rf"reward.{name} is 0.1: .* leave it out"):
        DistanceConfig(agent=SCENES, reward=DistanceReward(**{name: 0.1}))
    assert getattr(replace(CONFIG, reward=DistanceReward(**{name: 0.1})).reward, name) == 0.1
