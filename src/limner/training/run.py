"""A run: a folder that training fills, and that can be continued at any time.

``config.json``, ``reference.json``, ``log.jsonl`` (one JSON object a line), ``checkpoints/NNNNNNNN/``, and event files
for TensorBoard. ``non_finite/`` has the batches of gradient steps that were skipped.

Notable choices:
- Ctrl-C, SIGTERM and SIGHUP finish the update, save a checkpoint and leave; resuming goes on from there as if nothing
  had happened (bit for bit, if the run is not limited by minutes).
- Time spent on evaluation is not counted as training time; it is logged apart.
"""

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import torch

from limner.agents.agent import load_agent
from limner.agents.checkpoint import list_checkpoints, newest_checkpoint, read_manifest
from limner.data import load_dataset
from limner.data.picture_source import PictureSource
from limner.extras import require_extra
from limner.files import hold, write_atomic
from limner.training import NonFiniteError, make_trainer
from limner.training.checkpointer import Checkpointer
from limner.training.config import TrainingConfig, read_config
from limner.training.evaluation import Evaluation, make_evaluation
from limner.training.log import Log, Record, finite_figures, read_log
from limner.training.progress import is_evaluation
from limner.training.saving import restore_checkpoint
from limner.training.stopping import stop_signals
from limner.training.trainer import Trainer
from limner.worlds.validation import require

LOG_EVERY = 10
"""Updates between lines of the log."""
LIMITS = ("frames", "minutes", "threads", "evaluate_every", "checkpoint_every", "keep")
"""What of a run may change when it is resumed."""

logger = logging.getLogger(__name__)


def train(
    config: TrainingConfig,
    folder: Path,
    resume: bool = False,
    report: Callable[[Record], None] | None = None,
    until: int | None = None,
) -> bool:
    """Train as ``config`` says, into ``folder``. True when the run is complete, False when it was interrupted.

    ``report`` is given every line of the log. With ``until`` the run pauses after so many updates, as if it were
    complete then: with an evaluation and a checkpoint. The schedules are those of the whole run, so a run that pauses
    ends as one that never did. ``ValueError`` when the folder already holds a run and ``resume`` is
    not set; with ``resume``, when it holds none, or one of another configuration; when another process trains in it. A
    run that has no checkpoint yet starts again. ``NonFiniteError`` when too many gradient steps in a row are not
    finite, ``OSError`` naming the file when one cannot be written: the last checkpoints stay. ``ImportError`` without
    the extra ``train``.
    """
    with open_run(config, folder, resume, report, until) as run, stop_signals() as stopped:
        while run.progress < 1 and not stopped():
            if run.paused:
                return True
            run.update()
            run.record()
        return run.finish()


class Run:
    """A run that is open: it moves on update by update, and what that comes to is logged, evaluated and saved."""

    def __init__(
        self, trainer: Trainer, checkpointer: Checkpointer, log: Log, evaluation: Evaluation, seconds: float, end: int
    ) -> None:
        """``seconds`` of training were spent before; the run ends or pauses after ``end`` updates."""
        self.trainer, self.checkpointer, self.log, self.evaluation = trainer, checkpointer, log, evaluation
        self.seconds, self.end = seconds, end

    @property
    def progress(self) -> float:
        """How much of the run is done, in [0, 1]."""
        return self.trainer.config.progress(self.trainer.updates, self.seconds / 60)

    @property
    def paused(self) -> bool:
        """Whether it has made its last update for now."""
        return self.trainer.updates >= self.end

    @property
    def saves(self) -> bool:
        """Whether it is time for a checkpoint."""
        return self.trainer.updates % self.trainer.config.run.checkpoint_every == 0 or self.paused

    def update(self) -> None:
        """Move on by one update; ``NonFiniteError`` when too many gradient steps in a row are not finite."""
        started = time.perf_counter()
        try:
            metrics = self.trainer.update(self.progress)
        except NonFiniteError:
            self.log.write(self.trainer, self.seconds)
            raise
        self.seconds += time.perf_counter() - started
        self.log.add(metrics)

    def record(self, save: bool = False) -> None:
        """Log, evaluate and save after an update where it is time to; ``save`` in any case, and wait for it.

        ``NonFiniteError`` when the last checkpoint would hold a number that is not finite.
        """
        updates, run = self.trainer.updates, self.trainer.config.run
        if updates % LOG_EVERY == 0 or self.paused:
            self.log.write(self.trainer, self.seconds)
        if updates % run.evaluate_every == 0 or self.paused:
            self._evaluate()
        if self.saves or save:
            self.checkpointer.save(self.seconds, needed=self.paused)
        if save:
            self.checkpointer.wait()

    def finish(self) -> bool:
        """Save a run that stops before its end; whether it is complete."""
        complete = self.progress == 1
        if 0 < self.trainer.updates < self.end:
            if complete and self.trainer.updates % self.trainer.config.run.evaluate_every:
                self._evaluate()
            self.checkpointer.save(self.seconds, needed=True)
        return complete

    def _evaluate(self) -> None:
        self.log.write(self.trainer, self.seconds, self.evaluation.measure(self.trainer))


@contextmanager
def open_run(
    config: TrainingConfig,
    folder: Path,
    resume: bool = False,
    report: Callable[[Record], None] | None = None,
    until: int | None = None,
    like: Run | None = None,
) -> Iterator[Run]:
    """While open, a run in ``folder``, from what is saved there; arguments and errors as ``train``.

    ``like`` is an open run with the same agent and data: its pictures and its evaluation are used.
    """
    require_extra("train", "training")
    saved = _saved_state(config, folder, resume)
    if like is None:
        train_data, test_data = load_dataset(config.run.data, "train"), load_dataset(config.run.data, "test")
        source = PictureSource(train_data, config.agent.renderer.canvas)
        source.take(torch.zeros(1, dtype=torch.int64))  # so that damaged files are found before anything is written
    else:
        source = like.trainer.source
    with hold(folder), ExitStack() as opened:
        trainer = opened.enter_context(closing(make_trainer(config, source)))
        if config.run.start and saved is None:
            trainer.start_from(load_agent(config.run.start).policy)
        evaluation = make_evaluation(config, train_data, test_data) if like is None else like.evaluation
        if evaluation.sampling_error and like is None and saved is None:
            logger.warning("%s", evaluation.sampling_error)
        seconds = restore_checkpoint(saved, trainer)["minutes"] * 60 if saved is not None else 0.0
        log = Log(folder, report, trainer.frames)
        if resume:
            log.continue_from(trainer.updates)
        write_config(config, folder)
        reference = {name: finite_figures(row) for name, row in evaluation.reference_rows.items()}
        write_atomic(folder / "reference.json", json.dumps(reference, indent=2, allow_nan=False))
        trainer.keep_skipped(folder / "non_finite")
        end = config.updates if until is None else min(until, config.updates)
        checkpointer = opened.enter_context(Checkpointer(folder / "checkpoints", trainer))
        yield Run(trainer, checkpointer, log, evaluation, seconds, end)


def train_once(config: TrainingConfig, folder: Path, report: Callable[[Record], None] | None = None) -> Record:
    """Train as ``config`` says, into ``folder``, unless that run is complete; returns its last evaluation.

    An interrupted run is continued. ``KeyboardInterrupt`` when it is interrupted again. ``ValueError`` when the folder
    holds a run of another configuration, or as ``train``.
    """
    last = last_evaluation(folder)
    if last is not None and config.progress(last["update"], last["minutes"]) == 1:
        _check_same(config, newest_checkpoint(folder / "checkpoints"))
        return last
    if not train(config, folder, resume=(folder / "config.json").exists(), report=report):
        raise KeyboardInterrupt
    last = last_evaluation(folder)
    assert last is not None, "a complete run ends with an evaluation"
    return last


def last_evaluation(folder: Path) -> Record | None:
    """The last evaluation in the log of the run in ``folder``; None where there is none."""
    path = folder / "log.jsonl"
    log = read_log(path) if path.exists() else []
    return next(filter(is_evaluation, reversed(log)), None)


def read_run(folder: Path) -> TrainingConfig:
    """The configuration of the run in ``folder``; ``ValueError`` when there is none, or of an earlier version."""
    try:
        values = json.loads((folder / "config.json").read_bytes())
    except FileNotFoundError:
        raise ValueError(f"{folder} holds no run to resume: it has no config.json") from None
    except ValueError as error:
        raise ValueError(f"{folder / 'config.json'} is damaged: {error}") from None
    if not isinstance(values, dict) or "algorithm" not in values:
        old = f"{folder} holds a run of an earlier version of Limner, which cannot be resumed"
        raise ValueError(f"{old}: start a new one from its agent with --start {folder}")
    return read_config(values)


def write_config(config: TrainingConfig, folder: Path) -> None:
    """Write the configuration that ``read_run`` reads."""
    write_atomic(folder / "config.json", json.dumps(config.to_dict(), indent=2))


def _saved_state(config: TrainingConfig, folder: Path, resume: bool) -> Path | None:
    """The checkpoint to continue from, if there is one; ``ValueError`` as ``train``."""
    checkpoints = folder / "checkpoints"
    if not resume:
        empty = not checkpoints.exists() and not (folder / "log.jsonl").exists()
        require(empty, f"{folder} already holds a run: continue it with --resume {folder}, or choose another --out")
        return None
    if list_checkpoints(checkpoints):
        saved = newest_checkpoint(checkpoints)
        _check_same(config, saved)
        return saved
    require((folder / "config.json").exists(), f"{folder} holds no run to resume: it has no config.json")
    logger.warning("%s holds no checkpoint yet: starting again", folder)
    return None


def _check_same(config: TrainingConfig, checkpoint: Path) -> None:
    """``ValueError`` unless ``checkpoint`` has the same configuration, but for its limits."""
    manifest = read_manifest(checkpoint)
    saved, given = _flat(read_config(manifest["training"]).to_dict()), _flat(config.to_dict())
    for name in (*saved, *given):
        if name.removeprefix("run.") not in LIMITS and saved.get(name) != given.get(name):
            raise ValueError(
                f"{checkpoint} is of a run with another {name}: {saved.get(name)!r}, not {given.get(name)!r}; "
                "resume with the same settings, or choose another --out"
            )


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values as one level, with dotted names."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat
