"""The runs below a folder: how far each is, and how well it does.

Notable choices:
- Only ``config.json`` and ``log.jsonl`` are read, so a list appears at once, without torch.
- A run is running while a process holds its folder (``files.hold``).
- The figures are those of one evaluation, the best by the first of them, so they belong to one agent.
"""

import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from limner.files import is_held
from limner.training.config import read_config
from limner.training.log import read_log

FIGURES = (("normalised_frechet", "precision", "coverage"), ("mse",))
"""Figures of an evaluation, those of unconditional and those of conditional agents. Of the first, less is better."""


@dataclass(frozen=True)
class Run:
    """What is known of a run."""

    folder: str
    state: Literal["running", "complete", "interrupted", "empty", "old version", "damaged"]
    """Empty: no line of the log is written yet. Old version: made by an earlier version, cannot be resumed."""
    modified: str
    """When its log was last written: date and time in UTC, as ISO 8601."""
    reason: str | None = None
    """What is damaged."""
    algorithm: str | None = None
    data: str | None = None
    frames: int = 0
    """Environment steps so far."""
    frame_limit: int | None = None
    """Environment steps in the whole run."""
    minutes: float = 0.0
    """Minutes of training so far."""
    minute_limit: float | None = None
    """Minutes after which the run stops. None: no limit."""
    figures: dict[str, float] = field(default_factory=dict)
    """The best evaluation: ``FIGURES``, and the ``frames`` at which it was made. Empty before the first."""


def find_runs(root: Path) -> list[Path]:
    """Folders of runs, ``root`` or below it, the one written last first."""
    found = []
    for folder, inner, files in os.walk(root):
        if {"config.json", "log.jsonl"} & set(files):
            found.append(Path(folder))
            inner.clear()
        inner[:] = [name for name in inner if not name.startswith(".")]
    return sorted(found, key=lambda folder: (-_modified(folder), folder))


def describe(folder: Path) -> Run:
    """What the files in the folder of a run tell."""
    modified = datetime.fromtimestamp(_modified(folder), UTC).isoformat(timespec="seconds")
    try:
        return Run(str(folder), modified=modified, **_facts(folder))
    except ValueError as error:
        reason = " ".join(str(error).split()).replace(f"{folder}{os.sep}", "")
        return Run(str(folder), "damaged", modified, reason)


def _facts(folder: Path) -> dict[str, Any]:
    """The fields of ``Run``, but for the first ones; ``ValueError`` when a file is damaged."""
    values = _read_config(folder)
    log = read_log(folder / "log.jsonl") if (folder / "log.jsonl").exists() else []
    updates, frames, minutes = (
        max((row[name] for row in log if _finite(row.get(name))), default=0) for name in ("update", "frames", "minutes")
    )
    facts = {"frames": frames, "minutes": minutes, "figures": best_figures(log)}
    if "algorithm" not in values:
        return facts | {"state": "old version", "data": str(values.get("data"))}
    config = read_config(values)
    state = "complete" if config.progress(updates, minutes) == 1 else "interrupted" if log else "empty"
    return facts | {
        "state": "running" if is_held(folder) else state,
        "algorithm": config.algorithm,
        "data": config.run.data,
        "frame_limit": config.run.frames,
        "minute_limit": config.run.minutes,
    }


def _read_config(folder: Path) -> dict[str, Any]:
    """The values in ``config.json``; ``ValueError`` unless it is the configuration of a run."""
    try:
        values = json.loads((folder / "config.json").read_bytes())
    except FileNotFoundError:
        raise ValueError("config.json is missing") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"config.json: not JSON ({error})") from None
    if not isinstance(values, dict) or not {"algorithm", "renderer"} & values.keys():
        raise ValueError("config.json is not that of a run")
    return values


def best_figures(log: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The figures of the best evaluation in ``log``, and the frames at which it was made; empty if there is none."""
    for names in FIGURES:
        evaluations = [row for row in log if _finite(row.get(f"eval/{names[0]}"))]
        if evaluations:
            best = min(evaluations, key=lambda row: float(row[f"eval/{names[0]}"]))
            figures = {name: best[f"eval/{name}"] for name in names if _finite(best.get(f"eval/{name}"))}
            return figures | {"frames": best.get("frames", 0)}
    return {}


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _modified(folder: Path) -> float:
    """When the log was last written, in seconds since 1970; without a log, the configuration."""
    paths = (folder / "log.jsonl", folder / "config.json")
    return next((path.stat().st_mtime for path in paths if path.exists()), 0.0)
