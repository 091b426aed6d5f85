"""Replayed rollouts: actors that paint one batch and give the same ever after, to load the learner to its limit.

One process can stand for any number of actors: the learner calls each as if it had a process of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from limner.agents.agent import make_policy
from limner.data.picture_source import PictureSource
from limner.training.actor_critic import EpisodeActor
from limner.training.part import make_generator
from limner.training.policy_learner import Scalars
from limner.training.runtime import make_runtime
from limner.training.runtime.remote_actor import RemoteActor
from limner.training.spiral.trainer import SpiralTrainer


class ReplayingActor(EpisodeActor):
    """Paints a batch once, and gives it again and again."""

    def __init__(self, config: Any, source: PictureSource) -> None:
        super().__init__(config, source)
        self.recorded: tuple[Any, Scalars] | None = None

    @classmethod
    def shares(cls, config: Any, count: int) -> list[Any]:
        """As ``Actor.shares``, but of one process alone, which stands for all."""
        return super().shares(config, count)[:1]

    def act(self) -> tuple[Any, Scalars]:
        """As ``Actor.act``."""
        if self.recorded is None:
            self.recorded = super().act()
        return self.recorded


class ReplayingTrainer(SpiralTrainer):
    """Learns from replayed rollouts, which come by Ray."""

    actor_type = ReplayingActor

    def __init__(self, config: Any, source: PictureSource) -> None:
        super().__init__(config, source)
        stand_for_all(self.runtime)


class OnceActor(EpisodeActor):
    """Paints the only batch there is."""

    once = True


class FixedTrainer(SpiralTrainer):
    """Learns from one batch, which nobody sends: the learner alone."""

    actor_type = OnceActor


def stand_for_all(runtime: Any) -> None:
    """Have the one process of the actors of ``runtime``, on Ray, stand for as many as its options say."""
    process, seed = runtime.actors[0].process, runtime.config.run.seed
    runtime.actors = [RemoteActor(process, make_generator("acting", seed)) for _ in range(runtime.options.actors)]


@contextmanager
def replaying(config: Any, source: PictureSource) -> Iterator[Any]:
    """A runtime of replaying actors, which have weights, without a learner; closed at the end."""
    with closing(make_runtime(ReplayingActor, config, source, beside=True)) as runtime:
        stand_for_all(runtime)
        runtime.publish(make_policy(config.agent).state_dict())
        yield runtime
