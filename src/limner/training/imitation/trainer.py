"""Imitation, top to bottom: expert → demonstrations → policy.

In an update the policy learns from demonstrations while the expert prepares new ones. Those of a file are made once.
"""

from collections.abc import Mapping

from torch import Tensor

from limner.agents.rollout import replay
from limner.data.picture_source import PictureSource
from limner.models.policy import Policy
from limner.training.imitation.config import ImitationConfig
from limner.training.imitation.demonstrations import Demonstrations
from limner.training.imitation.experts import Setting, make_expert
from limner.training.imitation.learner import ImitationLearner
from limner.training.policy_learner import Scalars
from limner.training.trainer import Trainer


class ImitationTrainer(Trainer):
    """A policy and its expert."""

    config: ImitationConfig
    policy_learner: ImitationLearner

    def __init__(self, config: ImitationConfig, source: PictureSource) -> None:
        super().__init__(config, source)
        self.episodes = self._empty_episodes()
        acting = self.generators["acting"]
        self.expert = make_expert(Setting(config, self.renderer, source, self.actor, self.episodes, acting))
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
        metrics = self.policy_learner.step(self.demonstrations, self.config.steps_per_update, progress)
        metrics |= expert_side.result()
        if not self.expert.fixed:
            self._swap()
        self.actor.load_state_dict(self.policy_learner.policy.state_dict())
        self.updates += 1
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
        return ImitationLearner(policy, self.config.learning, self.config.batch_size, self.generators["policy"])

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
