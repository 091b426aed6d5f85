"""The runtime of one process: an actor, and a second thread where ``run.threads`` allows it.

What is hosted and what acts beside the policy learner share nothing with it until an update ends. So they can run on
the second thread or in turn, with the same result, bit for bit.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import torch
from torch import Tensor

from limner.data.picture_source import PictureSource
from limner.training.actor import Actor
from limner.training.config import TrainingConfig
from limner.training.part import Part, Snapshot, prefixed, within
from limner.training.policy_learner import Scalars
from limner.training.runtime import Result, Runtime


class LocalRuntime(Runtime):
    """Makes each batch beside the update before it, with the weights published until then; or after it."""

    def __init__(self, kind: type[Actor], config: TrainingConfig, source: PictureSource, beside: bool) -> None:
        """``beside``: whether a batch is made while the policy learns from the one before, or afterwards."""
        self.config, self.source, self.beside = config, source, beside
        self.actor = kind(config, source)
        self.hosted: list[LocalObject] = []
        self.batch: Any = None
        self.next: Result | None = None
        threads = config.run.threads
        self.thread = ThreadPoolExecutor(1, "other side", torch.set_num_threads, (1,)) if threads > 1 else None

    def publish(self, weights: Mapping[str, Tensor]) -> Scalars:
        """As ``Runtime.publish``."""
        figures: Scalars = {}
        if self.next is not None:
            (self.batch, figures), self.next = self.next.result(), None
        self.actor.set_weights(weights)
        if not self.beside and not self.actor.once:
            self.batch, figures = self._act()
        return figures

    def begin(self) -> None:
        """As ``Runtime.begin``."""
        self.batch, _ = self._act()

    def take(self) -> Any:
        """As ``Runtime.take``."""
        if self.batch is None:
            self.begin()
        if self.beside and not self.actor.once:
            self.next = self.submit(self._act)
        return self.batch

    def host(self, kind: type[Part]) -> "LocalObject":
        """As ``Runtime.host``."""
        make: Any = kind
        self.hosted.append(LocalObject(make(self.config, self.source), self))
        return self.hosted[-1]

    def submit(self, work: Callable[[], Any]) -> Result:
        """As ``Runtime.submit``."""
        return super().submit(work) if self.thread is None else self.thread.submit(work)

    def generators(self) -> dict[str, torch.Generator]:
        """As ``Runtime.generators``."""
        return self.actor.generators()

    def tensors(self) -> dict[str, Tensor]:
        """As ``Runtime.tensors``."""
        batch = {} if self.batch is None else self.actor.pack(self.batch)
        return prefixed(self.actor.prefix, batch) | self.actor.tensors()

    def counters(self) -> dict[str, float]:
        """As ``Runtime.counters``."""
        return self.actor.counters()

    def begin_snapshots(self) -> list[Callable[[], Snapshot]]:
        """As ``Runtime.begin_snapshots``."""
        return [hosted.call("snapshot").result for hosted in self.hosted]

    def restore(
        self, weights: Mapping[str, Tensor], tensors: Mapping[str, Tensor], counters: Mapping[str, float]
    ) -> None:
        """As ``Runtime.restore``."""
        self.actor.set_weights(weights)
        batch = within(tensors, self.actor.prefix)
        self.batch = self.actor.unpack([batch], str(self.actor.generator.device)) if batch else None
        self.actor.load(tensors, counters)

    def close(self) -> None:
        """As ``Runtime.close``."""
        if self.thread is not None:
            self.thread.shutdown(cancel_futures=True)
        self.hosted.clear()  # each refers to this runtime: what they hold would stay until garbage is collected

    def _act(self) -> tuple[Any, Scalars]:
        started = time.perf_counter()
        batch, figures = self.actor.act()
        return batch, figures | {"seconds/acting": time.perf_counter() - started}


class LocalObject:
    """Implements ``Hosted``."""

    def __init__(self, part: Part, runtime: Runtime) -> None:
        self.part, self.runtime = part, runtime

    def call(self, method: str, *arguments: Any) -> Result:
        """As ``Hosted.call``."""
        return self.runtime.submit(partial(getattr(self.part, method), *arguments))
