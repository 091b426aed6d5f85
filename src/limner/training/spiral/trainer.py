"""SPIRAL, top to bottom: program → renderer → canvas → critic → reward → policy.

In an update the policy learns from the newest episodes, scored by the critic as it stood at the start, and paints the
next ones. Meanwhile the critic learns. V-trace corrects for what the policy's own gradient steps have changed.
"""

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from limner.data import load_dataset
from limner.data.picture_source import PictureSource
from limner.models.critic import Critic
from limner.training.actor_critic import ActorCritic
from limner.training.buffers import RingBuffer
from limner.training.finite import FiniteGuard
from limner.training.policy_learner import Scalars
from limner.training.spiral.config import SpiralConfig
from limner.training.spiral.critic_learner import CriticLearner, score


class SpiralTrainer(ActorCritic):
    """A critic learns to tell painted pictures from real ones, the policy learns to get high scores from it."""

    config: SpiralConfig

    def __init__(self, config: SpiralConfig, source: PictureSource) -> None:
        super().__init__(config, source)
        self.actor = self.policy_learner.policy  # itself: it paints when it has learnt
        self.generators["critic"] = self._generator("critic")
        data = config.critic.data
        self.real_source = PictureSource(load_dataset(data), config.agent.renderer.canvas) if data else source
        self.frozen_critic = copy.deepcopy(self._critic).requires_grad_(False).eval()
        self.critic_learner = self._make_critic_learner()
        self.replay = RingBuffer(config.critic.replay * config.run.episodes, self._painted(), "replay")

    def _update(self, progress: float) -> Scalars:
        """Learn from one batch of episodes, then paint the next; ``progress`` in [0, 1] is how far the run is."""
        self.replay.add(self._painted())
        critic_side = self._beside(lambda: self.critic_learner.step(self.replay))
        scores = self._score() - self.config.reward.distance * self.episodes.distance
        metrics = self._learn(scores, progress)
        self._act(self.spare)
        metrics |= critic_side.result()
        self.frozen_critic.load_state_dict(self.critic_learner.critic.state_dict())
        self._swap()
        return metrics

    def modules(self) -> dict[str, nn.Module]:
        """Policy, critic, and the critic as it stood at the start of the update."""
        return super().modules() | {"critic": self.critic_learner.critic, "frozen_critic": self.frozen_critic}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """One for each learner."""
        return super().optimizers() | {"critic_adam": self.critic_learner.optimizer}

    def guards(self) -> list[FiniteGuard]:
        """What watches the gradient steps of each learner."""
        return [*super().guards(), self.critic_learner.guard]

    def tensors(self) -> dict[str, Tensor]:
        """The episodes that the next update learns from, and the replay buffer."""
        return super().tensors() | self.replay.tensors()

    def counters(self) -> dict[str, float]:
        """Numbers that change from update to update."""
        counters = {"replay": self.replay.added, "critic_steps": self.critic_learner.taken}
        return super().counters() | counters | self.critic_learner.guard.counters()

    def load(self, tensors: Mapping[str, Tensor], counters: Mapping[str, float]) -> None:
        """Put back what ``tensors`` and ``counters`` gave."""
        super().load(tensors, counters)
        self.replay.load(tensors, int(counters["replay"]))
        self.critic_learner.taken = int(counters["critic_steps"])
        self.critic_learner.guard.load(counters)

    def _make_networks(self) -> None:
        agent, channels = self.config.agent, self.renderer.shape[2]
        self._critic = Critic(self.config.critic, channels, agent.resolution, agent.conditional).to(self.device)

    def _make_critic_learner(self) -> CriticLearner:
        return CriticLearner(self._critic, self._real, self.config.critic, self.generators["critic"])

    def _score(self) -> Tensor:
        """The frozen critic's score of every canvas of the episodes, ``float32[T + 1, B]``."""
        return score(self.frozen_critic, self.episodes)

    def _painted(self) -> dict[str, Tensor]:
        """The finished pictures of the episodes as the critic is shown them."""
        return {"pictures": self.episodes.final}

    def _real(self, count: int, generator: torch.Generator) -> Tensor:
        """Real pictures as the critic is shown them; the real example for a target is the target itself."""
        rows = self.real_source.draw_rows(count, generator)
        pictures = self.real_source.take_preprocessed(rows, self.config.agent.resolution).to(self.device)
        return torch.cat([pictures, pictures], dim=1) if self.config.agent.conditional else pictures
