import json
import math
from dataclasses import fields, replace

import pytest

from limner.training.config import read_config
from limner.training.imitation.config import (
    EXPERTS,
    AgentExpert,
    FileExpert,
    ImitationConfig,
    JointExpert,
    RandomExpert,
    SearchExpert,
)
from limner.training.presets import PRESETS

TINY = PRESETS["tiny"].config
CONFIG = ImitationConfig(agent=replace(TINY.agent, conditional=True), run=TINY.run)
STROKES = replace(CONFIG.agent, renderer=replace(TINY.agent.renderer, space="stroke"))
ALONE = replace(CONFIG, agent=TINY.agent)
CONFIGS = {
    "search": CONFIG,
    "joint": replace(CONFIG, agent=STROKES, expert=JointExpert()),
    "random": replace(CONFIG, expert=RandomExpert()),
    "file": replace(ALONE, expert=FileExpert("programs.jsonl")),
    "agent": replace(CONFIG, expert=AgentExpert("faces")),
}
FIELDS = [f"{name}.expert.{field.name}" for name in CONFIGS for field in fields(EXPERTS[name])]


@pytest.mark.parametrize("name", EXPERTS)
def test_every_expert_survives_json_with_its_name(name):
    values = CONFIGS[name].to_dict()
    assert values["expert"]["name"] == name
    assert read_config(json.loads(json.dumps(values))) == CONFIGS[name]


def test_it_has_no_field_of_rewards():
    assert {field.name for field in fields(CONFIG)} == {
        "agent", "run", "expert", "batch_size", "steps_per_update", "learning",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["search.batch_size", "search.steps_per_update", *FIELDS])
def test_every_field_is_checked_and_named(name, with_field):
    kind, field = name.split(".", 1)
    with pytest.raises(ValueError, match=field):
        read_config(with_field(CONFIGS[kind], field, {"what": "is this"}))


@pytest.mark.parametrize(
    ("kind", "name", "bad"),
    [
        ("search", "batch_size", [0, 1.5]),
        ("search", "steps_per_update", [0, None]),
        ("search", "expert.name", ["prophet", None]),
        ("search", "expert.candidates", [0]),
        ("search", "expert.sweeps", [-1]),
        ("search", "expert.capacity", [0]),
        ("search", "expert.augmentation", [-0.5, 1.5]),
        ("search", "expert.action_noise", [-0.1, 1.5, math.nan]),
        ("random", "expert.action_noise", [1.5]),
        ("agent", "expert.action_noise", [1.5]),
    ],
)
def test_what_cannot_work_is_refused_by_name_with_the_value(kind, name, bad, with_field):
    for value in bad:
        with pytest.raises(ValueError, match=name) as caught:
            read_config(with_field(CONFIGS[kind], name, value))
        assert str(value) in str(caught.value)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (lambda: replace(ALONE, expert=RandomExpert()), ["expert is 'random'", "conditional"]),
        (lambda: replace(CONFIG, expert=FileExpert("a.jsonl")), ["expert is 'file'", "unconditional"]),
        (lambda: replace(ALONE, expert=FileExpert()), ["expert is 'file'", "expert.path is empty"]),
        (lambda: replace(CONFIG, expert=AgentExpert()), ["expert is 'agent'", "expert.agent is empty"]),
    ],
)
def test_fields_that_do_not_go_together_are_refused(config, words):
    with pytest.raises(ValueError, match=words[0]) as caught:
        config()
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize(
    ("kind", "field"), [("random", "candidates"), ("file", "action_noise"), ("agent", "path"), ("search", "path")]
)
def test_a_field_of_another_expert_is_unknown(kind, field, with_field):
    with pytest.raises(ValueError, match=f"unknown field expert.{field}, must be one of "):
        read_config(with_field(CONFIGS[kind], f"expert.{field}", 1))


def test_search_serves_agents_with_and_without_targets():
    assert CONFIG.expert == ALONE.expert == SearchExpert()
