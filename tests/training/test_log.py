import json
import math
from types import SimpleNamespace

import pytest

from limner.training.log import Log, finite_figures, read_log


def at(update):
    """What the log asks a trainer."""
    guards = [SimpleNamespace(learner="policy", skipped=2), SimpleNamespace(learner="critic", skipped=update)]
    return SimpleNamespace(updates=update, frames=24 * update, guards=lambda: guards)


def skipped(update):
    """What the log writes of its guards."""
    return {"policy/skipped_steps": 2, "critic/skipped_steps": update}


def no_constant(name):
    raise AssertionError(f"{name} is no JSON")


def lines(path):
    return [json.loads(line, parse_constant=no_constant) for line in (path / "log.jsonl").read_text().splitlines()]


@pytest.fixture
def log(tmp_path):
    log = Log(tmp_path, None, 0)
    yield log
    log.close()


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
    log.close()
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
