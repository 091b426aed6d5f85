import errno
import logging
import os
import threading
from dataclasses import replace

import pytest

from limner.agents.checkpoint import list_checkpoints, newest_checkpoint
from limner.training import make_trainer, saving
from limner.training.checkpointer import Checkpointer
from limner.training.presets import PRESETS
from limner.training.saving import save_checkpoint

TINY = PRESETS["tiny"].config


@pytest.fixture(params=["one thread", "two threads", "search"])
def config(request, conditional_config):
    """Of a critic with a replay buffer, and of a search that keeps what it finds beside learning."""
    if request.param == "search":
        return replace(conditional_config, run=replace(conditional_config.run, threads=2))
    return replace(TINY, run=replace(TINY.run, threads=1 if request.param == "one thread" else 2))


@pytest.fixture
def make(source):
    """Trainers that have done two updates and are closed after the test."""
    trainers = []

    def make_one(config=TINY):
        trainers.append(make_trainer(config, source))
        for _ in range(2):
            trainers[-1].update(0.0)
        return trainers[-1]

    yield make_one
    for trainer in trainers:
        trainer.close()


@pytest.fixture
def held(monkeypatch):
    """Writing begins when this event is set."""
    event, original = threading.Event(), saving.write_checkpoint

    def write(*arguments):
        assert event.wait(60)
        return original(*arguments)

    monkeypatch.setattr(saving, "write_checkpoint", write)
    return event


@pytest.fixture
def fail(monkeypatch):
    """A function that makes the first checkpoints, as many as there are error numbers, fail with these."""

    def fail(*numbers):
        left, original = list(numbers), saving.write_folder

        def write(path, files):
            if left:
                raise OSError(left[0], os.strerror(left.pop(0)), str(path))
            return original(path, files)

        monkeypatch.setattr(saving, "write_folder", write)

    return fail


def contents(folder):
    return {path.name: path.read_bytes() for path in newest_checkpoint(folder).iterdir()}


def names(folder):
    return [path.name for path in list_checkpoints(folder)]


def test_a_checkpoint_holds_the_state_in_which_it_was_begun_although_learning_has_gone_on(config, make, held, tmp_path):
    beside, waiting = make(config), make(config)
    with Checkpointer(tmp_path / "beside", beside) as checkpointer:
        checkpointer.save(60.0, needed=False)
        for _ in range(3):
            beside.update(0.0)
        held.set()
    save_checkpoint(tmp_path / "waiting", waiting, {"minutes": 1.0})
    assert names(tmp_path / "beside") == ["00000002"]
    assert contents(tmp_path / "beside") == contents(tmp_path / "waiting")


def test_the_next_checkpoint_waits_for_the_one_before(make, held, tmp_path):
    trainer = make()
    with Checkpointer(tmp_path, trainer) as checkpointer:
        checkpointer.save(0.0, needed=False)
        trainer.update(0.0)
        threading.Timer(0.05, held.set).start()
        checkpointer.save(0.0, needed=False)
        assert names(tmp_path) == ["00000002"]
    assert names(tmp_path) == ["00000002", "00000003"]


def test_a_checkpoint_that_is_needed_is_there_when_saving_returns(make, tmp_path):
    with Checkpointer(tmp_path, make()) as checkpointer:
        checkpointer.save(0.0, needed=True)
        assert names(tmp_path) == ["00000002"]


def test_an_interrupt_waits_for_the_checkpoint_that_is_being_written(make, held, tmp_path):
    def interrupted():
        with Checkpointer(tmp_path, make()) as checkpointer:
            checkpointer.save(0.0, needed=False)
            threading.Timer(0.05, held.set).start()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert names(tmp_path) == [newest_checkpoint(tmp_path).name] == ["00000002"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_on_a_full_disk_the_next_checkpoint_is_tried_and_only_a_needed_one_is_an_error(
    number, make, fail, tmp_path, caplog
):
    trainer = make()
    save_checkpoint(tmp_path, trainer, {})
    fail(number, number)
    with Checkpointer(tmp_path, trainer) as checkpointer:
        trainer.update(0.0)
        checkpointer.save(0.0, needed=False)
        checkpointer.wait()
        assert f"{tmp_path}/00000003: {os.strerror(number)}" in caplog.text
        assert "training goes on without this checkpoint: make room" in caplog.text
        with pytest.raises(OSError, match=os.strerror(number)):
            checkpointer.save(0.0, needed=True)
        assert names(tmp_path) == ["00000002"]
        checkpointer.save(0.0, needed=False)
    assert names(tmp_path) == ["00000002", "00000003"]


def test_another_error_is_raised_by_the_next_checkpoint_or_at_the_end(make, fail, tmp_path):
    def save_twice():
        with Checkpointer(tmp_path, make()) as checkpointer:
            checkpointer.save(0.0, needed=False)
            with pytest.raises(OSError, match="Input/output error"):
                checkpointer.save(0.0, needed=False)
            checkpointer.save(0.0, needed=False)

    fail(errno.EIO, errno.EIO)
    with pytest.raises(OSError, match="Input/output error"):
        save_twice()
    assert names(tmp_path) == []


def test_an_error_of_a_checkpoint_does_not_hide_that_of_training(make, fail, tmp_path, caplog):
    def crash():
        with Checkpointer(tmp_path, make()) as checkpointer:
            checkpointer.save(0.0, needed=False)
            raise RuntimeError("power cut")

    fail(errno.EIO)
    with caplog.at_level(logging.WARNING), pytest.raises(RuntimeError, match="power cut"):
        crash()
    assert "Input/output error" in caplog.text
