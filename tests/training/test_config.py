import json
import math
import subprocess
import sys
from dataclasses import fields, replace

import pytest

from limner.training.config import OptimizerConfig, PolicyGradientConfig, RewardConfig, RunConfig, read_config
from limner.training.presets import PRESETS

TINY = PRESETS["tiny"].config
SECTIONS = {"run.": RunConfig, "reward.": RewardConfig, "learning.": PolicyGradientConfig}
FIELDS = [prefix + field.name for prefix, kind in SECTIONS.items() for field in fields(kind)]


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_is_checked_and_named(name, with_field):
    """No field takes an object, and one that is not there takes its default."""
    section, field = name.split(".")
    with pytest.raises(ValueError, match=field):
        read_config(with_field(TINY, name, {"what": "is this"}))
    values = TINY.to_dict()
    del values[section][field]
    read = getattr(read_config(values), section)
    assert getattr(read, field) == getattr(type(read)(), field)


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("run.data", [5, None]),
        ("run.start", [5, None]),
        ("run.seed", [-1, 2**61, 0.5, True]),
        ("run.episodes", [0, 1, -8, 7.5]),
        ("run.frames", [0, -1, 1e6]),
        ("run.minutes", [0, -1.0, math.nan, math.inf, "5"]),
        ("run.threads", [0, 1025, None]),
        ("run.evaluate_every", [0]),
        ("run.checkpoint_every", [0]),
        ("run.keep", [0]),
        ("reward.form", ["both"]),
        ("reward.stroke_penalty", [-0.1]),
        ("reward.empty_penalty", [-0.1]),
        ("learning.learning_rate", [0.0, "fast"]),
        ("learning.final_learning_rate", [-0.1]),
        ("learning.entropy_cost", [-0.1]),
        ("learning.final_entropy_cost", [-0.1]),
        ("learning.gradient_norm", [0.0]),
        ("learning.ema_decay", [-0.1, 1.0]),
        ("learning.target_kl", [0.0, -0.01]),
        ("learning.entropy_floor", [-1.0]),
        ("learning.advantage_floor", [0.0]),
        ("learning.discount", [-0.1, 1.1]),
        ("learning.gae_lambda", [-0.1, 1.1]),
        ("learning.clip", [0.0, -0.2]),
        ("learning.epochs", [0]),
        ("learning.minibatches", [0]),
        ("learning.value_cost", [-0.5]),
        ("learning.kl_average_cost", [-0.1]),
        ("learning.kl_prior_cost", [-0.1]),
    ],
)
def test_what_cannot_work_is_refused_by_name_with_the_value(name, bad, with_field):
    for value in bad:
        with pytest.raises(ValueError, match=name.removeprefix("run.")) as caught:
            read_config(with_field(TINY, name, value))
        assert str(value) in str(caught.value)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (lambda: with_run(episodes=128, minibatches=3), ["episodes is 128", "learning.minibatches=3"]),
        (lambda: with_run(episodes=4, minibatches=4), ["episodes is 4", "at least twice"]),
        (lambda: with_run(kl_prior_cost=0.1), ["learning.kl_prior_cost is 0.1", "start is empty"]),
        (lambda: OptimizerConfig(ema_decay=1.0), ["learning.ema_decay is 1.0", "below 1"]),
    ],
)
def test_fields_that_do_not_go_together_are_refused(config, words):
    with pytest.raises(ValueError, match=words[0]) as caught:
        config()
    assert all(word in str(caught.value) for word in words)


def with_run(episodes=8, **learning):
    run, section = replace(TINY.run, episodes=episodes), PolicyGradientConfig(**{"minibatches": 1} | learning)
    return replace(TINY, run=run, learning=section)


@pytest.mark.parametrize("prefix", ["", *SECTIONS])
def test_unknown_fields_and_sections_that_are_none_are_named(prefix, with_field):
    with pytest.raises(ValueError, match=f"unknown field {prefix}colour, must be one of "):
        read_config(with_field(TINY, prefix + "colour", 1))
    name = prefix.removesuffix(".")
    with pytest.raises(ValueError, match=f"{name or 'it'} must be an object, got 7"):
        read_config(with_field(TINY, name, 7) if name else 7)


@pytest.mark.parametrize("algorithm", [None, "alchemy", 7])
def test_an_unknown_algorithm_is_named_with_those_that_there_are(algorithm):
    values = TINY.to_dict() | {"algorithm": algorithm}
    with pytest.raises(
        ValueError, match=f"unknown algorithm {algorithm!r}: must be one of 'distance', 'imitation', 'spiral'"
    ):
        read_config(values)


def test_updates_cover_the_frames():
    for frames, updates in ((24, 1), (25, 2), (240, 10)):
        assert replace(TINY, run=replace(TINY.run, frames=frames)).updates == updates


def test_progress_is_by_updates_or_by_minutes():
    def limited(minutes):
        return replace(TINY, run=replace(TINY.run, minutes=minutes))

    assert TINY.progress(5, 0.5) == pytest.approx(5 / TINY.updates)
    assert limited(0.8).progress(5, 0.5) == pytest.approx(0.5 / 0.8)
    assert limited(0.1).progress(5, 0.5) == 1


@pytest.mark.parametrize("module", ["config", "presets", "spiral.config", "distance.config", "imitation.config"])
def test_configurations_need_no_torch(module):
    code = f"import sys, limner.training.{module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_json_values_are_those_of_the_fields_and_the_algorithm():
    values = TINY.to_dict()
    assert json.loads(json.dumps(values)) == values
    assert values["algorithm"] == "spiral"
    assert set(values) == {"algorithm", *(field.name for field in fields(TINY))}
