"""The runtime on Ray: actors, and what learns beside the policy, are processes of a cluster.

Notable choices:
- A batch is made from weights and the state of a random generator, both given with the call. So a process can be
  replaced at any time: its calls are repeated by a new one with the same result, and no batch counts twice.
- An actor has at most ``DEPTH`` calls, one being made and one waiting: the learner's pace holds actors back, and what
  is finished and not yet learnt from is bounded. The state of the generator goes from call to call within the cluster.
- Weights go out by one ``ray.put`` a version. Every batch has the version that made it; older ones than ``max_lag``
  updates are dropped.
- What is not answered for long is taken to hang, and is replaced.
"""

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from limner.training.actor import Actor
from limner.training.config import RayConfig, TrainingConfig
from limner.training.part import Part, prefixed, within
from limner.training.policy_learner import Scalars
from limner.training.runtime import Runtime
from limner.training.runtime.cluster import Cluster
from limner.training.runtime.process import Arrays, Process, RayObject

DEPTH = 2
"""Calls that an actor has at a time."""
STARTING = 300.0
"""Seconds that the first batch of a process may take."""
PATIENCE, SLOW = 60.0, 20.0
"""Seconds that another batch may take, or so many times the longest one."""
MEMORY = 1000
"""Batches whose lag the log's figures are about."""


@dataclass
class Call:
    """A batch that an actor is making."""

    version: int
    """Of the weights."""
    weights: Any
    """Reference."""
    batch: Any = None
    """Reference to tensors and figures."""
    after: Any = None
    """Reference to the state of the generator afterwards."""
    sent: float = 0.0


class RemoteActor:
    """An actor in a process of the cluster, its calls, and the generator as it was after the last batch taken."""

    def __init__(self, process: Process, generator: torch.Generator) -> None:
        self.process, self.ray, self.generator = process, process.cluster.ray, generator
        self.calls: deque[Call] = deque()
        self.delivered = 0.0  # when the last batch came; 0 before the first of a process
        self.kept: tuple[dict[str, Tensor], dict[str, float]] = {}, {}

    def begin(self, weights: Any, version: int) -> None:
        """Begin a batch with weights of this version."""
        before = self.calls[-1].after if self.calls else self.generator.get_state().numpy()
        self.calls.append(self._send(Call(version, weights), before))

    def finish(self) -> tuple[Call, Arrays, Scalars]:
        """The oldest call: its tensors and figures; Ray's error where the process is gone."""
        call = self.calls[0]
        (arrays, figures), after = self.ray.get([call.batch, call.after])
        self.generator.set_state(torch.from_numpy(np.array(after)))
        self.calls.popleft()
        self.process.in_a_row, self.delivered = 0, time.monotonic()
        return call, arrays, figures

    def replace(self, error: Exception) -> None:
        """Go on in a new process, which makes the batches of all calls."""
        self.process.restart(error)
        self.delivered = 0.0
        self.restore(*self.kept)
        before: Any = self.generator.get_state().numpy()
        for call in self.calls:
            before = self._send(call, before).after

    def keep(self) -> tuple[dict[str, Tensor], dict[str, float]]:
        """What the actor keeps from batch to batch, its tensors and its counters: a new process goes on from there."""
        if self.process.kind.keeps:
            calls = [self.process.handle.call.remote(method) for method in ("tensors", "counters")]
            self.kept = tuple(self.ray.get(calls))
        return self.kept

    def restore(self, tensors: dict[str, Tensor], counters: dict[str, float]) -> None:
        """Put back what ``keep`` gave."""
        self.kept = tensors, counters
        if counters:
            self.process.handle.call.remote("load", tensors, counters)

    def hangs(self, longest: float) -> bool:
        """Whether the oldest call has taken too long, where ``longest`` is the longest time that a batch took."""
        limit = max(PATIENCE, SLOW * longest) if self.delivered else STARTING
        return bool(self.calls) and time.monotonic() - max(self.delivered, self.calls[0].sent) > limit

    def _send(self, call: Call, before: Any) -> Call:
        act = self.process.handle.act.options(num_returns=2)
        call.batch, call.after = act.remote(call.version, call.weights, before)
        call.sent = time.monotonic()
        return call


class RayRuntime(Runtime):
    """Actors on Ray."""

    def __init__(self, kind: type[Actor], config: TrainingConfig, options: RayConfig) -> None:
        self.kind, self.config, self.options = kind, config, options
        self.device = getattr(config, "device", "cpu")
        shares = kind.shares(config, options.actors)
        self.cluster = Cluster(options, len(shares) + 1)
        self.actors = [
            RemoteActor(Process(kind, share, self.cluster), _generator(config.run.seed, i))
            for i, share in enumerate(shares)
        ]
        self.hosted: list[RayObject] = []
        self.version, self.weights = 0, None
        self.batch: Any = None
        self.only: Any = None  # the batch of actors that make only one
        self.lags: deque[int] = deque(maxlen=MEMORY)
        self.dropped, self.longest = 0, 0.0
        self.figures: Scalars = {}

    def publish(self, weights: Mapping[str, Tensor]) -> Scalars:
        """As ``Runtime.publish``."""
        if self.options.lockstep and any(actor.calls for actor in self.actors):
            self.batch = self._gather()
        self.version += 1
        arrays = {name: tensor.detach().cpu().numpy() for name, tensor in weights.items()}
        self.weights = self.cluster.ray.put(arrays)
        return self.figures

    def begin(self) -> None:
        """As ``Runtime.begin``."""
        self.batch = self.only = None
        for actor in self.actors:
            actor.calls.clear()

    def take(self) -> Any:
        """As ``Runtime.take``."""
        if self.only is not None:
            return self.only
        if not self.options.lockstep:
            self._begin_all(DEPTH)
            return self._gather()
        if self.batch is None:
            self._begin_all(1)
            self.batch = self._gather()
        batch, self.batch = self.batch, None
        if self.only is None:
            self._begin_all(1)
        return batch

    def host(self, kind: type[Part]) -> RayObject:
        """As ``Runtime.host``."""
        self.hosted.append(RayObject(kind, self.config, self.cluster))
        return self.hosted[-1]

    def generators(self) -> dict[str, torch.Generator]:
        """As ``Runtime.generators``."""
        return {f"acting.{i}" if i else "acting": actor.generator for i, actor in enumerate(self.actors)}

    def tensors(self) -> dict[str, Tensor]:
        """As ``Runtime.tensors``."""
        tensors = {} if self.batch is None else prefixed(self.kind.prefix, self.kind.pack(self.batch))
        for i, actor in enumerate(self.actors):
            tensors |= prefixed(f"actor.{i}", actor.keep()[0])
        return tensors

    def counters(self) -> dict[str, float]:
        """As ``Runtime.counters``."""
        counters: dict[str, float] = {"version": self.version, "dropped": self.dropped}
        for i, actor in enumerate(self.actors):
            counters |= {f"actor.{i}.{name}": number for name, number in actor.keep()[1].items()}
        return counters

    def restore(
        self, weights: Mapping[str, Tensor], tensors: Mapping[str, Tensor], counters: Mapping[str, float]
    ) -> None:
        """As ``Runtime.restore``."""
        self.begin()
        self.publish(weights)
        self.version, self.dropped = int(counters["version"]), int(counters["dropped"])
        if batch := within(tensors, self.kind.prefix):
            self.batch = self.kind.unpack([batch], self.device)
        for i, actor in enumerate(self.actors):
            start = f"actor.{i}."
            numbers = {name.removeprefix(start): x for name, x in counters.items() if name.startswith(start)}
            actor.restore(within(tensors, start[:-1]), numbers)

    def close(self) -> None:
        """As ``Runtime.close``."""
        for process in [*(actor.process for actor in self.actors), *(hosted.process for hosted in self.hosted)]:
            self.cluster.ray.kill(process.handle)
        self.cluster.close()

    def _begin_all(self, depth: int) -> None:
        """Give every actor ``depth`` calls."""
        for actor in self.actors:
            while len(actor.calls) < depth:
                actor.begin(self.weights, self.version)

    def _gather(self) -> Any:
        """As many batches as there are actors, put together: those that are ready first; in lockstep one of each."""
        parts: list[dict[str, Tensor]] = []
        lags: list[int] = []
        seconds, figures = 0.0, Scalars()
        while len(parts) < len(self.actors):
            actor = self.actors[len(parts)] if self.options.lockstep else self._ready()
            call, arrays, figures = self._finish(actor)
            lag = self.version - call.version
            if not self.options.lockstep:
                actor.begin(self.weights, self.version)
            if lag > self.options.max_lag and not self.options.lockstep:
                self.dropped += 1
                continue
            lags.append(lag)
            seconds += figures["seconds/acting"]
            parts.append({name: torch.from_numpy(np.array(array)) for name, array in arrays.items()})
        batch = self.kind.unpack(parts, self.device)
        if figures.pop("once"):
            self.only = batch
        self.lags += lags
        self.figures = figures | {"seconds/acting": seconds / len(parts)} | self._measures(lags)
        return batch

    def _ready(self) -> RemoteActor:
        """An actor whose oldest call is done, or has failed."""
        oldest = {actor.calls[0].batch: actor for actor in self.actors if actor.calls}
        while True:
            ready, _ = self.cluster.ray.wait(list(oldest), num_returns=1, timeout=1.0)
            if ready:
                return oldest[ready[0]]
            for actor in self.actors:
                if actor.hangs(self.longest):
                    return actor

    def _finish(self, actor: RemoteActor) -> tuple[Call, Arrays, Scalars]:
        """The oldest call of an actor, which is replaced when its process has ended or hangs."""
        errors = self.cluster.ray.exceptions
        while True:
            try:
                ready, _ = self.cluster.ray.wait([actor.calls[0].batch], num_returns=1, timeout=1.0)
                if ready:
                    call, arrays, figures = actor.finish()
                    self.longest = max(self.longest, figures["seconds/acting"])
                    return call, arrays, figures
                if actor.hangs(self.longest):
                    actor.replace(TimeoutError("a batch takes too long"))
            except errors.RayTaskError as error:
                raise error.as_instanceof_cause() from None
            except errors.RayError as error:
                actor.replace(error)

    def _measures(self, lags: list[int]) -> Scalars:
        """Figures of the log: lag in updates, finished batches that wait, batches dropped and processes restarted."""
        calls = [call.batch for actor in self.actors for call in actor.calls]
        waiting = len(self.cluster.ray.wait(calls, num_returns=len(calls), timeout=0)[0]) if calls else 0
        processes = [*(actor.process for actor in self.actors), *(hosted.process for hosted in self.hosted)]
        return {
            "runtime/lag": float(np.mean(lags)),
            "runtime/lag_p99": float(np.quantile(self.lags, 0.99)),
            "runtime/waiting": waiting,
            "runtime/dropped": self.dropped,
            "runtime/restarts": sum(process.restarts for process in processes),
        }


def _generator(seed: int, number: int) -> torch.Generator:
    """The generator of an actor: of the first one that of an actor in one process."""
    seeds = np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(seeds[0] >> np.uint64(1)) if number else seed * 3)
