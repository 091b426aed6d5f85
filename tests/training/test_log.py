import json
from types import SimpleNamespace

import pytest

from limner.training.log import Log, read_log


def at(update):
    """What the log asks a trainer."""
    return SimpleNamespace(updates=update, frames=24 * update)


def lines(path):
    return [json.loads(line) for line in (path / "log.jsonl").read_text().splitlines()]


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
        {"update": 3, "frames": 72, "minutes": 1.5, "policy/entropy": 3.0},
        {"update": 5, "frames": 120, "minutes": 2.0, "policy/entropy": 5.5, "critic/gap": 0.25},
    ]


def test_an_evaluation_is_a_line_of_its_own_and_leaves_what_is_pending(log, tmp_path):
    log.add({"policy/entropy": 1.0})
    log.write(at(1), 60, {"eval/mse": 0.5, "eval/features": "abc"})
    log.write(at(1), 60)
    assert lines(tmp_path) == [
        {"update": 1, "frames": 24, "minutes": 1.0, "eval/mse": 0.5, "eval/features": "abc"},
        {"update": 1, "frames": 24, "minutes": 1.0, "policy/entropy": 1.0},
    ]


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
