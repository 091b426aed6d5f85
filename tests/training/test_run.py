import functools
import gc
import itertools
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
import weakref
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from event_files import read_scalars
from figures import untimed
from PIL import Image
from safetensors.torch import load

from limner.agents.agent import load_agent
from limner.agents.checkpoint import list_checkpoints, newest_checkpoint, read_manifest
from limner.data import load_dataset
from limner.data.picture_source import PictureSource
from limner.programs.execution import execute_all
from limner.programs.program import Program, save_programs
from limner.training import NonFiniteError, losses, policy_gradient, run
from limner.training.evaluation import GenerationEvaluation
from limner.training.imitation.config import ImitationConfig
from limner.training.presets import PRESETS
from limner.training.run import last_evaluation, read_run, train, train_once
from limner.training.spiral import critic_learner
from limner.training.spiral.trainer import SpiralTrainer

TINY = PRESETS["tiny"].config
read = functools.cache(load_dataset)


def with_run(config, **changes):
    return replace(config, run=replace(config.run, **changes))


CONFIG = with_run(TINY, frames=20 * 24, checkpoint_every=10, evaluate_every=10)


def shrink(patch):
    """Evaluations of 100 pictures instead of 1,000, and 200 real digits for the critic instead of 4,000."""
    few = functools.partial(GenerationEvaluation, count=100)
    patch.setattr("limner.training.evaluation.GenerationEvaluation", few)
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
    text = (folder / "log.jsonl").read_text()
    return [json.loads(line, parse_constant=no_constant) for line in text.splitlines()]


def no_constant(name):
    raise AssertionError(f"{name} is no JSON")


def timeless(folder):
    return [
        {name: value for name, value in line.items() if name not in ("minutes", "eval/seconds")}
        for line in untimed(lines(folder))
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

    def schedule(number, action):
        original = SpiralTrainer.update

        def update(self, progress):
            if self.updates + 1 == number:
                monkeypatch.setattr(SpiralTrainer, "update", original)
                action()
            return original(self, progress)

        monkeypatch.setattr(SpiralTrainer, "update", update)

    return schedule


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
    assert load_agent(str(folder)).config == CONFIG.agent


def test_an_update_is_told_how_far_the_run_is(small, tmp_path, monkeypatch):
    original, progresses = SpiralTrainer.update, []

    def update(self, progress):
        progresses.append((progress, self.updates))
        return original(self, progress)

    monkeypatch.setattr(SpiralTrainer, "update", update)
    train(CONFIG, tmp_path)
    assert progresses == [(i / 20, i) for i in range(20)]


@pytest.fixture
def six_seconds(monkeypatch):
    """An update takes six seconds, a tenth of a minute, by a clock of its own."""
    ticks = itertools.count(0, 6)
    monkeypatch.setattr(run, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))


def test_minutes_end_a_run_with_an_evaluation_and_a_checkpoint(small, six_seconds, tmp_path):
    config = with_run(CONFIG, frames=10**9, minutes=1.25, evaluate_every=10**6)
    assert train(config, tmp_path)
    last = lines(tmp_path)[-1]
    assert "eval/frechet" in last
    assert last["update"] == int(newest_checkpoint(tmp_path / "checkpoints").name) == 13
    assert last["minutes"] == pytest.approx(1.3)
    (rate,) = (line["policy/learning_rate"] for line in lines(tmp_path) if "policy/learning_rate" in line)
    progress = np.mean([0.1 * i / 1.25 for i in range(10)])
    expected = config.learning.learning_rate * (1 - progress * (1 - config.learning.final_learning_rate))
    assert rate == pytest.approx(expected), "schedules follow the time"
    assert [line["update"] for line in lines(tmp_path) if "eval/frechet" in line] == [13]


def test_an_evaluation_is_not_repeated_when_the_minutes_end(small, six_seconds, tmp_path):
    config = with_run(CONFIG, frames=10**9, minutes=0.3, evaluate_every=1)
    assert train(config, tmp_path)
    assert [line["update"] for line in lines(tmp_path) if "eval/frechet" in line] == [1, 2, 3]


def test_a_run_that_pauses_ends_as_one_that_never_did(small, uninterrupted, tmp_path):
    folder = tmp_path / "paused"
    assert train(CONFIG, folder, until=7)
    assert lines(folder)[-1]["update"] == int(newest_checkpoint(folder / "checkpoints").name) == 7
    assert "eval/frechet" in lines(folder)[-1]
    before = contents(folder / "checkpoints")
    assert train(CONFIG, folder, resume=True, until=7), "it is there already"
    assert contents(folder / "checkpoints") == before
    assert train(CONFIG, folder, resume=True, until=13)
    assert train(CONFIG, folder, resume=True, until=1000)
    assert [line["update"] for line in lines(folder) if "eval/frechet" in line] == [7, 10, 13, 20]
    assert not differences(weights(folder), weights(uninterrupted))


# --- What is refused ---------------------------------------------------------------------------------------------


def test_a_folder_that_holds_a_run_is_left_alone(whole):
    before = contents(whole)
    with pytest.raises(ValueError, match=f"{whole} already holds a run: continue it with --resume"):
        train(CONFIG, whole)
    assert contents(whole) == before
    others = {
        "run.seed: 0, not 1": with_run(CONFIG, seed=1),
        "critic.width: 4, not 8": replace(CONFIG, critic=replace(CONFIG.critic, width=8)),
        "agent.horizon: 3, not 4": replace(CONFIG, agent=replace(CONFIG.agent, horizon=4)),
        "algorithm: 'spiral', not 'imitation'": ImitationConfig(CONFIG.agent, CONFIG.run),
    }
    for words, config in others.items():
        with pytest.raises(ValueError, match=f"is of a run with another {words}"):
            train(config, whole, resume=True)
    assert contents(whole) == before


def test_there_must_be_something_to_resume(small, tmp_path):
    with pytest.raises(ValueError, match="nothing holds no run to resume"):
        train(CONFIG, tmp_path / "nothing", resume=True)
    assert not (tmp_path / "nothing").exists()


def test_unknown_data_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match="unknown data set 'no-such-data'"):
        train(with_run(CONFIG, data="no-such-data"), tmp_path / "run")
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


def test_after_a_crash_the_log_goes_on_from_the_checkpoint(whole, tmp_path, at_update):
    """Lines written after the checkpoint, the last one cut short, are made again and not twice; as TensorBoard sees."""
    folder = tmp_path / "crashed"
    config = with_run(CONFIG, checkpoint_every=15)

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
    assert {"minutes", "policy/entropy", "eval/frechet", "eval/normalised_frechet"} <= shown.keys()


def test_a_run_that_was_killed_before_its_first_checkpoint_starts_again(whole, tmp_path, at_update, caplog):
    folder = tmp_path / "killed"

    def crash():
        raise RuntimeError("power cut")

    at_update(6, crash)
    with pytest.raises(RuntimeError, match="power cut"):
        train(with_run(CONFIG, checkpoint_every=15), folder)
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
    longer = with_run(CONFIG, frames=CONFIG.run.frames + 24, threads=2)
    assert train(longer, whole, resume=True)
    assert newest_checkpoint(whole / "checkpoints").name == "00000021"
    assert lines(whole)[: len(log)] == log
    assert [line["update"] for line in lines(whole)[len(log) :]] == [21, 21]
    assert json.loads((whole / "config.json").read_text())["run"]["frames"] == longer.run.frames


COMMAND = f"""
import sys, time
from pathlib import Path
import pytest
sys.path[:0] = [{str(Path(__file__).parent)!r}, {str(Path(__file__).parents[1] / "support")!r}]
import test_run
from limner.cli.main import main
from limner.training.spiral.trainer import SpiralTrainer

original = SpiralTrainer.update
def update(self, progress):
    while self.updates == 12 and not Path("go").exists():
        Path("waiting").touch()
        time.sleep(0.01)
    return original(self, progress)

SpiralTrainer.update = update
test_run.shrink(pytest.MonkeyPatch())
words = "train tiny --frames {CONFIG.run.frames} --checkpoint-every 10 --evaluate-every 10 --out run"
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
    renderer = CONFIG.agent.make_renderer(20)
    actions = renderer.actions.sample(np.random.default_rng(0), (3, 20))
    programs = [Program(renderer.settings(), actions[:, i]) for i in range(20)]
    save_programs(tmp_path / "some.jsonl", programs)
    made = []

    class Watched(SpiralTrainer):
        def __init__(self, config, source):
            super().__init__(config, source)
            made.append(self)

    monkeypatch.setattr("limner.training.spiral.trainer.SpiralTrainer", Watched)
    critic = replace(CONFIG.critic, data=f"programs:{tmp_path}/some.jsonl")
    config = with_run(replace(CONFIG, critic=critic), frames=10 * 24)
    assert train(config, tmp_path / "run")
    (trainer,) = made
    shown = trainer.critic.part.real_source.take(torch.arange(len(trainer.critic.part.real_source))).numpy()
    expected = load_dataset(critic.data).pictures(64)
    assert 0 < len(shown) < 20
    np.testing.assert_array_equal(shown, expected)
    painted = {picture.tobytes() for picture in execute_all(programs)}
    assert {picture.tobytes() for picture in shown} <= painted
    assert len(trainer.source) == 200
    reference = json.loads((tmp_path / "run/reference.json").read_text())
    assert reference["real"]["precision"] > reference["random"]["precision"] + 0.3


# --- Numbers that are not finite ---------------------------------------------------------------------------------

LOSSES = {
    "policy": (policy_gradient, "clipped_surrogate_loss"),
    "critic": (critic_learner, "wasserstein_critic_loss"),
}


@pytest.fixture
def poison(monkeypatch):
    """A function that makes losses of a learner NaN: those whose numbers, from 1, are given."""

    def poison(learner, numbers):
        module, name = LOSSES[learner]
        original, calls = getattr(losses, name), []

        def loss(*arguments):
            calls.append(arguments)
            return original(*arguments) * (math.nan if len(calls) in numbers else 1.0)

        monkeypatch.setattr(module, name, loss)

    return poison


def all_finite(folder):
    return all(tensor.double().isfinite().all() for tensor in weights(folder).values())


@pytest.mark.parametrize("learner", LOSSES)
def test_one_loss_that_is_not_finite_is_skipped_counted_and_kept_and_training_goes_on(learner, small, poison, tmp_path):
    poison(learner, {5})
    assert train(CONFIG, tmp_path)
    assert [path.name for path in (tmp_path / "non_finite").iterdir()] == [f"00000005-{learner}.safetensors"]
    assert load((tmp_path / f"non_finite/00000005-{learner}.safetensors").read_bytes())["loss"].isnan()
    means = [line for line in lines(tmp_path) if "policy/entropy" in line]
    other = "critic" if learner == "policy" else "policy"
    assert [(line[f"{learner}/skipped_steps"], line[f"{other}/skipped_steps"]) for line in means] == [(1, 0), (1, 0)]
    assert {"policy/gradient_norm", "critic/gap", "reward/return"} <= means[0].keys()
    assert "eval/frechet" in lines(tmp_path)[-1]
    checkpoint = newest_checkpoint(tmp_path / "checkpoints")
    counters = read_manifest(checkpoint)["counters"]
    assert checkpoint.name == "00000020"
    assert (counters[f"{learner}_skipped"], counters[f"{other}_skipped"]) == (1, 0)
    assert counters["critic_steps"] == (19 if learner == "critic" else 20)
    assert all_finite(tmp_path)


def test_a_resumed_run_goes_on_counting(small, poison, at_update, tmp_path):
    whole, folder = tmp_path / "whole", tmp_path / "interrupted"
    poison("critic", {5, 12, 13, 14})
    assert train(CONFIG, whole)
    poison("critic", {5, 12, 13})
    at_update(13, lambda: os.kill(os.getpid(), signal.SIGINT))
    assert not train(CONFIG, folder)
    counters = read_manifest(newest_checkpoint(folder / "checkpoints"))["counters"]
    assert (counters["critic_skipped"], counters["critic_skipped_in_a_row"]) == (3, 2)
    poison("critic", {1})
    assert train(CONFIG, folder, resume=True)
    assert differences(weights(whole), weights(folder)) == []
    assert timeless(folder)[-1] == timeless(whole)[-1]
    assert [line.get("critic/skipped_steps") for line in lines(folder)] == [1, None, 4, None]
    counters = [read_manifest(newest_checkpoint(run / "checkpoints"))["counters"] for run in (whole, folder)]
    assert counters[0].keys() == counters[1].keys()
    assert {name for name in counters[0] if counters[0][name] != counters[1][name]} <= {"minutes"}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("learner", LOSSES)
def test_after_ten_in_a_row_training_stops_and_the_last_checkpoint_stays(learner, threads, whole, poison, tmp_path):
    folder = tmp_path / "stopped"
    config = with_run(CONFIG, checkpoint_every=7, threads=threads)
    poison(learner, range(9, 100))
    with pytest.raises(NonFiniteError, match=f"in update 18: .* First loss of the {learner} became NaN, in update 9"):
        train(config, folder)
    assert [path.name for path in list_checkpoints(folder / "checkpoints")] == ["00000007", "00000014"]
    assert all_finite(folder)
    last = lines(folder)[-1]
    assert (last["update"], last[f"{learner}/skipped_steps"]) == (18, 10)
    assert len(list((folder / "non_finite").iterdir())) == 10


def test_after_a_stop_the_run_can_be_continued_from_its_last_checkpoint(whole, small, poison, tmp_path):
    """For instance by a version that mends the cause: the checkpoint is as good as any."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("limner.training.finite.PATIENCE", 1)
        poison("critic", {13})
        with pytest.raises(NonFiniteError, match="in update 13"):
            train(CONFIG, tmp_path / "stopped")
    assert train(CONFIG, tmp_path / "stopped", resume=True)
    assert differences(weights(whole), weights(tmp_path / "stopped")) == []
    assert timeless(tmp_path / "stopped") == timeless(whole)


def test_a_checkpoint_that_is_not_finite_is_left_out_with_a_warning_unless_it_is_the_last(
    small, tmp_path, monkeypatch, caplog
):
    original = SpiralTrainer.tensors

    def poison_tensors(update):
        def tensors(self):
            poisoned = {"episodes.log_prob": torch.tensor([math.nan])} if self.updates == update else {}
            return original(self) | poisoned

        monkeypatch.setattr(SpiralTrainer, "tensors", tensors)

    poison_tensors(10)
    assert train(CONFIG, tmp_path / "once")
    assert [path.name for path in list_checkpoints(tmp_path / "once" / "checkpoints")] == ["00000020"]
    assert "after update 10: episodes.log_prob is not finite" in caplog.text
    poison_tensors(20)
    with pytest.raises(NonFiniteError, match=r"after update 20: episodes\.log_prob is not finite"):
        train(CONFIG, tmp_path / "last")
    assert [path.name for path in list_checkpoints(tmp_path / "last" / "checkpoints")] == ["00000010"]


def test_references_that_are_not_finite_are_left_out(small, tmp_path, monkeypatch):
    rows = {"real": {"frechet": math.inf, "entropy": 2.0}, "random": {"frechet": 3.0}}
    given = SimpleNamespace(reference_rows=rows, sampling_error="", measure=lambda trainer: {})
    monkeypatch.setattr(run, "make_evaluation", lambda *_: given)
    assert train(with_run(CONFIG, frames=24), tmp_path)
    text = (tmp_path / "reference.json").read_text()
    assert json.loads(text, parse_constant=no_constant) == {"real": {"entropy": 2.0}, "random": {"frechet": 3.0}}


def pictures_in(folder, count):
    """So many digits as files."""
    folder.mkdir()
    for i, digit in enumerate(read("mnist-5k", "train").spread(count).pictures(28)):
        Image.fromarray(digit[..., 0]).save(folder / f"{i:02}.png")
    return f"folder:{folder}"


def test_a_run_on_few_pictures_of_ones_own_says_how_little_figures_mean(tmp_path, caplog):
    config = with_run(CONFIG, data=pictures_in(tmp_path / "digits", 24), frames=48, evaluate_every=1)
    assert train(config, tmp_path / "run", until=1)
    said = "figures are of 12 drawings against 12 real pictures, 10 of which are training pictures"
    assert [said in message for message in caplog.messages] == [True]
    assert train(config, tmp_path / "run", resume=True)
    assert len(caplog.messages) == 1, "once, when training starts"
    reference = json.loads((tmp_path / "run" / "reference.json").read_text())
    assert (reference["real"]["pictures"], reference["real"]["borrowed"]) == (12, 10)
    assert sum(last_evaluation(tmp_path / "run")["eval/histogram"]) == 12


def test_a_run_on_too_few_pictures_is_refused_before_anything_is_written(tmp_path):
    config = with_run(CONFIG, data=pictures_in(tmp_path / "digits", 19))
    with pytest.raises(ValueError, match=r"digits' has 19 pictures in all; .*: add more"):
        train(config, tmp_path / "run")
    assert contents(tmp_path / "run") == {}


# --- Reading runs, and training once -----------------------------------------------------------------------------


def test_a_run_is_read_with_all_its_settings(whole):
    assert read_run(whole) == CONFIG


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "holds no run to resume: it has no config.json"),
        ("{", "config.json is damaged"),
        ('{"frames": 1}', "earlier version of Limner, which cannot be resumed: start a new one from its agent with"),
        ("[]", "earlier version of Limner"),
    ],
)
def test_what_is_no_run_of_this_version_is_refused(text, words, tmp_path):
    if text is not None:
        (tmp_path / "config.json").write_text(text)
    with pytest.raises(ValueError, match=words):
        read_run(tmp_path)


def test_the_last_evaluation_is_found_beside_lines_that_were_cut_short(whole, tmp_path):
    last = lines(whole)[-1]
    assert last_evaluation(whole) == last
    with (whole / "log.jsonl").open("a") as file:
        file.write('{"update": 21, "frames": 504, "minutes": 1.0}\n{"update": 21, "eval/mse')
    assert last_evaluation(whole) == last
    assert last_evaluation(tmp_path / "nothing") is None


def test_a_complete_run_is_not_trained_again_and_an_interrupted_one_is_continued(whole, tmp_path, at_update):
    before = contents(whole)
    assert train_once(CONFIG, whole) == lines(whole)[-1]
    assert contents(whole) == before
    with pytest.raises(ValueError, match=r"is of a run with another run\.seed"):
        train_once(with_run(CONFIG, seed=1), whole)
    at_update(13, lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        train_once(CONFIG, tmp_path / "other")
    train_once(CONFIG, tmp_path / "other")
    assert differences(weights(whole), weights(tmp_path / "other")) == []


def test_a_run_lets_go_of_its_pictures_when_it_ends(small, tmp_path, monkeypatch):
    sources = []

    class Noted(PictureSource):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            sources.append(weakref.ref(self))

    monkeypatch.setattr("limner.training.run.PictureSource", Noted)
    gc.disable()
    try:
        for name in ("first", "second"):  # PyTorch keeps frames of the first run of a process
            train(with_run(TINY, frames=24), tmp_path / name)
        assert sources[1]() is None
    finally:
        gc.enable()
