"""The log of a run: ``log.jsonl``, one JSON object a line, and TensorBoard event files: ``tensorboard --logdir runs``.

Notable choices:
- ``log.jsonl`` is the record of a run; the event files repeat its numbers for TensorBoard and are never read back.
- The step of every figure of TensorBoard is the number of frames, so runs with updates of different sizes compare.
- JSON knows neither NaN nor infinity: figures that are not finite are left out, of a line and of the means in it.
- No torch import here: reading a log must be quick. TensorBoard is imported when a run starts: it takes about 0.15 s.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from limner.files import append_atomic, write_atomic
from limner.training.event_file import EventFile

if TYPE_CHECKING:
    from limner.training.trainer import Trainer

Record = dict[str, Any]
"""A line of the log."""
LARGEST = 3.4028234663852886e38
"""The largest float32, which is the type of numbers in event files; larger ones would become infinite."""


class Log:
    """``log.jsonl`` and event files: means of what the updates since the last line measured, and evaluations."""

    def __init__(self, folder: Path, report: Callable[[Record], None] | None, frames: int) -> None:
        """``frames``: where the run goes on; figures of later frames in older event files are no longer shown."""
        self.path, self.report = folder / "log.jsonl", report
        self.pending: list[dict[str, float]] = []
        self.events = EventFile(folder, frames + 1)

    def continue_from(self, updates: int) -> None:
        """Drop lines that were written after the checkpoint at ``updates``."""
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        kept = [line for line in lines if _update_of(line) <= updates]
        write_atomic(self.path, "".join(line + "\n" for line in kept))

    def add(self, metrics: dict[str, float]) -> None:
        """Keep the figures of one update for the next line."""
        self.pending.append(metrics)

    def write(self, trainer: Trainer, seconds: float, evaluation: Record | None = None) -> None:
        """Write a line: an evaluation, or the means of the updates since the last such line.

        With the means stand how many gradient steps were skipped so far. ``OSError`` naming the file when it cannot be
        written; then it ends with the line before.
        """
        record: Record = {"update": trainer.updates, "frames": trainer.frames, "minutes": seconds / 60}
        if evaluation is not None:
            record |= evaluation
        else:
            pending = [finite_figures(metrics) for metrics in self.pending]
            for name in sorted({name for metrics in pending for name in metrics}):
                record[name] = float(np.mean([metrics[name] for metrics in pending if name in metrics]))
            record |= {f"{skips.learner}/skipped_steps": skips.skipped for skips in trainer.skips()}
            self.pending.clear()
        record = finite_figures(record)
        append_atomic(self.path, (json.dumps(record, allow_nan=False) + "\n").encode())
        numbers = {name: x for name, x in record.items() if isinstance(x, int | float) and abs(x) <= LARGEST}
        self.events.add(trainer.frames, {name: x for name, x in numbers.items() if name not in ("update", "frames")})
        if self.report is not None:
            self.report(record)


def finite_figures(record: Mapping[str, Any]) -> Record:
    """The entries of a record but for numbers that are NaN or infinite, and lists that hold one."""

    def fits(value: Any) -> bool:
        if isinstance(value, list | tuple):
            return all(map(fits, value))
        return not isinstance(value, float) or math.isfinite(value)

    return {name: value for name, value in record.items() if fits(value)}


def read_log(path: str | Path) -> list[Record]:
    """The objects of a ``log.jsonl``. A truncated last line is left out; others raise ``ValueError``."""
    lines = Path(path).read_bytes().split(b"\n")
    log = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            if number == len(lines):
                break
            raise ValueError(f"{path}, line {number}: not JSON ({error})") from None
        if not isinstance(record, dict):
            raise ValueError(f"{path}, line {number}: a log line is an object, got {line[:80]!r}")
        log.append(record)
    return log


def _update_of(line: str) -> float:
    try:
        return float(json.loads(line)["update"])
    except (ValueError, KeyError, TypeError):
        return float("inf")
