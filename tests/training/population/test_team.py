"""Who trains the members: on Ray the same as in one process."""

import functools
import os
import signal
import threading
from dataclasses import replace

import pytest
import torch
from ray_runs import own_cluster
from safetensors.torch import load_file

from limner.agents.checkpoint import newest_checkpoint
from limner.training.config import LocalConfig, RayConfig
from limner.training.population.history import read_history
from limner.training.population.members import folder_of
from limner.training.population.run import resume_population, train_population
from limner.training.population.settings import PopulationConfig
from limner.training.population.team import LocalTeam, make_team
from limner.training.presets import PRESETS

TINY = PRESETS["tiny"].config
TWO = PopulationConfig(2, round_frames=48, fitness="critic")


def with_run(**changes):
    return replace(TINY, run=replace(TINY.run, frames=96, **changes))


def weights(folder, member):
    path = newest_checkpoint(folder_of(folder, member) / "checkpoints")
    return load_file(path / "agent.safetensors") | load_file(path / "state.safetensors")


def outcome(folder):
    """Events in an order that does not depend on who was done first, and all weights."""
    found = sorted(read_history(folder).events, key=lambda event: (event.round, event.member))
    return found, [weights(folder, i) for i in range(2)]


def test_members_take_turns_in_one_process():
    assert isinstance(make_team(with_run(runtime=LocalConfig()), TWO, None), LocalTeam)


@pytest.fixture(scope="module")
def cluster():
    with own_cluster(2) as ray:
        yield ray


@pytest.mark.filterwarnings("ignore")
def test_on_ray_they_are_trained_to_the_same_weights(cluster, tmp_path, monkeypatch):
    assert train_population(with_run(), TWO, tmp_path / "local")
    monkeypatch.chdir(tmp_path)
    assert train_population(with_run(runtime=RayConfig(actors=1)), TWO, (tmp_path / "ray").relative_to(tmp_path))
    first, second = (folder_of(tmp_path / "ray", i) for i in range(2))
    ended, began = newest_checkpoint(first / "checkpoints"), second / "reference.json"
    assert ended.stat().st_mtime_ns < began.stat().st_mtime_ns, "one at a time"
    events, members = outcome(tmp_path / "ray")
    expected, expected_members = outcome(tmp_path / "local")
    assert events == expected
    for mine, theirs in zip(members, expected_members, strict=True):
        assert mine.keys() == theirs.keys()
        assert all(torch.equal(mine[name], theirs[name]) for name in mine)


@pytest.mark.filterwarnings("ignore")
def test_ctrl_c_has_all_members_saved(cluster, tmp_path):
    config = with_run(runtime=RayConfig())
    config = replace(config, run=replace(config.run, frames=24_000_000, checkpoint_every=10**6))
    population = replace(TWO, round_frames=12_000_000)
    begun = [folder_of(tmp_path, i) / "log.jsonl" for i in range(2)]

    def press(wait):
        while not all(path.exists() for path in begun):
            if wait.wait(0.2):
                return
        os.kill(os.getpid(), signal.SIGINT)

    done = threading.Event()
    presser = threading.Thread(target=functools.partial(press, done))
    presser.start()
    try:
        assert not train_population(config, population, tmp_path)
    finally:
        done.set()
        presser.join()
    for i in range(2):
        assert newest_checkpoint(folder_of(tmp_path, i) / "checkpoints").name > "00000000"


@pytest.mark.filterwarnings("ignore")
def test_gpus_must_be_there(cluster):
    config = replace(with_run(runtime=RayConfig()), device="cuda")
    with pytest.raises(ValueError, match="device is 'cuda', but the cluster has no GPU: join one"):
        make_team(config, TWO, None)


@pytest.mark.filterwarnings("ignore")
def test_a_mistake_of_a_member_is_told_as_it_is(cluster, tmp_path):
    train_population(with_run(runtime=RayConfig()), TWO, tmp_path)
    path = folder_of(tmp_path, 1) / "log.jsonl"
    path.unlink()
    path.mkdir()
    with pytest.raises(IsADirectoryError):
        resume_population(tmp_path, {"frames": 144})
