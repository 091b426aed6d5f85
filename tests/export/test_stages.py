"""The stages of a run."""

import json
from pathlib import Path

import pytest

from limner.export.stages import joined, stages


def write(folder: Path, start: str, frames: int) -> Path:
    """A run in ``folder`` that took so many frames, in so many minutes."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"run": {"start": start}}))
    (folder / "log.jsonl").write_text(json.dumps({"frames": frames, "minutes": float(frames), "update": 1}) + "\n")
    return folder


def test_runs_are_followed_to_the_first(tmp_path: Path) -> None:
    first = write(tmp_path / "first", "mnist", 10)
    second = write(tmp_path / "second", str(first / "checkpoints" / "00000001"), 20)
    third = write(tmp_path / "third", str(second), 30)
    history = stages(third)
    assert [stage.folder for stage in history] == [first, second, third]
    assert [(record["frames"], record["minutes"]) for record in joined(history)] == [(10, 10), (30, 30), (60, 60)]


def test_a_run_that_is_gone_or_starts_from_itself_ends_the_search(tmp_path: Path) -> None:
    alone = write(tmp_path / "alone", str(tmp_path / "gone"), 1)
    assert [stage.folder for stage in stages(alone)] == [alone]
    circle = write(tmp_path / "circle", str(tmp_path / "circle"), 1)
    assert [stage.folder for stage in stages(circle)] == [circle]


@pytest.mark.parametrize("config", ["{", "[]"])
def test_a_damaged_stage_is_named(tmp_path: Path, config: str) -> None:
    first = write(tmp_path / "first", "", 1)
    second = write(tmp_path / "second", str(first), 1)
    (first / "config.json").write_text(config)
    with pytest.raises(ValueError, match=r"first.config\.json"):
        stages(second)
