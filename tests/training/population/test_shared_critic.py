"""Members that share a critic: they move on together, also after a kill at any moment."""

import signal
from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import pytest
import torch
from kills import Killed, kill_before
from safetensors.torch import load_file

from limner.agents.checkpoint import list_checkpoints
from limner.data import load_dataset
from limner.training import NonFiniteError
from limner.training.log import Log
from limner.training.population.history import read_history
from limner.training.population.members import folder_of
from limner.training.population.run import resume_population, train_population
from limner.training.population.settings import PopulationConfig
from limner.training.presets import PRESETS
from limner.training.spiral.trainer import SpiralTrainer

TINY = PRESETS["tiny"].config
CONFIG = replace(TINY, run=replace(TINY.run, frames=6 * 24, checkpoint_every=2))
TWO = PopulationConfig(2, round_frames=3 * 24, shared_critic=True)
"""Two rounds of three updates."""


@pytest.fixture(scope="module", autouse=True)
def few():
    """Few pictures in the data; and evaluations of what the next update learns from."""
    evaluation = SimpleNamespace(
        reference_rows={},
        sampling_error="",
        measure=lambda trainer: {"eval/score": trainer.measure(trainer.runtime.batch)["score"]},
    )
    with pytest.MonkeyPatch.context() as patch:
        load = cache(lambda name, split: load_dataset(name, split).spread(100))
        patch.setattr("limner.training.run.load_dataset", load)
        patch.setattr("limner.training.run.make_evaluation", lambda *arguments: evaluation)
        yield


@pytest.fixture(scope="module")
def whole(few, tmp_path_factory):
    """The state of a population that was never interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    assert train_population(CONFIG, TWO, folder)
    return states(folder)


def states(folder):
    """Events, and all weights of each member."""
    newest = [list_checkpoints(folder_of(folder, i) / "checkpoints")[-1] for i in range(2)]
    states = [load_file(path / "agent.safetensors") | load_file(path / "state.safetensors") for path in newest]
    return read_history(folder).events, states


def assert_equal(first, second):
    assert first[0] == second[0]
    for mine, theirs in zip(first[1], second[1], strict=True):
        assert mine.keys() == theirs.keys()
        assert all(torch.equal(mine[name], theirs[name]) for name in mine)


def after_kills(folder, monkeypatch, every):
    """States of populations that were killed before they renamed something for the n-th time, and resumed."""
    for number in range(every, 10**6, every):
        with monkeypatch.context() as patch:
            kill_before(patch, number)
            try:
                train_population(CONFIG, TWO, folder / str(number))
            except Killed:
                pass
            else:
                assert number > 3 * every
                return
        assert resume_population(folder / str(number))
        yield states(folder / str(number))


def test_they_have_one_critic_and_weights_of_their_own(whole):
    events, (one, two) = whole
    assert [event.event for event in events if event.round == 1] == ["trained", "trained", "copied", "perturbed"]
    common = [name for name in one if name.startswith(("critic.", "critic_adam.", "frozen_critic.", "replay."))]
    assert len(common) > 10
    assert all(torch.equal(one[name], two[name]) for name in [*common, "generator.critic"])
    assert not torch.equal(one["generator.acting"], two["generator.acting"])
    assert any(not torch.equal(one[name], two[name]) for name in one if name.startswith("policy."))


def test_they_may_be_killed_at_any_moment(whole, tmp_path, monkeypatch):
    for found in after_kills(tmp_path, monkeypatch, 13):
        assert_equal(found, whole)


def test_when_one_fails_the_other_goes_on_also_after_a_kill(tmp_path, monkeypatch):
    honest = SpiralTrainer.update

    def update(self, progress):
        figures = honest(self, progress)
        if self.config.run.seed == 1 and self.updates == 1:
            raise NonFiniteError("the loss became NaN")
        return figures

    monkeypatch.setattr(SpiralTrainer, "update", update)
    train_population(CONFIG, TWO, tmp_path / "whole")
    whole = states(tmp_path / "whole")
    events = [(event.member, event.event) for event in whole[0] if event.round == 1]
    assert events == [(1, "collapsed"), (0, "trained"), (1, "revived"), (1, "perturbed")]
    for found in after_kills(tmp_path, monkeypatch, 17):
        assert_equal(found, whole)


def test_ctrl_c_stops_all_of_them_after_the_same_update(whole, tmp_path, monkeypatch):
    honest = Log.add

    def add(self, metrics):
        honest(self, metrics)
        signal.raise_signal(signal.SIGINT)
        monkeypatch.setattr(Log, "add", honest)

    monkeypatch.setattr(Log, "add", add)
    assert not train_population(CONFIG, TWO, tmp_path)
    newest = [list_checkpoints(folder_of(tmp_path, i) / "checkpoints")[-1].name for i in range(2)]
    assert newest == ["00000001"] * 2
    assert resume_population(tmp_path)
    assert_equal(states(tmp_path), whole)
