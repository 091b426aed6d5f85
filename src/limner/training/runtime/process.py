"""Processes of a Ray cluster: a ``Part`` in each of them."""

import os
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from torch import Tensor

from limner.data import load_dataset
from limner.data.picture_source import PictureSource
from limner.training.config import TrainingConfig
from limner.training.policy_learner import Scalars
from limner.training.runtime.cluster import Cluster, expect_version

MOST_RESTARTS = 5
"""Restarts of a process, without anything that it finished in between, after which training stops."""
Arrays = dict[str, np.ndarray[Any, Any]]


class Process:
    """A process of the cluster, which can be replaced by another one."""

    def __init__(self, kind: Any, config: TrainingConfig, cluster: Cluster) -> None:
        self.kind, self.config, self.cluster = kind, config, cluster
        self.restarts = self.in_a_row = 0
        self.handle: Any = self._start()

    def restart(self, error: Exception) -> None:
        """End the process, which failed with ``error`` or hangs, and start another one.

        ``ValueError`` where it could not start; ``ChildProcessError`` when it ends again and again.
        """
        if getattr(error, "actor_init_failed", False):
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            raise ValueError(f"a process of the cluster cannot start: {lines[-1]}") from None
        self.restarts += 1
        self.in_a_row += 1
        if self.in_a_row > MOST_RESTARTS:
            why = str(error).strip().partition("\n")[0]
            raise ChildProcessError(f"a process of the cluster has ended {self.in_a_row} times without a result: {why}")
        self.cluster.ray.kill(self.handle)
        self.handle = self._start()

    def _start(self) -> Any:
        remote = self.cluster.ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(Worker)
        return remote.remote(self.kind, self.config, version("limner"))


class Worker:
    """What a process executes. Tensors come and go as NumPy arrays, which Ray sends without further copies."""

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
        return to_arrays(getattr(self.part, method)(*map(to_tensors, arguments)))

    def act(self, number: int, weights: Arrays, generator: Any) -> tuple[Arrays, Scalars, Any]:
        """A batch made with ``weights`` of version ``number``, from this state of the generator.

        Its tensors, its figures, and the state of the generator afterwards.
        """
        started = time.perf_counter()
        actor: Any = self.part
        if number != self.number:
            actor.set_weights(to_tensors(weights))
            self.number = number
        actor.generator.set_state(to_tensors(generator))
        batch, figures = actor.act()
        arrays = to_arrays(actor.pack(batch))
        figures |= {"seconds/acting": time.perf_counter() - started, "once": actor.once}
        return arrays, figures, to_arrays(actor.generator.get_state())


def to_arrays(value: Any) -> Any:
    """``value``, mappings and named tuples in depth, with NumPy arrays in place of tensors, whose memory they share."""
    if isinstance(value, Tensor):
        return value.detach().cpu().numpy()
    return _mapped(to_arrays, value)


def to_tensors(value: Any) -> Any:
    """The reverse of ``to_arrays``, but copies, since arrays that Ray gives are not writable."""
    if isinstance(value, np.ndarray):
        return torch.from_numpy(np.array(value))
    return _mapped(to_tensors, value)


def _mapped(function: Callable[[Any], Any], value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: function(x) for name, x in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_make"):
        return value._make(map(function, value))
    return value
