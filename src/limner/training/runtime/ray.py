"""The runtime on Ray: actors, and what learns beside the policy, are processes of a cluster.

Notable choices:
- A batch is made from weights and the state of a random generator, both given with the call. So a process can be
  replaced at any time: its calls are repeated by a new one with the same result, and no batch counts twice.
- An actor makes one batch at a time, and begins the next when its batch is taken: the learner's pace holds actors
  back, and no more batches wait than there are actors. Two calls an actor were slower on two cores, and older.
- Weights go out by one ``ray.put`` a version. Every batch has the version that made it; older ones than ``max_lag``
  updates are dropped.
- What learns beside a policy on a GPU lives in this process: the GPU, and all that is learnt from, are here already.
- What is not answered for long is taken to hang, and is replaced.
"""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from limner.data.picture_source import PictureSource
from limner.training.actor import Actor
from limner.training.config import RayConfig, TrainingConfig
from limner.training.part import Part, Snapshot, make_generator, prefixed, within
from limner.training.policy_learner import Scalars
from limner.training.runtime import Runtime
from limner.training.runtime.cluster import Cluster
from limner.training.runtime.local import LocalObject
from limner.training.runtime.process import Process, to_arrays
from limner.training.runtime.ray_object import RayObject
from limner.training.runtime.remote_actor import Call, RemoteActor

MEMORY = 1000
"""Batches whose lag the log's figures are about."""


class RayRuntime(Runtime):
    """Actors on Ray."""

    def __init__(self, kind: type[Actor], config: TrainingConfig, options: RayConfig, source: PictureSource) -> None:
        self.kind, self.config, self.options, self.source = kind, config, options, source
        self.device = getattr(config, "device", "cpu")
        self.hosted_lag = 0 if options.lockstep or self.device == "cuda" else 1
        shares = kind.shares(config, options.actors)
        self.cluster = Cluster(options, len(shares) + 1)
        self.actors = [
            RemoteActor(Process(kind, share, self.cluster), _generator(config.run.seed, i))
            for i, share in enumerate(shares)
        ]
        self.hosted: list[RayObject | LocalObject] = []
        self.version, self.weights = 0, None
        self.batch: Any = None
        self.only: Any = None  # the batch of actors that make only one
        self.lags: deque[int] = deque(maxlen=MEMORY)
        self.dropped, self.longest = 0, 0.0
        self.figures: Scalars = {}

    def publish(self, weights: Mapping[str, Tensor]) -> Scalars:
        """As ``Runtime.publish``."""
        if self.options.lockstep and any(actor.call for actor in self.actors):
            self.batch = self._gather()
        self.version += 1
        self.weights = self.cluster.ray.put(to_arrays(weights))
        return self.figures

    def begin(self) -> None:
        """As ``Runtime.begin``."""
        self.batch = self.only = None
        for actor in self.actors:
            actor.call = None

    def take(self) -> Any:
        """As ``Runtime.take``."""
        if self.only is not None:
            return self.only
        if not self.options.lockstep:
            self._begin_all()
            return self._gather()
        if self.batch is None:
            self._begin_all()
            self.batch = self._gather()
        batch, self.batch = self.batch, None
        if self.only is None:
            self._begin_all()
        return batch

    def host(self, kind: type[Part]) -> RayObject | LocalObject:
        """As ``Runtime.host``: in a process of the cluster; where the device is a GPU in this one."""
        make: Any = kind
        here = self.device == "cuda"
        hosted = (
            LocalObject(make(self.config, self.source), self) if here else RayObject(kind, self.config, self.cluster)
        )
        self.hosted.append(hosted)
        return hosted

    def generators(self) -> dict[str, torch.Generator]:
        """As ``Runtime.generators``."""
        return {f"acting.{i}" if i else "acting": actor.generator for i, actor in enumerate(self.actors)}

    def tensors(self) -> dict[str, Tensor]:
        """As ``Runtime.tensors``."""
        return {} if self.batch is None else prefixed(self.kind.prefix, self.kind.pack(self.batch))

    def counters(self) -> dict[str, float]:
        """As ``Runtime.counters``."""
        return {"version": self.version, "dropped": self.dropped}

    def begin_snapshots(self) -> list[Callable[[], Snapshot]]:
        """As ``Runtime.begin_snapshots``."""
        keeping = self.actors if self.kind.keeps else []
        kept = [actor.begin_snapshot(f"actor.{i}") for i, actor in enumerate(keeping)]
        return [*kept, *(hosted.call("snapshot").result for hosted in self.hosted)]

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
            actor.restore(Snapshot(within(tensors, start[:-1]), numbers))

    def close(self) -> None:
        """As ``Runtime.close``."""
        for process in self._processes:
            self.cluster.ray.kill(process.handle)
        self.cluster.close()

    @property
    def _processes(self) -> list[Process]:
        """Of actors and of what is hosted."""
        hosted = [hosted.process for hosted in self.hosted if isinstance(hosted, RayObject)]
        return [*(actor.process for actor in self.actors), *hosted]

    def _begin_all(self) -> None:
        """Have every actor make a batch."""
        for actor in self.actors:
            if actor.call is None:
                actor.begin(self.weights, self.version)

    def _gather(self) -> Any:
        """As many batches as there are actors, put together: those that are ready first; in lockstep one of each."""
        parts: list[dict[str, Tensor]] = []
        lags: list[int] = []
        ready: list[RemoteActor] = [*self.actors] if self.options.lockstep else []
        seconds, figures = 0.0, Scalars()
        while len(parts) < len(self.actors):
            ready = ready or self._ready()
            actor = ready.pop(0)
            call, tensors, figures = self._finish(actor)
            lag = self.version - call.version
            if not self.options.lockstep:
                actor.begin(self.weights, self.version)
                if lag > self.options.max_lag:
                    self.dropped += 1
                    continue
            lags.append(lag)
            seconds += figures["seconds/acting"]
            parts.append(tensors)
        batch = self.kind.unpack(parts, self.device)
        if figures.pop("once"):
            self.only = batch
        self.lags += lags
        self.lag = max(lags)
        self.figures = figures | {"seconds/acting": seconds / len(parts)} | self._measures(lags)
        return batch

    def _ready(self) -> list[RemoteActor]:
        """Actors whose calls are done or have failed, in the order they were sent in; or one whose call hangs."""
        calls = sorted(((a.call.sent, i) for i, a in enumerate(self.actors) if a.call is not None))
        in_turn = [self.actors[i] for _, i in calls]
        waiting = {actor.call.result: actor for actor in in_turn if actor.call is not None}
        while True:
            if self.cluster.ray.wait(list(waiting), num_returns=1, timeout=1.0)[0]:
                done, _ = self.cluster.ray.wait(list(waiting), num_returns=len(waiting), timeout=0)
                return [waiting[reference] for reference in done]
            for actor in in_turn:
                if actor.call is not None and actor.hangs(actor.call, self.longest):
                    return [actor]

    def _finish(self, actor: RemoteActor) -> tuple[Call, dict[str, Tensor], Scalars]:
        """The call of an actor when it is done; its process is replaced when it has ended or hangs."""
        errors = self.cluster.ray.exceptions
        while True:
            call = actor.call
            assert call is not None, "an actor whose batch is waited for makes one"
            try:
                if self.cluster.ray.wait([call.result], num_returns=1, timeout=1.0)[0]:
                    tensors, figures = actor.finish(call)
                    self.longest = max(self.longest, figures["seconds/acting"])
                    return call, tensors, figures
                if actor.hangs(call, self.longest):
                    actor.replace(TimeoutError("a batch takes too long"))
            except errors.RayTaskError as error:
                raise error.as_instanceof_cause() from None
            except errors.RayError as error:
                actor.replace(error)

    def _measures(self, lags: list[int]) -> Scalars:
        """Figures of the log: lag in updates, finished batches that wait, batches dropped and processes restarted."""
        calls = [actor.call.result for actor in self.actors if actor.call is not None]
        waiting = len(self.cluster.ray.wait(calls, num_returns=len(calls), timeout=0)[0]) if calls else 0
        return {
            "runtime/lag": float(np.mean(lags)),
            "runtime/lag_p99": float(np.quantile(self.lags, 0.99)),
            "runtime/waiting": waiting,
            "runtime/dropped": self.dropped,
            "runtime/restarts": sum(process.restarts for process in self._processes),
        }


def _generator(seed: int, number: int) -> torch.Generator:
    """The generator of an actor: of the first one that of an actor in one process."""
    if number == 0:
        return make_generator("acting", seed)
    seeds = np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(seeds[0] >> np.uint64(1)))
