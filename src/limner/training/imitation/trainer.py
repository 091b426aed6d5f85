"""Imitation, top to bottom: expert → demonstrations → policy.

In an update the policy learns from demonstrations while the expert prepares new ones. Those of a file are made once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from limner.agents.rollout import EpisodeBatch, replay
from limner.data.picture_source import PictureSource
from limner.models.policy import Policy
from limner.training.actor import Actor, share_runs
from limner.training.buffers import RingBuffer
from limner.training.imitation.config import FileExpert, ImitationConfig, JointExpert, SearchExpert
from limner.training.imitation.experts import EXPERTS
from limner.training.part import within
from limner.training.policy_learner import PolicyLearner, Scalars
from limner.training.trainer import Trainer
from limner.worlds.observation import Observation, whole_episodes


class Demonstrations(RingBuffer):
    """The last episodes, with the expert's action for each of their steps. Pictures are kept as bytes: a quarter."""

    def __init__(self, capacity: int, like: Mapping[str, Tensor]) -> None:
        """Room for ``capacity`` episodes, whose rows are like those of ``like``: see ``rows_of``."""
        super().__init__(capacity, like, "demonstrations")

    def add_episodes(self, episodes: EpisodeBatch, expert: Tensor) -> None:
        """Add episodes with the expert's actions ``int64[T, B, P]`` in place of the oldest."""
        self.add(rows_of(episodes, expert))

    def sample_episodes(self, count: int, generator: torch.Generator) -> tuple[Observation, Tensor]:
        """``count`` episodes drawn with replacement: what was observed, and expert actions ``int64[T, count, P]``."""
        rows = {name: tensor.transpose(0, 1) for name, tensor in self.sample(count, generator).items()}
        target, noise = (rows[name].transpose(0, 1) for name in ("target", "noise"))
        observed, actions = rows["observed"].float() / 255, rows["actions"].long()
        return whole_episodes(observed, target.float() / 255, rows["pen"], actions, noise), rows["expert"].long()


class ImitationLearner(PolicyLearner):
    """Learns what an expert does."""

    def step(self, demonstrations: Demonstrations, steps: int, batch_size: int, progress: float) -> Scalars:
        """``steps`` gradient steps; ``progress`` in [0, 1] moves the schedules. Figures are NaN when none was taken."""
        rate, entropy_cost = self.schedules(progress)
        self._set_rate(rate)
        sums, count = self.policy.value.weight.new_zeros(3), 0
        for _ in range(steps):
            observation, actions = demonstrations.sample_episodes(batch_size, self.generator)
            evaluated = self.policy.evaluate(observation, actions)
            nll, entropy = -evaluated.log_prob.mean(), evaluated.entropy.mean()
            values = {"expert": actions, **observation._asdict(), **evaluated._asdict()}
            norm = self._descend(nll - entropy_cost * entropy, values)
            if norm is not None:
                sums, count = sums + torch.stack([nll, entropy, norm]).detach(), count + 1
                self._update_average()
        names = ("policy/nll", "policy/entropy", "policy/gradient_norm")
        return dict(zip(names, (sums / count).tolist(), strict=True)) | {"policy/learning_rate": rate}


class DemonstrationActor(Actor):
    """An expert, and what it demonstrates."""

    prefix: ClassVar[str] = "demonstrations"
    keeps: ClassVar[bool] = True

    def __init__(self, config: ImitationConfig, source: PictureSource) -> None:
        super().__init__(config, source)
        self.episodes = EpisodeBatch.empty(config.agent, self.renderer)
        make_expert = EXPERTS[type(config.expert)]
        self.expert = make_expert(config, self.renderer, source, self.policy, self.episodes, self.generator)
        self.once = self.expert.fixed is not None
        episodes = config.run.episodes
        needed = -(-config.steps_per_update * config.batch_size // (self.expert.uses * episodes)) * episodes
        capacity = self.expert.fixed or needed
        like = rows_of(self.episodes, self.episodes.actions)
        self.demonstrations, self.spare = (Demonstrations(capacity, like) for _ in range(2))

    @classmethod
    def shares(cls, config: Any, count: int) -> list[Any]:
        """As ``Actor.shares``: each makes a part of the demonstrations. One reads a file alone."""
        if isinstance(config.expert, FileExpert):
            return [config]
        expert, steps = config.expert, -(-config.steps_per_update // count)
        if isinstance(expert, SearchExpert | JointExpert):
            expert = replace(expert, capacity=-(-expert.capacity // count))
        runs = share_runs(config.run, count)
        return [replace(config, run=run, steps_per_update=steps, expert=expert) for run in runs]

    def act(self) -> tuple[Demonstrations, Scalars]:
        """Let the expert prepare, then make all demonstrations of an update."""
        self.demonstrations, self.spare = self.spare, self.demonstrations
        made = self.demonstrations
        metrics = self.expert.prepare()
        made.clear()
        while made.added < made.capacity:
            expert, done = self.expert.actions()
            if not self.once:
                self.episodes.noise.normal_(generator=self.generator)
            replay(self.renderer, self.episodes, done)
            made.add_episodes(self.episodes, expert)
        return made, metrics

    @classmethod
    def pack(cls, batch: Demonstrations) -> dict[str, Tensor]:
        """As ``Actor.pack``."""
        return within(batch.tensors(), cls.prefix)

    @classmethod
    def unpack(cls, parts: Sequence[Mapping[str, Tensor]], device: str) -> Demonstrations:
        """As ``Actor.unpack``."""
        rows = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
        demonstrations = Demonstrations(len(rows["actions"]), rows)
        demonstrations.add(rows)
        return demonstrations

    def tensors(self) -> dict[str, Tensor]:
        """What the expert keeps."""
        return self.expert.tensors()

    def counters(self) -> dict[str, float]:
        """Those of the expert."""
        return self.expert.counters()

    def load(self, tensors: Mapping[str, Tensor], counters: Mapping[str, float]) -> None:
        """As ``Part.load``."""
        self.expert.load(tensors, counters)


class ImitationTrainer(Trainer):
    """A policy that imitates an expert."""

    actor_type: ClassVar[type[Actor]] = DemonstrationActor
    config: ImitationConfig
    policy_learner: ImitationLearner

    def _update(self, progress: float) -> Scalars:
        """Learn from demonstrations while the expert makes new ones; ``progress`` in [0, 1] is how far the run is."""
        demonstrations = self.runtime.take()
        steps, batch_size = self.config.steps_per_update, self.config.batch_size
        with self._timed("policy learning"):
            metrics = self.policy_learner.step(demonstrations, steps, batch_size, progress)
        return metrics | self.runtime.publish(self.policy_learner.policy.state_dict())

    def _make_learner(self, policy: Policy, generator: torch.Generator) -> ImitationLearner:
        return ImitationLearner(policy, self.config.learning, generator)


def rows_of(episodes: EpisodeBatch, expert: Tensor) -> dict[str, Tensor]:
    """Episodes as rows of demonstrations, ``[B, …]`` each, with the expert's actions ``int64[T, B, P]``."""
    pictures = episodes.observed[:-1].transpose(0, 1), episodes.target
    observed, target = ((values * 255).round().to(torch.uint8) for values in pictures)
    return {
        "observed": observed,
        "target": target,
        "pen": episodes.pen.transpose(0, 1),
        "noise": episodes.noise,
        "actions": episodes.actions.transpose(0, 1).int(),
        "expert": expert.transpose(0, 1).int(),
    }
