import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from event_files import read_scalars
from safetensors.torch import load

from limner.agents.agent import load_agent
from limner.agents.checkpoint import newest_checkpoint
from limner.data import load_dataset
from limner.programs.program import Program, execute_all, save_programs
from limner.training import run
from limner.training.presets import PRESETS
from limner.training.run import GenerationEvaluation, train
from limner.training.spiral.trainer import Adversarial

CONFIG = replace(PRESETS["tiny"], frames=20 * 24, checkpoint_every=10, evaluate_every=10)
read = functools.cache(load_dataset)


def shrink(patch):
    """Evaluations of 100 pictures instead of 1,000, and 200 real digits for the critic instead of 4,000."""
    patch.setattr(run, "GenerationEvaluation", functools.partial(GenerationEvaluation, count=100))
    patch.setattr(run, "load_dataset", lambda name, split: read(name, split).spread(200))


@pytest.fixture
def small(monkeypatch):
    shrink(monkeypatch)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "whole"
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        assert train(CONFIG, folder)
    return folder


@pytest.fixture
def whole(small, uninterrupted, tmp_path):
    """A run that nothing interrupted; a copy to play with."""
    return shutil.copytree(uninterrupted, tmp_path / "whole")


def lines(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def timeless(folder):
    return [
        {name: value for name, value in line.items() if name not in ("minutes", "eval/seconds")}
        for line in lines(folder)
    ]


def weights(folder):
    """All tensors of the newest checkpoint, and its number."""
    path = newest_checkpoint(folder / "checkpoints")
    agent, state = (load((path / f"{name}.safetensors").read_bytes()) for name in ("agent", "state"))
    return {"number": torch.tensor(int(path.name))} | {f"agent {name}": value for name, value in agent.items()} | state


def differences(a, b):
    assert a.keys() == b.keys()
    return [name for name in a if not torch.equal(a[name], b[name])]


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def at_update(monkeypatch):
    """A function that has something done at the start of the n-th update, once."""

    def order_strokes(number, action):
        original = Adversarial.update

        def update(self, progress):
            if self.updates + 1 == number:
                monkeypatch.setattr(Adversarial, "update", original)
                action()
            return original(self, progress)

        monkeypatch.setattr(Adversarial, "update", update)

    return order_strokes


# --- A run -------------------------------------------------------------------------------------------------------


def test_a_run_leaves_its_configuration_references_log_and_checkpoints(small, tmp_path):
    reported = []
    assert train(CONFIG, tmp_path / "run", report=reported.append)
    folder = tmp_path / "run"
    assert sorted(path.name.partition(".tfevents.")[0] for path in folder.iterdir()) == [
        "checkpoints",
        "config.json",
        "events.out",
        "log.jsonl",
        "reference.json",
    ]
    assert sorted(path.name for path in (folder / "checkpoints").iterdir()) == ["00000010", "00000020"]
    assert json.loads((folder / "config.json").read_text()) == json.loads(json.dumps(CONFIG.to_dict()))
    reference = json.loads((folder / "reference.json").read_text())
    assert reference["real"]["frechet"] < reference["random"]["frechet"]
    records = lines(folder)
    assert records == json.loads(json.dumps(reported))
    assert [record["update"] for record in records] == [10, 10, 20, 20]
    assert [record["frames"] for record in records] == [240, 240, 480, 480]
    minutes = [record["minutes"] for record in records]
    assert 0 < minutes[0] == minutes[1] < minutes[2] == minutes[3]
    for update, evaluation in (records[:2], records[2:]):
        assert {"policy/entropy", "reward/return", "critic/gap"} <= update.keys()
        assert {"eval/frechet", "eval/precision", "eval/entropy", "eval/features"} <= evaluation.keys()
        assert sum(evaluation["eval/histogram"]) == 100
        assert all(np.isfinite(value) for value in update.values())
    assert load_agent(str(folder)).config == CONFIG


def test_a_line_of_the_log_is_the_mean_of_its_updates(small, tmp_path, monkeypatch):
    original, entropies = Adversarial.update, []

    def update(self, progress):
        assert progress == self.updates / 20
        metrics = original(self, progress)
        entropies.append(metrics["policy/entropy"])
        return metrics

    monkeypatch.setattr(Adversarial, "update", update)
    train(CONFIG, tmp_path)
    means = [line["policy/entropy"] for line in lines(tmp_path) if "policy/entropy" in line]
    assert means == pytest.approx([np.mean(entropies[:10]), np.mean(entropies[10:])])


def test_minutes_end_a_run_with_an_evaluation_and_a_checkpoint(small, tmp_path):
    config = replace(CONFIG, frames=10**9, minutes=0.005, evaluate_every=10**6)
    started = time.perf_counter()
    assert train(config, tmp_path)
    assert time.perf_counter() - started < 60
    last = lines(tmp_path)[-1]
    assert "eval/frechet" in last
    assert last["update"] == int(newest_checkpoint(tmp_path / "checkpoints").name)
    assert last["minutes"] >= 0.005
    learning_rates = [line["policy/learning_rate"] for line in lines(tmp_path) if "policy/learning_rate" in line]
    assert all(rate < config.learning.learning_rate for rate in learning_rates), "schedules follow the time"
    assert [line["update"] for line in lines(tmp_path) if "eval/frechet" in line] == [last["update"]]


def test_an_evaluation_is_not_repeated_when_the_minutes_end(small, tmp_path):
    config = replace(CONFIG, frames=10**9, minutes=0.003, evaluate_every=1)
    assert train(config, tmp_path)
    evaluated = [line["update"] for line in lines(tmp_path) if "eval/frechet" in line]
    assert evaluated == list(range(1, evaluated[-1] + 1))


# --- What is refused ---------------------------------------------------------------------------------------------


def test_a_folder_that_holds_a_run_is_left_alone(whole):
    before = contents(whole)
    with pytest.raises(ValueError, match=f"{whole} already holds a run: continue it with --resume"):
        train(CONFIG, whole)
    assert contents(whole) == before
    for field, value in {"seed": 1, "critic": replace(CONFIG.critic, width=8)}.items():
        with pytest.raises(ValueError, match=f"is of a run with another {field}"):
            train(replace(CONFIG, **{field: value}), whole, resume=True)
    assert contents(whole) == before


def test_there_must_be_something_to_resume(small, tmp_path):
    with pytest.raises(ValueError, match="nothing holds no run to resume"):
        train(CONFIG, tmp_path / "nothing", resume=True)
    assert not (tmp_path / "nothing").exists()


def test_unknown_data_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match="unknown data set 'no-such-data'"):
        train(replace(CONFIG, data="no-such-data"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


# --- Resuming ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_finishes_the_update_saves_and_leaves_and_resuming_completes(number, whole, tmp_path, at_update):
    handlers = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    folder = tmp_path / "interrupted"
    at_update(13, lambda: os.kill(os.getpid(), number))
    assert not train(CONFIG, folder)
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == handlers
    assert newest_checkpoint(folder / "checkpoints").name == "00000013"
    assert train(CONFIG, folder, resume=True)
    assert differences(weights(whole), weights(folder)) == []
    assert [(line["update"], "eval/frechet" in line) for line in lines(folder)] == [
        (10, False), (10, True), (20, False), (20, True),
    ]  # fmt: skip
    assert timeless(folder)[-1] == timeless(whole)[-1]


def test_a_second_signal_interrupts_at_once_and_leaves_the_last_checkpoint(small, tmp_path, at_update):
    def twice():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    at_update(13, twice)
    with pytest.raises(KeyboardInterrupt):
        train(CONFIG, tmp_path)
    assert signal.getsignal(signal.SIGINT) is before
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["00000010"]


def test_a_signal_during_the_last_update_comes_too_late(small, tmp_path, at_update):
    at_update(20, lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert train(CONFIG, tmp_path)
    assert [line["update"] for line in lines(tmp_path)] == [10, 10, 20, 20]


def test_after_a_crash_the_log_goes_on_from_the_checkpoint(whole, tmp_path, at_update, event_clock):
    """Lines written after the checkpoint, the last one cut short, are made again and not twice; as TensorBoard sees."""
    folder = tmp_path / "crashed"
    config = replace(CONFIG, checkpoint_every=15)

    def crash():
        raise RuntimeError("power cut")

    at_update(16, crash)
    with pytest.raises(RuntimeError, match="power cut"):
        train(config, folder)
    with (folder / "log.jsonl").open("a") as file:
        file.write('{"update": 16, "frames": 384}\n{"update": 17, "fra')
    assert train(config, folder, resume=True)
    assert [line["update"] for line in lines(folder)] == [10, 10, 20, 20]
    assert timeless(folder)[:2] == timeless(whole)[:2]
    assert timeless(folder)[-1] == timeless(whole)[-1]
    minutes = [line["minutes"] for line in lines(folder)]
    assert minutes == sorted(minutes)
    assert differences(weights(whole), weights(folder)) == []
    shown = read_scalars(folder)
    for name, points in shown.items():
        assert points == [(line["frames"], pytest.approx(line[name])) for line in lines(folder) if name in line]
    assert {"minutes", "policy/entropy", "eval/frechet", "eval/share"} <= shown.keys()


def test_a_run_that_was_killed_before_its_first_checkpoint_starts_again(whole, tmp_path, at_update, caplog):
    folder = tmp_path / "killed"

    def crash():
        raise RuntimeError("power cut")

    at_update(6, crash)
    with pytest.raises(RuntimeError, match="power cut"):
        train(replace(CONFIG, checkpoint_every=15), folder)
    (folder / "checkpoints" / ".writing-abc").mkdir(parents=True)
    assert train(CONFIG, folder, resume=True)
    assert "no checkpoint yet" in caplog.text
    assert timeless(folder) == timeless(whole)
    assert differences(weights(whole), weights(folder)) == []
    assert not list((folder / "checkpoints").glob(".writing-*"))


def test_a_damaged_newest_checkpoint_costs_only_the_way_back(whole, tmp_path, caplog):
    expected, log = weights(whole), timeless(whole)
    path = whole / "checkpoints" / "00000020" / "state.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    assert train(CONFIG, whole, resume=True)
    assert "00000020" in caplog.text
    assert differences(expected, weights(whole)) == []
    assert timeless(whole) == log


def test_resuming_what_is_complete_does_nothing_and_more_frames_go_on(whole):
    before = contents(whole / "checkpoints")
    log = lines(whole)
    assert train(CONFIG, whole, resume=True)
    assert contents(whole / "checkpoints") == before
    assert lines(whole) == log
    longer = replace(CONFIG, frames=CONFIG.frames + 24, threads=2)
    assert train(longer, whole, resume=True)
    assert newest_checkpoint(whole / "checkpoints").name == "00000021"
    assert lines(whole)[: len(log)] == log
    assert [line["update"] for line in lines(whole)[len(log) :]] == [21, 21]
    assert json.loads((whole / "config.json").read_text())["frames"] == longer.frames


COMMAND = f"""
import sys, time
from pathlib import Path
import pytest
sys.path[:0] = [{str(Path(__file__).parent)!r}, {str(Path(__file__).parents[1] / "support")!r}]
import test_run
from limner.cli.main import main
from limner.training.spiral.trainer import Adversarial

original = Adversarial.update
def update(self, progress):
    while self.updates == 12 and not Path("go").exists():
        Path("waiting").touch()
        time.sleep(0.01)
    return original(self, progress)

Adversarial.update = update
test_run.shrink(pytest.MonkeyPatch())
words = "train tiny --frames {CONFIG.frames} --checkpoint-every 10 --evaluate-every 10 --out run"
sys.exit(main(words.split()))
"""


def test_sigterm_to_the_command_saves_and_the_resumed_run_ends_like_an_uninterrupted_one(whole, tmp_path):
    """The command in a process of its own; it waits in its thirteenth update until the signal has been sent."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, "-c", COMMAND], stderr=subprocess.PIPE, cwd=tmp_path, env=environment)
    while process.poll() is None and not (tmp_path / "waiting").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    (tmp_path / "go").touch()
    _, error = process.communicate(timeout=300)
    assert process.returncode == 130, error
    assert b"--resume" in error
    assert b"Traceback" not in error
    assert newest_checkpoint(tmp_path / "run" / "checkpoints").name == "00000013"
    assert train(CONFIG, tmp_path / "run", resume=True)
    assert differences(weights(whole), weights(tmp_path / "run")) == []
    assert [line["update"] for line in lines(tmp_path / "run")] == [10, 10, 20, 20]


def test_the_critic_is_shown_other_pictures_than_those_that_samples_are_measured_against(small, tmp_path, monkeypatch):
    renderer = CONFIG.make_renderer(20)
    actions = renderer.actions.sample(np.random.default_rng(0), (3, 20))
    programs = [Program(renderer.settings(), actions[:, i]) for i in range(20)]
    save_programs(tmp_path / "some.jsonl", programs)
    monkeypatch.setattr(run, "load_dataset", lambda name, split: read(name, split).spread(18 if ":" in name else 200))
    shown = []

    class Watched(Adversarial):
        def __init__(self, config, source):
            shown.append(source.take(torch.arange(len(source))).numpy())
            super().__init__(config, source)

    monkeypatch.setattr(run, "Adversarial", Watched)
    config = replace(CONFIG, frames=10 * 24, critic=replace(CONFIG.critic, data=f"programs:{tmp_path}/some.jsonl"))
    assert train(config, tmp_path / "run")
    np.testing.assert_array_equal(shown[0], np.stack(execute_all([*programs[:9], *programs[10:19]])))
    reference = json.loads((tmp_path / "run/reference.json").read_text())
    assert reference["real"]["precision"] > reference["random"]["precision"] + 0.3
