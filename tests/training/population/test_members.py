"""One member: its fitness from the log, and copies of checkpoints."""

import json
import re

import pytest
import torch
from safetensors.torch import load_file

from limner.agents.checkpoint import list_checkpoints, newest_checkpoint, read_manifest
from limner.training.population.members import (
    align,
    assess,
    copy_checkpoint,
    folder_of,
    intact_checkpoint,
    train_member,
)
from limner.training.population.settings import Settings, member_config


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def two(script, config, tmp_path):
    """Two members that have trained for two updates."""
    for i in range(2):
        train_member(member_config(config, i, Settings(1.0 + i, 1.0)), folder_of(tmp_path, i), 2)
    return folder_of(tmp_path, 0), folder_of(tmp_path, 1)


def write_log(folder, *rows):
    folder.mkdir(exist_ok=True)
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_fitness_is_read_from_the_log_of_the_round(config, tmp_path):
    rows = [
        {"update": 2, "eval/normalised_frechet": 0.9, "eval/mse": 0.09, "eval/score": 9.0},
        {"update": 3, "policy/entropy": 5.0},
        {"update": 3, "eval/normalised_frechet": 0.5, "eval/mse": 0.02, "eval/score": -1.5, "eval/empty": 0.1},
        {"update": 4, "eval/normalised_frechet": 0.1, "eval/mse": 0.01},
    ]
    write_log(tmp_path, *rows)
    assert assess(config, tmp_path, "critic", 1, 3) == (-1.5, None)
    assert assess(config, tmp_path, "frechet", 1, 3) == (-0.5, None)
    assert assess(config, tmp_path, "mse", 1, 3) == (-0.02, None)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"eval/normalised_frechet": None}, "fitness .frechet. is not finite"),
        ({"eval/normalised_frechet": float("inf")}, "fitness .frechet. is not finite"),
        ({"eval/empty": 0.995}, "of its canvases are empty"),
        ({"policy/entropy": 0.001}, "entropy is 0.001 nats per action"),
    ],
)
def test_a_collapse_is_recognised(config, tmp_path, change, reason):
    means = {"update": 3, "policy/entropy": 5.0}
    evaluation = {"update": 3, "eval/normalised_frechet": 0.5, "eval/empty": 0.0}
    for name, value in change.items():
        row = evaluation if name.startswith("eval/") else means
        row[name] = value
        if value is None:
            del row[name]
    write_log(tmp_path, means, evaluation)
    found = assess(config, tmp_path, "frechet", 0, 3)
    assert re.search(reason, found.collapse)


def test_imitation_may_be_certain_of_its_actions(conditional_config, tmp_path):
    write_log(tmp_path, {"update": 1, "policy/entropy": 0.0}, {"update": 1, "eval/mse": 0.02})
    assert assess(conditional_config, tmp_path, "mse", 0, 1).collapse is None


def test_without_a_log_there_is_no_fitness(config, tmp_path):
    assert assess(config, tmp_path, "critic", 0, 1).fitness is None


def test_a_copy_has_the_weights_of_one_and_the_configuration_of_the_other(two, config, weight):
    source, folder = two
    before = contents(source)
    mine = member_config(config, 1, Settings(1.25, 0.8))
    copy_checkpoint(newest_checkpoint(source / "checkpoints"), folder, mine, seed=5)
    assert contents(source) == before
    assert weight(folder) == weight(source)
    assert json.loads((folder / "config.json").read_text()) == json.loads(json.dumps(mine.to_dict()))
    copy = newest_checkpoint(folder / "checkpoints")
    assert read_manifest(copy)["training"] == json.loads(json.dumps(mine.to_dict()))
    states = [load_file(path / "state.safetensors") for path in (copy, newest_checkpoint(source / "checkpoints"))]
    assert torch.equal(states[0]["w"], states[1]["w"])
    assert not torch.equal(states[0]["generator.acting"], states[1]["generator.acting"])
    assert train_member(mine, folder, 3).finished, "it can be resumed with its new settings"


def test_a_copy_takes_the_place_of_all_other_checkpoints(two, config, weight):
    source, folder = two
    mine = member_config(config, 1, Settings(2.0, 1.0))
    train_member(mine, folder, 3)
    copy_checkpoint(newest_checkpoint(source / "checkpoints"), folder, mine, seed=5)
    assert [path.name for path in (folder / "checkpoints").iterdir()] == ["00000002"]


def test_a_damaged_checkpoint_is_not_copied(two, config):
    source, folder = two
    before = contents(folder)
    path = newest_checkpoint(source / "checkpoints")
    (path / "state.safetensors").write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="is damaged"):
        copy_checkpoint(path, folder, config, seed=5)
    assert contents(folder) == before
    assert intact_checkpoint(source, 0) is None


def test_a_checkpoint_that_is_too_old_does_not_count(two, config):
    source, _ = two
    train_member(member_config(config, 0, Settings(1.0, 1.0)), source, 3)
    assert intact_checkpoint(source, 3).name == "00000003"
    (source / "checkpoints" / "00000003" / "agent.safetensors").unlink()
    assert intact_checkpoint(source, 3) is None
    assert intact_checkpoint(source, 2).name == "00000002"
    assert intact_checkpoint(source / "nothing", 0) is None


@pytest.mark.parametrize(
    ("held", "least", "left"),
    [
        ([[4, 6], [2, 4]], 0, [[4], [2, 4]]),
        ([[2], []], 0, [[], []]),
        ([[4, 6], [4, 6], []], 4, [[4, 6], [4, 6], []]),
        ([[6], [4], [4, 6]], 2, [[6], [], [4, 6]]),
        ([[2, 4], [2]], 4, [[2, 4], []]),
        ([[2], [2]], 4, [[2], [2]]),
    ],
)
def test_members_go_back_to_the_newest_update_that_most_of_them_have(held, least, left, write, config, tmp_path):
    folders = [folder_of(tmp_path, i) for i in range(len(held))]
    for folder, updates in zip(folders, held, strict=True):
        for update in updates:
            write(config, folder, update, torch.zeros(1))
    align(folders, least)
    found = [[int(path.name) for path in list_checkpoints(folder / "checkpoints")] for folder in folders]
    assert found == left


def test_numbers_that_are_not_finite_end_a_round_and_not_the_population(script, config, tmp_path):
    script.stops.add(("member-00", 2))
    outcome = train_member(config, folder_of(tmp_path, 0), 2)
    assert outcome == (True, "the loss became NaN")
