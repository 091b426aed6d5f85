"""Watching a run: a progress bar on a terminal, plain lines elsewhere.

Notable choices:
- It is fed with the lines of ``log.jsonl`` as they are written, and holds nothing that the file does not.
- Plain lines are every evaluation, and between them one line in ``PLAIN_SECONDS``: a log file stays short. One that
  cannot be written is left out.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from limner.training.config import TrainingConfig

PLAIN_SECONDS = 10.0

Report = Callable[[Mapping[str, Any]], None]


@contextmanager
def watch(config: TrainingConfig, stream: TextIO | None = None) -> Iterator[Report]:
    """While open, the function it gives shows the log lines that it is handed, on ``stream`` (standard error)."""
    stream = sys.stderr if stream is None else stream
    if not stream.isatty():
        yield _plain(config, stream)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(file=stream)) as bar:
        task = bar.add_task("starting", total=1.0)

        def show(record: Mapping[str, Any]) -> None:
            if is_evaluation(record):
                bar.console.print(summary(record), highlight=False)
            else:
                done = config.progress(record["update"], record["minutes"])
                bar.update(task, completed=done, description=summary(record))

        yield show


def is_evaluation(record: Mapping[str, Any]) -> bool:
    """Whether a log line holds figures of an evaluation."""
    return any(name.startswith("eval/") for name in record)


def summary(record: Mapping[str, Any]) -> str:
    """A line of the log as text: where the run is, and the main figures."""
    frames, minutes = record["frames"], record["minutes"]
    text = f"{frames:,} frames, {minutes:.1f} min"
    if is_evaluation(record):
        shown = ("mse", "frechet", "precision", "coverage", "entropy")
        figures = [f"{name} {record[f'eval/{name}']:.3g}" for name in shown if f"eval/{name}" in record]
        return f"{text}: {', '.join(figures)}"
    if minutes > 0:
        text += f", {frames / (60 * minutes):,.0f} frames/s"
    marks = {"policy/entropy": "entropy", "critic/gap": "gap", "search/distance": "found"}
    return text + "".join(f", {name} {record[key]:.3g}" for key, name in marks.items() if key in record)


def _plain(config: TrainingConfig, stream: TextIO) -> Report:
    last = -PLAIN_SECONDS

    def show(record: Mapping[str, Any]) -> None:
        nonlocal last
        now = time.monotonic()
        if is_evaluation(record) or now - last >= PLAIN_SECONDS:
            done = config.progress(record["update"], record["minutes"])
            last = now
            with suppress(OSError):  # nobody reads it, or a disk is full: no reason to stop training
                stream.write(f"{done:4.0%}  {summary(record)}\n")
                stream.flush()

    return show
