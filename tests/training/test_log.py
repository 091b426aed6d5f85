import json
import math
import resource
import subprocess
import sys
from types import SimpleNamespace

import pytest
from event_files import read_scalars

from limner.training.finite import Skips
from limner.training.log import LARGEST, Log, finite_figures, read_log


def at(update):
    """What the log asks a trainer."""
    skips = [Skips("policy", skipped=2), Skips("critic", skipped=update)]
    return SimpleNamespace(updates=update, frames=24 * update, skips=lambda: skips)


def skipped(update):
    """What the log writes of its skipped steps."""
    return {"policy/skipped_steps": 2, "critic/skipped_steps": update}


def no_constant(name):
    raise AssertionError(f"{name} is no JSON")


def lines(path):
    return [json.loads(line, parse_constant=no_constant) for line in (path / "log.jsonl").read_text().splitlines()]


@pytest.fixture
def log(tmp_path):
    return Log(tmp_path, None, 0)


def test_a_line_is_the_mean_of_the_updates_since_the_last(log, tmp_path):
    for entropy in (1.0, 2.0, 6.0):
        log.add({"policy/entropy": entropy})
    log.write(at(3), seconds=90)
    log.add({"policy/entropy": 5.0, "critic/gap": 0.25})
    log.add({"policy/entropy": 6.0})
    log.write(at(5), seconds=120)
    assert lines(tmp_path) == [
        {"update": 3, "frames": 72, "minutes": 1.5, "policy/entropy": 3.0, **skipped(3)},
        {"update": 5, "frames": 120, "minutes": 2.0, "policy/entropy": 5.5, "critic/gap": 0.25, **skipped(5)},
    ]


def test_an_evaluation_is_a_line_of_its_own_and_leaves_what_is_pending(log, tmp_path):
    log.add({"policy/entropy": 1.0})
    log.write(at(1), 60, {"eval/mse": 0.5, "eval/features": "abc"})
    log.write(at(1), 60)
    assert lines(tmp_path) == [
        {"update": 1, "frames": 24, "minutes": 1.0, "eval/mse": 0.5, "eval/features": "abc"},
        {"update": 1, "frames": 24, "minutes": 1.0, "policy/entropy": 1.0, **skipped(1)},
    ]


def test_numbers_that_are_not_finite_are_left_out_of_means_and_evaluations(log, tmp_path):
    reported = []
    log.report = reported.append
    for value in (1.0, math.nan, math.inf, 2.0):
        log.add({"policy/entropy": value, "policy/nll": math.nan})
    log.write(at(4), 60)
    log.add({"policy/nll": math.inf})
    log.write(at(6), 60)
    log.write(at(6), 60, {"eval/mse": math.nan, "eval/histogram": [1, math.inf], "eval/seconds": 0.5})
    place = {"frames": 144, "minutes": 1.0}
    assert lines(tmp_path) == [
        {"update": 4, "frames": 96, "minutes": 1.0, "policy/entropy": 1.5, **skipped(4)},
        {"update": 6, **place, **skipped(6)},
        {"update": 6, **place, "eval/seconds": 0.5},
    ]
    assert reported == lines(tmp_path)


def test_every_line_is_reported(tmp_path):
    reported = []
    log = Log(tmp_path, reported.append, 0)
    log.add({"policy/entropy": 1.0})
    log.write(at(1), 60)
    log.write(at(1), 60, {"eval/mse": 0.5})
    assert reported == lines(tmp_path)


def test_lines_after_the_checkpoint_are_dropped_and_so_is_one_that_was_cut_short(log, tmp_path):
    for update in (1, 2, 3):
        log.add({"policy/entropy": 1.0})
        log.write(at(update), 60)
    kept = lines(tmp_path)[:2]
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('[]\n{"frames": 7}\n{"update": 1, "fra')
    log.continue_from(2)
    assert lines(tmp_path) == kept


def test_there_may_be_no_log_to_continue(log, tmp_path):
    log.continue_from(7)
    assert lines(tmp_path) == []


def test_reading_passes_over_a_last_line_that_was_cut_short_and_names_another(tmp_path):
    path, log = tmp_path / "log.jsonl", [{"update": 1, "policy/entropy": 6.0}, {"update": 2, "eval/frechet": 90.0}]
    path.write_text(json.dumps(log[0]) + "\n\n" + json.dumps(log[1]) + '\n{"update": 3, "fra')
    assert read_log(path) == log
    path.write_text('{"update": 1}\nnonsense\n{"update": 3}\n')
    with pytest.raises(ValueError, match=r"log\.jsonl, line 2: not JSON"):
        read_log(path)
    path.write_text('{"update": 1}\n[1]\n')
    with pytest.raises(ValueError, match="line 2: a log line is an object"):
        read_log(path)


def test_figures_that_are_not_finite_are_left_out():
    record = {"a": 1, "b": math.nan, "c": [1, math.inf], "d": [0.5], "e": "nan", "f": -math.inf, "g": None, "h": 0.0}
    assert finite_figures(record) == {"a": 1, "d": [0.5], "e": "nan", "g": None, "h": 0.0}
    json.dumps(finite_figures(record), allow_nan=False)


def test_a_line_that_the_system_cuts_short_is_taken_back(log, tmp_path):
    """No simulation: the system refuses to let the file grow."""
    log.write(at(1), 60, {"eval/mse": 0.5})
    kept = lines(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / "log.jsonl").stat().st_size + 10, hard))
    try:
        with pytest.raises(OSError, match=r"File too large: '.*log\.jsonl'"):
            log.write(at(2), 60, {"eval/mse": 0.5})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert lines(tmp_path) == kept
    log.write(at(2), 60, {"eval/mse": 0.5})
    assert [line["update"] for line in lines(tmp_path)] == [1, 2]
    assert [step for step, _ in read_scalars(tmp_path)["eval/mse"]] == [24, 48]


# --- Event files -------------------------------------------------------------------------------------------------


def test_figures_are_read_back_at_their_frames(log, tmp_path):
    log.write(at(1), 6, {"policy/entropy": 2.5})
    log.write(at(1), 6, {"eval/frechet": 30, "eval/histogram": [1, 2], "eval/features": "30e0"})
    log.write(at(2), 12, {"policy/entropy": 2.25})
    expected = {"minutes": [(24, 0.1), (24, 0.1), (48, 0.2)], "policy/entropy": [(24, 2.5), (48, 2.25)]}
    expected["eval/frechet"] = [(24, 30)]
    shown = read_scalars(tmp_path)
    assert shown == {name: [(x, pytest.approx(y)) for x, y in points] for name, points in expected.items()}


def test_only_finite_numbers_are_written(log, tmp_path):
    values = [math.nan, math.inf, -math.inf, None, 1e39, -1e300, 10**400, "nan"]
    log.write(at(1), 60, {f"value/{i}": value for i, value in enumerate(values)})
    log.write(at(2), 60, {"value/0": LARGEST, "value/1": -LARGEST})
    shown = read_scalars(tmp_path)
    assert shown.keys() == {"minutes", "value/0", "value/1"}
    assert all(math.isfinite(y) for points in shown.values() for _, y in points)
    assert shown["value/0"] == [(48, pytest.approx(LARGEST))]


def test_a_run_that_goes_on_shows_one_curve(tmp_path):
    first = Log(tmp_path, None, 0)
    for update in (1, 2, 3, 4):
        first.write(at(update), 60, {"critic/gap": 1.0})
    second = Log(tmp_path, None, frames=48)
    second.write(at(3), 60, {"critic/gap": 2.0})
    assert read_scalars(tmp_path)["critic/gap"] == [(24, 1), (48, 1), (72, 2)]
    Log(tmp_path, None, 0)
    assert read_scalars(tmp_path) == {"critic/gap": [], "minutes": []}, "a run that starts again"


def test_tensorboard_is_imported_without_a_warning_and_only_when_a_run_starts(tmp_path):
    code = (
        "import json, sys; from pathlib import Path; from limner.training import log, run\n"
        "found = ['tensorboard' in sys.modules]\n"
        "log.Log(Path(sys.argv[1]), None, 0)\n"
        "print(json.dumps(found + ['tensorboard' in sys.modules, 'tensorflow' in sys.modules]))"
    )
    command = [sys.executable, "-W", "error", "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [False, True, False]
