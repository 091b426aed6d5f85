"""An actor in a process of a Ray cluster."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from limner.training.part import Snapshot, prefixed
from limner.training.policy_learner import Scalars
from limner.training.runtime.process import Process, to_arrays, to_tensors

STARTING = 300.0
"""Seconds that the first batch of a process may take, or what an actor keeps."""
PATIENCE, SLOW = 60.0, 20.0
"""Seconds that another batch may take, or so many times the longest one."""
logger = logging.getLogger(__name__)


@dataclass
class Call:
    """A batch that an actor is making."""

    version: int
    """Of the weights."""
    weights: Any
    """Reference."""
    result: Any = None
    """Reference to tensors, figures, and the state of the generator afterwards."""
    sent: float = 0.0
    """Time of ``time.monotonic``."""


class RemoteActor:
    """An actor, its call, and the generator as it was after the last batch taken.

    A batch depends on the arguments of its call alone. So a process that has ended is replaced by another one, which
    makes the same batch.
    """

    def __init__(self, process: Process, generator: torch.Generator) -> None:
        self.process, self.ray, self.generator = process, process.cluster.ray, generator
        self.call: Call | None = None
        self.new = True  # whether the process has not made a batch yet
        self.kept = Snapshot({}, {})
        """What the actor kept from batch to batch when that was last asked for: a new process goes on from there."""

    def begin(self, weights: Any, version: int) -> None:
        """Begin a batch with weights of this version."""
        self._send(Call(version, weights))

    def finish(self, call: Call) -> tuple[dict[str, Tensor], Scalars]:
        """Tensors and figures of the call, which is done; Ray's error where the process is gone."""
        arrays, figures, after = self.ray.get(call.result)
        self.generator.set_state(to_tensors(after))
        self.call, self.new, self.process.in_a_row = None, False, 0
        return to_tensors(arrays), figures

    def replace(self, error: Exception) -> None:
        """Go on in a new process, which makes the batch of the call."""
        self.process.restart(error)
        self.new = True
        self.restore(self.kept)
        if self.call is not None:
            self._send(self.call)

    def restore(self, kept: Snapshot) -> None:
        """Put back what the actor kept."""
        self.kept = kept
        if kept.counters:
            self.process.handle.call.remote("load", *to_arrays(kept))

    def begin_snapshot(self, prefix: str) -> Callable[[], Snapshot]:
        """Ask for what the actor keeps; where its process ends or hangs, that is what it kept before.

        What is returned waits for the answer, and puts a prefix before each name.
        """
        asked = self.process.handle.call.remote("kept")

        def finish() -> Snapshot:
            errors = self.ray.exceptions
            try:
                self.kept = to_tensors(self.ray.get(asked, timeout=STARTING))
            except errors.RayTaskError as error:
                raise error.as_instanceof_cause() from None
            except errors.RayError:  # who waits for its batch replaces it
                logger.warning("%s has ended: the checkpoint holds what it kept at the one before", prefix)
            tensors, counters = self.kept
            return Snapshot(prefixed(prefix, tensors), {f"{prefix}.{name}": x for name, x in counters.items()})

        return finish

    def hangs(self, call: Call, longest: float) -> bool:
        """Whether the call has taken too long, where ``longest`` is the longest time that a batch took."""
        limit = STARTING if self.new else max(PATIENCE, SLOW * longest)
        return time.monotonic() - call.sent > limit

    def _send(self, call: Call) -> None:
        state = to_arrays(self.generator.get_state())
        call.result = self.process.handle.act.remote(call.version, call.weights, state)
        call.sent = time.monotonic()
        self.call = call
