"""A run: a folder that training fills, and that can be continued at any time.

``config.json``, ``reference.json``, ``log.jsonl`` (one JSON object a line), ``checkpoints/NNNNNNNN/``, and event files
for TensorBoard.

Notable choices:
- Ctrl-C and SIGTERM finish the update, save a checkpoint and leave; ``resume`` goes on from there as if nothing had
  happened (bit for bit, if the run is not limited by minutes).
- Time spent on evaluation is not counted as training time; it is logged apart.
"""

from __future__ import annotations

import json
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import numpy as np
import torch

from limner.agents.agent import load_agent
from limner.agents.checkpoint import (
    list_checkpoints,
    newest_checkpoint,
    read_manifest,
    restore_checkpoint,
    save_checkpoint,
)
from limner.agents.rollout import EpisodeBatch, collect, squared_distance
from limner.data import Dataset, load_dataset
from limner.data.picture_source import PictureSource
from limner.files import write_atomic
from limner.metrics import features
from limner.metrics.generation import Metrics, Reference, evaluate_pictures, make_reference
from limner.training.config import Config
from limner.training.imitation.trainer import Imitation
from limner.training.spiral.trainer import Adversarial
from limner.training.tensorboard import TensorBoardWriter
from limner.training.trainer import Training
from limner.worlds.world import Renderer

LOG_EVERY = 10
"""Updates between lines of the log."""

logger = logging.getLogger(__name__)
Record = dict[str, Any]


def train(config: Config, folder: Path, resume: bool = False, report: Callable[[Record], None] | None = None) -> bool:
    """Train as ``config`` says, into ``folder``. True when the run is complete, False when it was interrupted.

    ``report`` is given every line of the log. ``ValueError`` when the folder already holds a run and ``resume`` is
    not set; with ``resume``, when it holds none, or one of another configuration. A run that has no checkpoint yet
    starts again.
    """
    checkpoints = folder / "checkpoints"
    saved = newest_checkpoint(checkpoints) if resume and list_checkpoints(checkpoints) else None
    if saved is not None:
        _check_same(config, saved)
    elif resume and not (folder / "config.json").exists():
        raise ValueError(f"{folder} holds no run to resume")
    elif resume:
        logger.warning("%s holds no checkpoint yet: starting again", folder)
    elif checkpoints.exists() or (folder / "log.jsonl").exists():
        raise ValueError(f"{folder} already holds a run: continue it with --resume, or choose another --out")
    train_data, test_data = load_dataset(config.data, "train"), load_dataset(config.data, "test")
    shown = load_dataset(config.critic.data, "train") if config.critic.data else train_data
    source = PictureSource(shown, config.renderer.canvas)
    training = Imitation(config, source) if config.imitation.teacher else Adversarial(config, source)
    if config.start and saved is None:
        training.start_from(load_agent(config.start).policy)
    evaluation = make_evaluation(config, train_data, test_data)
    seconds = restore_checkpoint(saved, training)["minutes"] * 60 if saved is not None else 0.0
    log = Log(folder, report, training.frames)
    if resume:
        log.continue_from(training.updates)
    write_atomic(folder / "config.json", json.dumps(config.to_dict(), indent=2))
    write_atomic(folder / "reference.json", json.dumps(evaluation.reference_rows(), indent=2))

    with _stop_signals() as stopped, closing(log):
        while training.updates < config.updates and not stopped():
            if config.minutes is not None and seconds >= config.minutes * 60:
                break
            started = time.perf_counter()
            metrics = training.update(config.progress(training.updates, seconds / 60))
            seconds += time.perf_counter() - started
            log.add(metrics)
            last = training.updates == config.updates
            if training.updates % LOG_EVERY == 0 or last:
                log.write(training, seconds)
            if training.updates % config.evaluate_every == 0 or last:
                log.write(training, seconds, evaluation.measure(training))
            if training.updates % config.checkpoint_every == 0 or last:
                save_checkpoint(checkpoints, training, {"minutes": seconds / 60})
        complete = training.updates >= config.updates or not stopped()
        if training.updates and training.updates < config.updates:
            if complete and training.updates % config.evaluate_every:
                log.write(training, seconds, evaluation.measure(training))
            save_checkpoint(checkpoints, training, {"minutes": seconds / 60})
    return complete


class Evaluation(Protocol):
    """Measures the averaged policy of a training."""

    def reference_rows(self) -> Record:
        """The rows that every figure stands beside, for ``reference.json``."""
        ...

    def measure(self, training: Training) -> Record:
        """Figures, always drawn with the same seed, named ``eval/…``."""
        ...


def make_evaluation(config: Config, train_data: Dataset, test_data: Dataset) -> Evaluation:
    """How the agent of this run is judged: by likeness to its targets, or by what it draws without any."""
    if config.conditional:
        return ReconstructionEvaluation(config, test_data)
    return GenerationEvaluation(config, train_data, test_data)


class ReconstructionEvaluation:
    """How far from pictures of the test set the paintings of them are."""

    def __init__(self, config: Config, test_data: Dataset, count: int = 1000) -> None:
        test_data = test_data.spread(min(count, len(test_data)))
        self.renderer = config.make_renderer(len(test_data), config.threads)
        self.episodes = EpisodeBatch.empty(config, self.renderer)
        self.episodes.aim(torch.from_numpy(test_data.pictures(config.renderer.canvas)))

    def reference_rows(self) -> Record:
        """The distance of an empty canvas."""
        self.renderer.reset()
        empty = squared_distance(torch.from_numpy(self.renderer.canvas()), self.episodes.goal)
        return {"empty": {"mse": empty.mean().item()}}

    def measure(self, training: Training) -> Record:
        """``eval/mse``, the mean squared error of pixel values in [0, 1]."""
        started = time.perf_counter()
        _draw(self.renderer, training, self.episodes)
        return {"eval/mse": self.episodes.distance[-1].mean().item(), "eval/seconds": time.perf_counter() - started}


class GenerationEvaluation:
    """Measures what an agent without targets draws against real digits and random strokes."""

    def __init__(self, config: Config, train_data: Dataset, test_data: Dataset, count: int = 1000) -> None:
        self.renderer = config.make_renderer(count, config.threads)
        self.episodes = EpisodeBatch.empty(config, self.renderer)
        rng = np.random.default_rng(0)
        self.reference: Reference = make_reference(test_data, train_data, self.renderer, config.steps, rng, count)

    def reference_rows(self) -> Record:
        """Real digits and random strokes."""
        rows: dict[str, Metrics] = {"real": self.reference.real, "random": self.reference.random}
        return {name: asdict(row) for name, row in rows.items()}

    def measure(self, training: Training) -> Record:
        """All of ``Metrics``."""
        started = time.perf_counter()
        _draw(self.renderer, training, self.episodes)
        metrics = evaluate_pictures(self.episodes.canvas.numpy(), self.reference)
        record: Record = {f"eval/{name}": value for name, value in asdict(metrics).items()}
        return record | {"eval/features": features.fingerprint(), "eval/seconds": time.perf_counter() - started}


def _draw(renderer: Renderer, training: Training, episodes: EpisodeBatch) -> None:
    """Let the averaged policy draw, with the seed of the run."""
    config = training.config
    generator = torch.Generator(config.device).manual_seed(config.seed)
    collect(renderer, training.policy_learner.average, episodes, generator, config.temperature, config.opening)


class Log:
    """``log.jsonl`` and event files: means of what the updates since the last line measured, and evaluations."""

    def __init__(self, folder: Path, report: Callable[[Record], None] | None, frames: int) -> None:
        """``frames``: where the run goes on."""
        self.path = folder / "log.jsonl"
        self.report = report
        self.pending: list[dict[str, float]] = []
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.board = TensorBoardWriter(folder, frames)

    def close(self) -> None:
        """Close what is open."""
        self.board.close()

    def continue_from(self, updates: int) -> None:
        """Drop lines that were written after the checkpoint at ``updates``."""
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        kept = [line for line in lines if _update_of(line) <= updates]
        write_atomic(self.path, "".join(line + "\n" for line in kept))

    def add(self, metrics: dict[str, float]) -> None:
        """Keep the figures of one update for the next line."""
        self.pending.append(metrics)

    def write(self, training: Training, seconds: float, evaluation: Record | None = None) -> None:
        """Write a line: an evaluation, or the means of the updates since the last such line."""
        record: Record = {"update": training.updates, "frames": training.frames, "minutes": seconds / 60}
        if evaluation is not None:
            record |= evaluation
        else:
            names = sorted({name for metrics in self.pending for name in metrics})
            for name in names:
                values = [metrics[name] for metrics in self.pending if name in metrics]
                record[name] = float(np.mean(values))
            self.pending.clear()
        with self.path.open("a") as file:
            file.write(json.dumps(record) + "\n")
        self.board.write(record)
        if self.report is not None:
            self.report(record)


def _update_of(line: str) -> float:
    try:
        return float(json.loads(line)["update"])
    except (ValueError, KeyError, TypeError):
        return float("inf")


def _check_same(config: Config, checkpoint: Path) -> None:
    """``ValueError`` unless ``checkpoint`` has the same configuration, but for its limits."""
    saved = Config.from_dict(read_manifest(checkpoint)["config"]).to_dict()
    given = config.to_dict()
    for name in ("frames", "minutes", "threads", "evaluate_every", "checkpoint_every", "keep"):
        saved.pop(name), given.pop(name)
    different = [name for name in saved if saved[name] != given[name]]
    if different:
        name = different[0]
        raise ValueError(
            f"{checkpoint} is of a run with another {name}: {saved[name]!r}, not {given[name]!r}; "
            "resume with the same settings, or choose another --out"
        )


@contextmanager
def _stop_signals() -> Iterator[Callable[[], bool]]:
    """While open, Ctrl-C and SIGTERM only set a flag. The second Ctrl-C interrupts at once."""
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)
        logger.info("stopping after this update")

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    previous = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
