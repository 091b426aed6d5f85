"""Checkpoints beside learning: the state is copied at once, and checked and written by a thread of its own."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import torch

from limner.files import is_disk_full
from limner.training import NonFiniteError
from limner.training.saving import begin_checkpoint
from limner.training.trainer import Trainer

logger = logging.getLogger(__name__)


class Checkpointer:
    """Writes checkpoints of ``trainer`` into ``folder`` while it learns, one at a time; leaving waits for the last."""

    def __init__(self, folder: Path, trainer: Trainer) -> None:
        self.folder, self.trainer = folder, trainer
        self.thread = ThreadPoolExecutor(1, "checkpoints", torch.set_num_threads, (1,))
        self.writing: Future[object] | None = None

    def save(self, seconds: float, needed: bool) -> None:
        """Begin a checkpoint of the state as it is now, after ``seconds`` of training.

        One that is ``needed`` is written before this returns. Another one is left out with a warning where a number is
        not finite or no space is left on the disk; any other ``OSError`` is raised by the next call or on leaving.
        """
        self.wait()
        write = begin_checkpoint(self.folder, self.trainer, {"minutes": seconds / 60})
        self.writing = self.thread.submit(write) if needed else self.thread.submit(_try, write)
        if needed:
            self.wait()

    def wait(self) -> None:
        """Wait until no checkpoint is being written; raises what writing it raised."""
        writing, self.writing = self.writing, None
        if writing is not None:
            writing.result()

    def __enter__(self) -> "Checkpointer":
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            self.wait()
        except Exception as problem:
            if error is None:
                raise
            logger.warning("%s", problem)
        finally:
            self.thread.shutdown()


def _try(write: Callable[[], Path]) -> None:
    """Write a checkpoint that training can do without."""
    try:
        write()
    except NonFiniteError as error:
        logger.warning("%s", error)
    except OSError as error:
        if not is_disk_full(error):
            raise
        logger.warning("%s: %s; training goes on without this checkpoint: make room", error.filename, error.strerror)
