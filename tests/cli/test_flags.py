"""Flags of ``limner train``: which there are, what they set, what they refuse. Nothing is trained here."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from limner.cli import main as cli
from limner.cli.bench import Bench
from limner.cli.completion import Completion
from limner.cli.data import Check, Fetch, Make
from limner.cli.evaluate import Evaluate
from limner.cli.export import Export
from limner.cli.flags import check_words, list_flags, unchecked
from limner.cli.info import Info
from limner.cli.paint import Paint
from limner.cli.parse import Parse
from limner.cli.replay import Replay
from limner.cli.robot import Robot
from limner.cli.runs import Runs
from limner.cli.sample import Sample
from limner.cli.train import Resume, Train, _start, every_flag, read
from limner.training import algorithm_names, find_algorithm
from limner.training.config import TrainingConfig, read_config
from limner.training.imitation.config import EXPERTS
from limner.training.population.settings import PopulationConfig
from limner.training.presets import PRESETS
from limner.worlds import find_world, world_names

NEEDS = {
    "joint": "--conditional --world paint --renderer.space stroke --renderer.brush classic/pen --renderer.canvas 64",
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
        (
            "tiny --algorithm imitation --expert oracle",
            "--expert is 'oracle': must be one of search, joint, random, file",
        ),
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
    ("words", "where"),
    [
        ("tiny --expert.candidates 3", "--algorithm imitation --expert search"),
        ("tiny --algorithm imitation --critic.width 3", "--algorithm spiral"),
        ("tiny --algorithm distance --conditional --critic.width 3", "--algorithm spiral"),
        ("scenes --expert.sweeps 3", "--algorithm imitation --expert search"),
        ("tiny --world toy --renderer.brush classic/pen", "--world paint"),
        ("tiny --max_lag 3", "--runtime ray"),
        ("tiny --population.share 0.5", "--population N"),
    ],
)
def test_flags_of_other_trainings_are_refused_and_say_of_which(
    fails: Callable[[str], str], words: str, where: str
) -> None:
    assert fails(f"train {words}").endswith(f"does nothing in this training: it is for {where}\n")


def test_an_unknown_flag_is_named_before_what_follows_from_it(fails: Callable[[str], str]) -> None:
    """Without the flag, the algorithm and the other flags are not those that were meant."""
    assert "no flag --algoritm: did you mean --algorithm?" in fails("train tiny --algoritm imitation --expert search")
    assert "no flag --expert.candidate: did you mean --expert.candidates?" in fails("train tiny --expert.candidate 3")


def test_every_flag_of_every_training_is_known() -> None:
    """Also of those that differ from a preset in several things at once."""
    population = unchecked(PopulationConfig)
    asked = [{"algorithm": name} for name in algorithm_names()]
    asked += [{"algorithm": "imitation", "expert": name} for name in EXPERTS]
    for preset in [*PRESETS, *world_names()]:
        known = every_flag(preset)
        for more, world in product(asked, world_names()):
            command = _start(preset, "ray", population, **more, world=world)
            assert {name for flag in list_flags(Train, command) for name in flag.names} <= {*known}


# --- the flags of all commands ------------------------------------------------------------------------------------

COMMANDS = {
    "bench": Bench,
    "completion": Completion,
    "data check": Check,
    "data fetch": Fetch,
    "data make": Make,
    "evaluate": Evaluate,
    "export": Export,
    "info": Info,
    "paint": Paint,
    "parse": Parse,
    "replay": Replay,
    "robot": Robot,
    "runs": Runs,
    "sample": Sample,
    "train --resume": Resume,
}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_flags_of_a_command_are_those_of_its_help(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit):
        cli.main([*name.split(), "--help"])
    text = re.sub("[│╭╮╰╯─]", " ", capsys.readouterr().out)
    shown = set(
        re.findall(r"(?<=[ ,])--?[a-z][\w.-]*", "\n".join(re.findall(r"^ {1,3}-.*?(?=  |$)", text, re.MULTILINE)))
    )
    assert {flag for each in list_flags(COMMANDS[name]) for flag in each.names} == shown - {"-h", "--help"}


@pytest.mark.parametrize("name", [*COMMANDS, "train tiny"])
def test_a_mistyped_flag_is_named_first_with_the_right_one(name: str, fails: Callable[[str], str]) -> None:
    """Two letters in the wrong order, in each place of each flag."""
    kind = COMMANDS.get(name)
    names = every_flag("tiny") if kind is None else [flag for each in list_flags(kind) for flag in each.names]
    for flag in (flag for flag in names if len(flag) > 6 and "." not in flag):
        for i in range(2, len(flag) - 1):
            wrong = flag[:i] + flag[i + 1] + flag[i] + flag[i + 2 :]
            if wrong not in names and "--" not in wrong[2:] and wrong[2] != "-" and wrong[-1] != "-":
                with pytest.raises(ValueError, match=f"limner {name} has no flag {wrong}: did you mean --") as error:
                    check_words(["x", wrong, "5", "photo.jpg"], names, f"limner {name}")
                assert flag.removeprefix("--no-") in str(error.value)
    assert f"limner {name} has no flag --serach-it: " in fails(f"{name} --serach-it 5 photo.jpg")
    assert f"limner {name} has no flag --serach-it: " in fails(f"{name} photo.jpg --serach-it=5 --help")


@pytest.mark.parametrize("value", ["-1", "-.5", "-1e3", "-inf", "-NaN", "-", "x-y", "--", "-- --x", "-n3", "--a_b=--c"])
def test_values_are_not_taken_for_flags(value: str) -> None:
    check_words(["--a-b", *value.split()], ["--a-b", "-n"], "limner x")
