"""Actors: they make what the policy learns from, batches of episodes or of demonstrations."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from limner.agents.agent import make_policy
from limner.data.picture_source import PictureSource
from limner.training.config import LocalConfig, RunConfig, TrainingConfig
from limner.training.device import prepare
from limner.training.part import Part, Snapshot, make_generator
from limner.training.policy_learner import Scalars


def share_runs(run: RunConfig, count: int) -> list[RunConfig]:
    """The runs of ``count`` processes that together have its episodes, each of one thread and in one process."""
    sizes = [(run.episodes + i) // count for i in range(count)]
    return [replace(run, episodes=size, threads=1, runtime=LocalConfig()) for size in sizes]


class Actor(Part):
    """A renderer, a copy of the policy, and the random generator of acting.

    A batch is made from weights and the state of the generator alone, but for what a subclass keeps (``tensors``).
    """

    prefix: ClassVar[str]
    """Of the tensors of a batch in checkpoints."""
    keeps: ClassVar[bool] = False
    """Whether the actor itself has tensors and counters, which decide later batches."""
    once = False
    """Whether the first batch is the only one."""

    def __init__(self, config: TrainingConfig, source: PictureSource) -> None:
        """``source``: the pictures of the data; ``ValueError`` when these do not fit the canvas."""
        run, device = config.run, getattr(config, "device", "cpu")
        prepare(device)
        self.config, self.source = config, source
        self.renderer = config.agent.make_renderer(run.episodes, run.threads)
        if not len(source) or source.shape != self.renderer.shape:
            raise ValueError(
                f"pictures of {source.data.name!r} are {len(source)} of {list(source.shape)}, canvases "
                f"{list(self.renderer.shape)}: choose renderer settings that fit the data"
            )
        with torch.random.fork_rng(devices=[]):
            self.policy = make_policy(config.agent).to(device).requires_grad_(False)
        self.generator = make_generator("acting", run.seed, device)

    @classmethod
    def shares(cls, config: Any, count: int) -> list[Any]:
        """The configurations of ``count`` actors that together make the batches of ``config``."""
        raise NotImplementedError(f"{cls.__name__} cannot be shared")

    def set_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Act with these weights from now on."""
        self.policy.load_state_dict(weights)

    @abstractmethod
    def act(self) -> tuple[Any, Scalars]:
        """Make a batch; and figures of it. The batch stays as it is while the next one is made."""

    @classmethod
    @abstractmethod
    def pack(cls, batch: Any) -> dict[str, Tensor]:
        """A batch as named tensors, without copies."""

    @classmethod
    @abstractmethod
    def unpack(cls, parts: Sequence[Mapping[str, Tensor]], device: str) -> Any:
        """One batch, on ``device``, of one or more that were packed."""

    def kept(self) -> Snapshot:
        """What the actor keeps from batch to batch, not copied."""
        return Snapshot(self.tensors(), self.counters())

    def generators(self) -> dict[str, torch.Generator]:
        """That of acting."""
        return {"acting": self.generator}
