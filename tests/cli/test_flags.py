"""Flags of ``limner train``: which there are, what they set, what they refuse. Nothing is trained here."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from limner.cli import main as cli
from limner.cli.train import Train, read
from limner.training import algorithm_names, find_algorithm
from limner.training.config import TrainingConfig, read_config
from limner.training.imitation.config import EXPERTS
from limner.training.presets import PRESETS
from limner.worlds import find_world, world_names

NEEDS = {
    "random": "--conditional",
    "file": "--no-conditional --expert.path programs.jsonl",
    "agent": "--expert.agent mnist-reconstruct",
}
"""What experts need beside their name."""


def parse(words: str) -> TrainingConfig:
    command = read(words.split())
    assert isinstance(command, Train)
    config = command.config
    assert isinstance(config, TrainingConfig)
    assert read_config(config.to_dict()) == config, "a run can be read back"
    return config


def help_of(words: str, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    """The help of a command line: for each group, and each flag in it, the text."""
    with pytest.raises(SystemExit):
        read([*words.split(), "--help"])
    groups: dict[str, dict[str, str]] = {}
    flag = ""
    for line in re.sub("[│╭╮╰╯─]", " ", capsys.readouterr().out).splitlines():
        if title := re.fullmatch(r" {1,3}((\w+ )?options)\s*", line):
            groups[title[1]], flag = {}, ""
        elif start := re.match(r" {2}(?:-h, )?(--[a-z][\w.-]*)", line):
            flag = start[1]
            list(groups.values())[-1][flag] = line[start.end() :]
        elif flag:
            list(groups.values())[-1][flag] += line
    del groups["options"]["--help"]
    return groups


def leaves(section: Any, prefix: str = "") -> Iterator[str]:
    """The flags that the fields of a configuration should have."""
    for name, value in vars(section).items():
        if dataclasses.is_dataclass(value):
            yield from leaves(value, "" if name in ("agent", "run") else f"{name}.")
        else:
            yield f"--{prefix}{name}".replace("_", "-")


@pytest.mark.parametrize("words", [*PRESETS, "toy", "tiny --algorithm distance --conditional"])
def test_every_field_that_acts_is_a_flag_in_a_group(
    words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    config = parse(words)
    groups = {title: set(flags) for title, flags in help_of(words, capsys).items()}
    of_algorithm = {"spiral": ["critic options", "reward options"], "distance": ["reward options"]}
    expected = ["options", "agent options", "renderer options", "policy options", "run options"]
    expected += of_algorithm.get(config.algorithm, ["expert options"])
    assert list(groups) == [*expected, "learning options"]
    assert {"--algorithm", "--world", "--runtime", "--out"} <= groups["options"]
    assert ("--expert" in groups["options"]) == (config.algorithm == "imitation")
    shown = set().union(*groups.values())
    assert shown - {"--algorithm", "--world", "--runtime", "--out", "--expert"} == set(leaves(config))
    assert {"--horizon", "--temperature"} <= groups["agent options"]
    assert {"--data", "--minutes", "--seed"} <= groups["run options"]


@pytest.mark.parametrize("words", ["mnist", "scenes", "toy --algorithm imitation --expert file --expert.path x"])
def test_every_flag_has_a_text_and_a_default(
    words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    for flags in help_of(words, capsys).values():
        for flag, text in flags.items():
            assert re.search(r"[a-z]{3}.*[.)] +\(default: .+\)", text), flag
            assert "``" not in text


def test_without_flags_it_is_the_preset() -> None:
    for name, preset in PRESETS.items():
        assert parse(name) == preset.config


@pytest.mark.parametrize("algorithm", algorithm_names())
@pytest.mark.parametrize("name", [*PRESETS, "toy", "paint"])
def test_presets_with_every_algorithm(name: str, algorithm: str) -> None:
    words = f"{name} --algorithm {algorithm}"
    config = parse(words if algorithm != "distance" else f"{words} --conditional --first-action-temperature None")
    assert isinstance(config, find_algorithm(algorithm))
    if name not in PRESETS:
        assert config.agent.renderer == find_world(name).settings_type()
        return
    preset = PRESETS[name].config
    assert (config.agent.renderer, config.agent.policy) == (preset.agent.renderer, preset.agent.policy)
    assert config.run == preset.run
    if algorithm == preset.algorithm:
        return
    old, new = vars(preset.learning), vars(config.learning)  # type: ignore[attr-defined]
    assert {key: old[key] for key in old.keys() & new.keys()} == {key: new[key] for key in old.keys() & new.keys()}


@pytest.mark.parametrize("expert", EXPERTS)
@pytest.mark.parametrize("name", ["mnist", "mnist-prior", "mnist-reconstruct", "scenes", "tiny", "toy"])
def test_presets_with_every_expert(name: str, expert: str) -> None:
    needs = f"{NEEDS.get(expert, '')} --first-action-temperature None"
    config = parse(f"{name} --algorithm imitation --expert {expert} {needs}")
    assert type(config.expert) is EXPERTS[expert]  # type: ignore[attr-defined]


@pytest.mark.parametrize("world", world_names())
@pytest.mark.parametrize("name", ["tiny", "mnist", "mnist-prior"])
def test_presets_in_every_world(name: str, world: str) -> None:
    network = "--policy.network small --resolution 16"
    config = parse(f"{name} --world {world} {network}")
    kept = PRESETS[name].config.agent.renderer.name == world
    renderer = PRESETS[name].config.agent.renderer if kept else find_world(world).settings_type()
    assert config.agent.renderer == renderer
    assert config.run == PRESETS[name].config.run


def test_flags_set_fields() -> None:
    config = parse(
        "mnist --out x --horizon 7 --minutes 2.5 --renderer.sizes 1 2 3 --renderer.color --policy.no-lstm "
        "--critic.loss relativistic --learning.clip None --start mnist --seed=5"
    )
    assert (config.agent.horizon, config.run.minutes, config.run.start, config.run.seed) == (7, 2.5, "mnist", 5)
    assert vars(config.agent.renderer).items() >= {"sizes": (1.0, 2.0, 3.0), "color": True}.items()
    assert config.critic.loss == "relativistic"  # type: ignore[attr-defined]
    assert config.learning.clip is None  # type: ignore[attr-defined]


def test_the_last_of_repeated_flags_counts() -> None:
    config = parse("tiny --algorithm distance --world toy --algorithm=imitation --world=paint --seed 1 --seed 2")
    assert (config.algorithm, config.agent.renderer.name, config.run.seed) == ("imitation", "paint", 2)


def test_the_folder_is_named_after_the_preset() -> None:
    folders = [read(words.split()).out for words in ("toy", "tiny --out a/b")]  # type: ignore[attr-defined]
    assert folders == [Path("runs/toy"), Path("a/b")]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("tiny --algorithm sarsa", "--algorithm is 'sarsa': must be one of distance, imitation, spiral"),
        ("tiny --algorithm", "--algorithm is '': must be one of"),
        ("tiny --world mars", "--world is 'mars': must be one of paint, scenes, toy"),
        ("tiny --algorithm imitation --expert oracle", "--expert is 'oracle': must be one of search, random, file"),
        ("tiny --expert search", "--expert is 'search': it is for --algorithm imitation, not 'spiral'"),
        ("tiny --algorithm imitation --expert agent", "expert is 'agent', but expert.agent is empty"),
        ("tiny --algorithm imitation --expert file", "expert is 'file', but expert.path is empty"),
        ("tiny --algorithm imitation --expert random", "expert is 'random': for conditional agents only"),
        ("tiny --algorithm distance", "algorithm is 'distance', but the agent has no targets: set conditional"),
        ("tiny --reward.distance 3", "reward.distance is 3.0: it needs a target; set conditional"),
        ("tiny --renderer.grid 5000", "renderer.grid is 5000: must be in 2 … 4096"),
        ("tiny --episodes 0", "episodes is 0: must be positive"),
        ("tiny --seed -1", "seed is -1: must be in 0"),
        ("tiny --learning.ema-decay 1", "learning.ema_decay is 1.0: must be below 1"),
        ("toy --renderer.grid 64", "renderer.grid is 64: must be at most the canvas, 32"),
        ("tiny --resume", "--resume continues a run from its folder alone: limner train --resume FOLDER"),
        ("tiny --frames 9 --out runs/x --resume", "limner train --resume runs/x, with --frames, --minutes or"),
    ],
)
def test_what_cannot_work_is_one_line(here: Path, fails: Callable[[str], str], words: str, message: str) -> None:
    assert message in fails(f"train {words}")
    assert not list(here.iterdir())


@pytest.mark.parametrize(
    "words",
    [
        "tiny --expert.candidates 3",
        "tiny --algorithm imitation --critic.width 3",
        "tiny --algorithm distance --conditional --critic.width 3",
        "scenes --expert.sweeps 3",
        "tiny --world toy --renderer.brush classic/pen",
        "tiny --seed x",
        "tiny --learning.trace-decay 0.9",
    ],
)
def test_flags_of_other_algorithms_experts_and_worlds_are_unknown(
    here: Path, capsys: pytest.CaptureFixture[str], words: str
) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["train", *words.split()])
    assert end.value.code == 2
    assert capsys.readouterr().out == ""
