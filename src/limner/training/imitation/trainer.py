"""Imitation, top to bottom: expert → demonstrations → policy.

In an update the policy learns from demonstrations while the expert prepares new ones. Those of a file are made once.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from limner.agents.rollout import EpisodeBatch, replay
from limner.data.picture_source import PictureSource
from limner.models.policy import Policy
from limner.training.buffers import RingBuffer
from limner.training.imitation.config import ImitationConfig
from limner.training.imitation.experts import EXPERTS
from limner.training.policy_learner import PolicyLearner, Scalars
from limner.training.trainer import Trainer
from limner.worlds.observation import Observation, whole_episodes


class Demonstrations(RingBuffer):
    """The last episodes, with the expert's action for each of their steps. Pictures are kept as bytes: a quarter."""

    def __init__(self, capacity: int, like: EpisodeBatch) -> None:
        """Room for ``capacity`` episodes that look like those of the batch ``like``."""
        super().__init__(capacity, _rows(like, like.actions), "demonstrations")

    def add_episodes(self, episodes: EpisodeBatch, expert: Tensor) -> None:
        """Add episodes with the expert's actions ``int64[T, B, P]`` in place of the oldest."""
        self.add(_rows(episodes, expert))

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


class ImitationTrainer(Trainer):
    """A policy and its expert."""

    config: ImitationConfig
    policy_learner: ImitationLearner

    def __init__(self, config: ImitationConfig, source: PictureSource) -> None:
        super().__init__(config, source)
        self.episodes = self._empty_episodes()
        make_expert, generator = EXPERTS[type(config.expert)], self.generators["acting"]
        self.expert = make_expert(config, self.renderer, source, self.actor, self.episodes, generator)
        episodes = config.run.episodes
        needed = -(-config.steps_per_update * config.batch_size // (self.expert.uses * episodes)) * episodes
        capacity = self.expert.fixed or needed
        self.demonstrations, self.spare = (Demonstrations(capacity, self.episodes) for _ in range(2))
        if self.expert.fixed:
            self._demonstrate()
            self._swap()

    def _update(self, progress: float) -> Scalars:
        """Learn from demonstrations while the expert makes new ones; ``progress`` in [0, 1] is how far the run is."""
        if not len(self.demonstrations):
            self._demonstrate()
            self._swap()
        expert_side = self._beside(dict if self.expert.fixed else self._demonstrate)
        steps, batch_size = self.config.steps_per_update, self.config.batch_size
        metrics = self.policy_learner.step(self.demonstrations, steps, batch_size, progress)
        metrics |= expert_side.result()
        if not self.expert.fixed:
            self._swap()
        return metrics

    def tensors(self) -> dict[str, Tensor]:
        """The demonstrations, and what the expert keeps."""
        return self.demonstrations.tensors() | self.expert.tensors()

    def counters(self) -> dict[str, float]:
        """Numbers that change from update to update."""
        return super().counters() | {"demonstrations": self.demonstrations.added} | self.expert.counters()

    def load(self, tensors: Mapping[str, Tensor], counters: Mapping[str, float]) -> None:
        """Put back what ``tensors`` and ``counters`` gave."""
        super().load(tensors, counters)
        self.demonstrations.load(tensors, int(counters["demonstrations"]))
        self.expert.load(tensors, counters)

    def _make_learner(self, policy: Policy) -> ImitationLearner:
        return ImitationLearner(policy, self.config.learning, self.generators["policy"])

    def _demonstrate(self) -> Scalars:
        """Let the expert prepare, then fill ``spare`` with demonstrations."""
        metrics = self.expert.prepare()
        self.spare.clear()
        while self.spare.added < self.spare.capacity:
            expert, done = self.expert.actions()
            if not self.expert.fixed:
                self.episodes.noise.normal_(generator=self.generators["acting"])
            replay(self.renderer, self.episodes, done)
            self.spare.add_episodes(self.episodes, expert)
        return metrics

    def _swap(self) -> None:
        self.demonstrations, self.spare = self.spare, self.demonstrations


def _rows(episodes: EpisodeBatch, expert: Tensor) -> dict[str, Tensor]:
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
