"""A cost model of training on many actors: from what the parts of an update cost to frames per second.

The parts run side by side and wait for each other once an update, so an update takes as long as its slowest stage: an
actor's process, the learner's, the critic's, or the network of the learner's machine. Where all share the cores of one
machine, it takes at least the sum of all work divided by the number of cores; Ray's own threads and processes, which
run beside on other cores elsewhere, count there. A frame is an environment step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.optimize import nnls

FEWEST = 2
"""Episodes that an actor makes at least."""
Stages = dict[str, dict[str, float]]
"""Seconds an update by stage and part."""


@dataclass(frozen=True)
class Line:
    """A cost that grows with the number of episodes."""

    fixed: float
    episode: float
    """For each of them."""

    def __call__(self, episodes: float) -> float:
        """The cost of so many episodes."""
        return self.fixed + self.episode * episodes


@dataclass(frozen=True)
class Costs:
    """What the parts cost: seconds of CPU time and bytes. A batch is what one actor makes for an update."""

    horizon: int
    """Frames in an episode."""
    episodes: int
    """In an update, where each actor then makes two or more."""
    acting: Line
    """Of a batch."""
    sending: Line
    """In the actor's process, of a batch: packing it and handing it to Ray."""
    receiving: Line
    """In the learner's process, of a batch: asking for it, unpacking it, joining it to others."""
    ray: Line
    """In Ray's own threads and processes, of a batch."""
    publishing: float
    """In the learner's process, of an update: giving its weights to Ray."""
    fetching: float
    """In the actor's process, of a batch: taking them."""
    scoring: Line
    """Of an update."""
    policy: Line
    """Of an update: what the policy learner does."""
    critic: float
    """Of an update: what the critic learner does."""
    critic_sending: float
    """In the critic's process, of an update: taking pictures, giving weights and, now and then, its state."""
    critic_receiving: float
    """In the learner's process, of an update: the other side of this."""
    critic_ray: float
    """In Ray's own threads and processes, of an update of the critic."""
    batch_bytes: Line
    """Of a batch."""
    call_bytes: int
    """Sent to an actor with each call."""
    weight_bytes: int
    """Of the policy."""
    picture_bytes: int
    """Sent to the critic for each episode."""
    critic_bytes: float
    """Sent by the critic for each update."""

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Costs:
        """The reverse of ``to_dict``."""
        lines = {name: Line(**value) for name, value in values.items() if isinstance(value, dict)}
        return cls(**(values | lines))


@dataclass(frozen=True)
class Machines:
    """What training runs on."""

    cores: int | None = None
    """Of the one machine that all share. None: a cluster, where each process has a core of its own."""
    gpu: float | None = None
    """How many times as fast as measured policy and critic learn and score on a GPU, both in the learner's process."""
    fewest: int = FEWEST
    """Episodes that an actor makes at least."""
    bandwidth: float = 1.25e9
    """Of the network of the learner's machine, bytes per second each way."""
    actors_each: int = 16
    """Actors on a machine: they share one copy of the weights."""


@dataclass(frozen=True)
class Prediction:
    """What a number of actors comes to."""

    actors: int
    episodes: float
    """In an update."""
    frames_per_second: float
    bottleneck: str
    """The slowest stage."""
    largest: str
    """The part of it that takes the most time."""
    stages: Stages


def fit(points: Mapping[int, float]) -> Line:
    """The line through costs by number of episodes with the least squares of relative errors; never falling."""
    rows = np.array([[1.0, episodes] for episodes in points])
    costs = np.array(list(points.values()))
    (fixed, episode), _ = nnls(rows / costs[:, None], np.ones(len(costs)))
    return Line(float(fixed), float(episode))


def predict(costs: Costs, actors: int, machines: Machines) -> Prediction:
    """Frames per second of so many actors, and what they are limited by."""
    each = max(machines.fewest, costs.episodes / actors)
    found = stages(costs, actors, each, machines)
    bottleneck = max(found, key=lambda stage: sum(found[stage].values()))
    parts = found[bottleneck]
    speed = actors * each * costs.horizon / sum(parts.values())
    return Prediction(actors, actors * each, speed, bottleneck, max(parts, key=lambda part: parts[part]), found)


def stages(costs: Costs, actors: int, each: float, machines: Machines) -> Stages:
    """What an update takes in each stage, where actors make ``each`` episodes."""
    episodes = actors * each
    actor = {
        "acting": costs.acting(each),
        "sending batches": costs.sending(each),
        "fetching weights": costs.fetching,
    }
    speed = machines.gpu or 1.0
    learner = {
        "policy learning": costs.policy(episodes) / speed,
        "scoring": costs.scoring(episodes) / speed,
        "receiving batches": actors * costs.receiving(each),
        "publishing weights": costs.publishing,
    }
    critic = {"critic learning": costs.critic / speed}
    if machines.gpu is None:
        learner["receiving from the critic"] = costs.critic_receiving
        critic["sending to the learner"] = costs.critic_sending
    else:
        learner |= critic
        critic = {}
    found = {"actor": actor, "learner": learner, "critic": critic}
    if machines.cores is not None:
        ray = {"passing on batches": actors * costs.ray(each), "passing on the critic": costs.critic_ray}
        work = {part: actors * seconds for part, seconds in actor.items()} | learner | critic | ray
        return found | {"cores": {part: seconds / machines.cores for part, seconds in work.items()}}
    received = {"batches": actors * costs.batch_bytes(each)}
    sent: dict[str, float] = {
        "weights": -(-actors // machines.actors_each) * costs.weight_bytes,
        "calls": actors * costs.call_bytes,
    }
    if machines.gpu is None:
        received["critic"] = costs.critic_bytes
        sent["pictures"] = episodes * costs.picture_bytes
    return found | {
        "network in": {part: size / machines.bandwidth for part, size in received.items()},
        "network out": {part: size / machines.bandwidth for part, size in sent.items()},
    }


REMEDIES = {
    "acting": "more actors",
    "policy learning": "a GPU",
    "scoring": "a GPU",
    "critic learning": "a GPU, or fewer steps of the critic an update",
    "receiving batches": "more episodes an actor; canvases as bytes",
    "batches": "canvases as bytes",
    "weights": "hand weights on from machine to machine",
}
"""What to do where a part is the largest of the slowest stage; for the others larger updates, which have them less."""
