"""Runtimes: where the actors of a training live, and what learns beside the policy.

A trainer knows this interface alone. ``local`` is this process, ``ray`` is a Ray cluster.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from limner.data.picture_source import PictureSource
    from limner.training.actor import Actor
    from limner.training.config import TrainingConfig
    from limner.training.part import Part, Snapshot
    from limner.training.policy_learner import Scalars


class Result(Protocol):
    """What a call will return."""

    def result(self) -> Any:
        """Wait for it; raises what the call raised."""


class Hosted(Protocol):
    """An object that lives beside the policy learner: a ``Part``."""

    def call(self, method: str, *arguments: Any) -> Result:
        """Begin a call of a method. Calls are executed one after the other."""


class Runtime(ABC):
    """Has actors make batches with the weights that were published, and hosts what learns beside the policy."""

    lag: int = 0
    """Updates that the oldest weights behind the batch of this update were behind, if they were more than one."""
    hosted_lag: int = 0
    """Updates that may end before the results of calls of what is hosted are waited for."""

    @abstractmethod
    def publish(self, weights: Mapping[str, Tensor]) -> Scalars:
        """Act with these weights, those of the policy after an update, from now on; figures of the acting."""

    @abstractmethod
    def begin(self) -> None:
        """Make the next batch anew, with the newest weights."""

    @abstractmethod
    def take(self) -> Any:
        """The batch to learn from in this update; it stays as it is until the next is taken."""

    @abstractmethod
    def host(self, kind: type[Part]) -> Hosted:
        """Make an object ``kind(config, source)`` beside the policy learner."""

    def submit(self, work: Callable[[], Any]) -> Result:
        """Do ``work`` of this process on a second thread, if there is one, or at once."""
        done: Future[Any] = Future()
        try:
            done.set_result(work())
        except Exception as error:
            done.set_exception(error)
        return done

    @abstractmethod
    def generators(self) -> dict[str, Generator]:
        """The random generators of the actors, by names that checkpoints use."""

    @abstractmethod
    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint holds of the batch that is next, and of an actor in this process but for its generator."""

    @abstractmethod
    def counters(self) -> dict[str, float]:
        """Numbers that a checkpoint holds of them."""

    @abstractmethod
    def begin_snapshots(self) -> list[Callable[[], Snapshot]]:
        """Begin to copy the state, as it is now, of what is hosted and of actors elsewhere.

        Functions that wait for each copy, in any thread. What is done afterwards does not change it.
        """

    @abstractmethod
    def restore(
        self, weights: Mapping[str, Tensor], tensors: Mapping[str, Tensor], counters: Mapping[str, float]
    ) -> None:
        """Put back what ``tensors`` and ``counters`` gave; act with ``weights`` from now on."""

    @abstractmethod
    def close(self) -> None:
        """End everything that was started."""


def make_runtime(kind: type[Actor], config: TrainingConfig, source: PictureSource, beside: bool) -> Runtime:
    """The runtime of ``config`` with actors of a ``kind``; ``beside`` as ``LocalRuntime``."""
    options: Any = config.run.runtime
    if options.name == "ray":
        from limner.training.runtime.ray import RayRuntime

        return RayRuntime(kind, config, options, source)
    from limner.training.runtime.local import LocalRuntime

    return LocalRuntime(kind, config, source, beside)
