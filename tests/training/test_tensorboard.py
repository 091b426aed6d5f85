"""Figures of a run for TensorBoard."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from event_files import read_scalars

from limner.training.tensorboard import LARGEST, TensorBoardWriter


def record(frames: int, **figures: object) -> dict[str, object]:
    return {"update": frames // 10, "frames": frames, "minutes": frames / 100} | figures


def test_figures_are_read_back_at_their_frames(tmp_path: Path) -> None:
    writer = TensorBoardWriter(tmp_path)
    writer.write(record(10, **{"policy/entropy": 2.5}))
    writer.write(record(10, **{"eval/frechet": 30, "eval/histogram": [1, 2], "eval/features": "30e0"}))
    writer.write(record(20, **{"policy/entropy": 2.25}))
    expected = {"minutes": [(10, 0.1), (10, 0.1), (20, 0.2)], "policy/entropy": [(10, 2.5), (20, 2.25)]}
    expected["eval/frechet"] = [(10, 30)]
    before_closing = read_scalars(tmp_path)
    writer.close()
    for shown in (before_closing, read_scalars(tmp_path)):
        assert shown == {name: [(x, pytest.approx(y)) for x, y in points] for name, points in expected.items()}


def test_only_finite_numbers_are_written(tmp_path: Path) -> None:
    writer = TensorBoardWriter(tmp_path)
    values = [math.nan, math.inf, -math.inf, None, 1e39, -1e300, 10**400, "nan"]
    writer.write(record(10, **{f"value/{i}": value for i, value in enumerate(values)}))
    writer.write(record(20, **{"value/0": LARGEST, "value/1": -LARGEST}))
    writer.close()
    shown = read_scalars(tmp_path)
    assert shown.keys() == {"minutes", "value/0", "value/1"}
    assert all(math.isfinite(y) for points in shown.values() for _, y in points)
    assert shown["value/0"] == [(20, pytest.approx(LARGEST))]


@pytest.mark.usefixtures("event_clock")
def test_a_run_that_goes_on_shows_one_curve(tmp_path: Path) -> None:
    first = TensorBoardWriter(tmp_path)
    for frames in (10, 20, 30, 40):
        first.write(record(frames, **{"critic/gap": 1.0}))
    first.close()
    second = TensorBoardWriter(tmp_path, frames=20)
    second.write(record(30, **{"critic/gap": 2.0}))
    second.close()
    assert read_scalars(tmp_path)["critic/gap"] == [(10, 1), (20, 1), (30, 2)]
    TensorBoardWriter(tmp_path).close()
    assert read_scalars(tmp_path) == {"critic/gap": [], "minutes": []}, "a run that starts again"


def test_tensorboard_is_imported_without_a_warning_and_only_when_a_run_starts(tmp_path: Path) -> None:
    code = (
        "import json, sys; from pathlib import Path; from limner.training import run, tensorboard as module\n"
        "found = ['tensorboard' in sys.modules]\n"
        "module.TensorBoardWriter(Path(sys.argv[1])).close()\n"
        "print(json.dumps(found + ['tensorboard' in sys.modules, 'tensorflow' in sys.modules]))"
    )
    command = [sys.executable, "-W", "error", "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [False, True, False]
