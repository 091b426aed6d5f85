import json

import pytest

from limner.training import algorithm_names
from limner.training.config import read_config
from limner.training.presets import PRESETS


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_survives_json(name):
    config = PRESETS[name].config
    restored = read_config(json.loads(json.dumps(config.to_dict())))
    assert restored == config
    assert isinstance(restored.agent.renderer, type(config.agent.renderer))
    assert config.agent.make_renderer(2).batch == 2


def test_presets_say_what_they_teach_and_are_of_known_algorithms():
    assert {preset.config.algorithm for preset in PRESETS.values()} <= set(algorithm_names())
    assert all(preset.teaches for preset in PRESETS.values())
    assert PRESETS["tiny"].config.updates == 10


def test_tuples_stay_tuples():
    sizes = read_config(json.loads(json.dumps(PRESETS["tiny"].config.to_dict()))).agent.renderer.sizes
    assert isinstance(sizes, tuple)
