"""Processes of a Ray cluster: a ``Part`` in each of them."""

import os
import time
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from torch import Tensor

from limner.data import load_dataset
from limner.data.picture_source import PictureSource
from limner.training.config import TrainingConfig
from limner.training.part import Part
from limner.training.policy_learner import Scalars
from limner.training.runtime.cluster import Cluster, expect_version

MOST_RESTARTS = 5
"""Restarts of a process, without anything that it finished in between, after which training stops."""
PATIENCE = 300.0
"""Seconds without a result after which what is hosted is taken to hang."""
Arrays = dict[str, np.ndarray[Any, Any]]


class Process:
    """A process of the cluster, which can be replaced by another one."""

    def __init__(self, kind: Any, config: TrainingConfig, cluster: Cluster) -> None:
        self.kind, self.config, self.cluster = kind, config, cluster
        self.restarts = self.in_a_row = 0
        self.handle: Any = self._start()

    def restart(self, error: Exception) -> None:
        """End the process, which failed with ``error`` or hangs, and start another one.

        ``ValueError`` where it could not start; ``RuntimeError`` when it ends again and again.
        """
        if getattr(error, "actor_init_failed", False):
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            raise ValueError(f"a process of the cluster cannot start: {lines[-1]}") from None
        self.restarts += 1
        self.in_a_row += 1
        if self.in_a_row > MOST_RESTARTS:
            raise RuntimeError(f"a process of the cluster has ended {self.in_a_row} times without a result: {error}")
        self.cluster.ray.kill(self.handle)
        self.handle = self._start()

    def _start(self) -> Any:
        remote = self.cluster.ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(Worker)
        return remote.remote(self.kind, self.config, version("limner"))


class Worker:
    """What a process executes."""

    def __init__(self, kind: Any, config: TrainingConfig, wanted: str) -> None:
        expect_version(wanted)
        data = load_dataset(config.run.data)
        self.part = kind(config, PictureSource(data, config.agent.renderer.canvas))
        self.number = -1

    def process_number(self) -> int:
        """Of the operating system."""
        return os.getpid()

    def call(self, method: str, *arguments: Any) -> Any:
        """The result of a method of the part."""
        return getattr(self.part, method)(*arguments)

    def act(self, number: int, weights: Arrays, generator: Any) -> tuple[Arrays, Scalars, Any]:
        """A batch made with ``weights`` of version ``number``, from this state of the generator.

        Its tensors, its figures, and the state of the generator afterwards.
        """
        started = time.perf_counter()
        actor: Any = self.part
        if number != self.number:
            actor.set_weights({name: torch.from_numpy(np.array(array)) for name, array in weights.items()})
            self.number = number
        actor.generator.set_state(torch.from_numpy(np.array(generator)))
        batch, figures = actor.act()
        arrays = {name: tensor.cpu().numpy() for name, tensor in actor.pack(batch).items()}
        figures |= {"seconds/acting": time.perf_counter() - started, "once": actor.once}
        return arrays, figures, actor.generator.get_state().numpy()


class RayObject:
    """Implements ``Hosted``. After its process has ended it goes on from the last saved state and the last weights."""

    def __init__(self, kind: type[Part], config: TrainingConfig, cluster: Cluster) -> None:
        self.process, self.cluster = Process(kind, config, cluster), cluster
        self.state: dict[str, Tensor] | None = None
        self.counters: dict[str, float] = {}
        self.weights: Mapping[str, Tensor] | None = None

    def call(self, method: str, *arguments: Any) -> "RayResult":
        """As ``Hosted.call``."""
        return RayResult(self, method, arguments)

    def returned(self, method: str, arguments: tuple[Any, ...], value: Any) -> None:
        """Remember what the process would be replaced from."""
        self.process.in_a_row = 0
        if method == "state":
            self.state = value
        elif method == "counters":
            self.counters = value
        elif method == "restore":
            self.state, self.counters = dict(arguments[0]), dict(arguments[1])
        elif method == "set_weights":
            (self.weights,) = arguments
        self.weights = getattr(value, "weights", self.weights)

    def replace(self, error: Exception) -> None:
        """Start another process."""
        self.process.restart(error)
        if self.state is not None and self.counters:
            self.process.handle.call.remote("restore", self.state, self.counters)
        if self.weights is not None:
            self.process.handle.call.remote("set_weights", self.weights)


class RayResult:
    """Implements ``Result``."""

    def __init__(self, hosted: RayObject, method: str, arguments: tuple[Any, ...]) -> None:
        self.hosted, self.method, self.arguments = hosted, method, arguments
        self._send()

    def result(self) -> Any:
        """As ``Result.result``. A call is repeated when the process ends before it returns, or hangs."""
        errors = self.hosted.cluster.ray.exceptions
        while True:
            try:
                value = self.hosted.cluster.ray.get(self.reference, timeout=PATIENCE)
            except errors.RayTaskError as error:
                raise error.as_instanceof_cause() from None
            except (errors.RayActorError, errors.GetTimeoutError) as error:
                self.hosted.replace(error)
                self._send()
            else:
                self.hosted.returned(self.method, self.arguments, value)
                return value

    def _send(self) -> None:
        self.reference = self.hosted.process.handle.call.remote(self.method, *self.arguments)
