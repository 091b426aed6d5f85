"""Adversarial training, top to bottom: program → renderer → canvas → critic → reward → policy.

In an update the policy learns from the newest episodes, judged by the critic as it stood at the start, and paints the
next ones. Meanwhile the critic learns. Where none does, since the reward is the distance alone, the next episodes are
painted in its place: they are one update old when they are learnt from. V-trace corrects for that, and for what the
policy's own gradient steps have changed.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from limner.agents.rollout import EpisodeBatch, collect
from limner.data.picture_source import PictureSource
from limner.models.critic import make_critic
from limner.models.description import describe, join
from limner.models.policy import Policy
from limner.training.buffers import Replay
from limner.training.config import Config
from limner.training.policy_learner import CriticLearner, Metrics, reward, score
from limner.training.spiral.pairs import Pairs
from limner.training.trainer import Training
from limner.worlds.observation import preprocess

EPISODES = ("ink", "pen", "actions", "log_prob", "noise", "target", "distance")
"""What of a batch of episodes is learnt from."""


class Adversarial(Training):
    """A critic learns to tell painted pictures from real ones, the policy learns to please it."""

    def __init__(self, config: Config, source: PictureSource) -> None:
        super().__init__(config, source)
        self.judge = copy.deepcopy(self._critic).requires_grad_(False).eval()
        self.critic_learner = CriticLearner(self._critic, self._real, config.critic, self.generators["critic"])
        self.judged = config.reward.critic > 0
        if self.judged:
            self.actor = self.policy_learner.policy  # itself: it paints when it has learnt
        self.episodes, self.spare = (EpisodeBatch.empty(config, self.renderer) for _ in range(2))
        self.pairs = (
            Pairs(config.critic.programs, config.data, source, self.renderer, config.steps)
            if config.critic.programs
            else None
        )
        shape = self._painted(self.episodes).shape[1:]
        self.replay = Replay(config.critic.replay * config.batch, shape, config.device)
        self._act(self.episodes)

    def update(self, progress: float) -> Metrics:
        """Learn from one batch of episodes, then paint the next; ``progress`` in [0, 1] is how far the run is."""
        episodes = self.episodes
        self.replay.add(self._painted(episodes))
        other_side = self._beside(self._learn_to_judge if self.judged else self._act_meanwhile)
        rewards = reward(score(self.judge, episodes), episodes, self.renderer.actions, self.config.reward)
        metrics = self.policy_learner.step(episodes, rewards, progress)
        metrics["reward/return"] = rewards.sum(0).mean().item()
        metrics["reward/deviation"] = rewards.sum(0).std().item()
        if self.judged:
            self._act(self.spare)
        metrics |= other_side.result()
        self.judge.load_state_dict(self.critic_learner.critic.state_dict())
        self.actor.load_state_dict(self.policy_learner.policy.state_dict())
        self.episodes, self.spare = self.spare, self.episodes
        self.updates += 1
        return metrics

    def start_from(self, policy: Policy) -> None:
        """Go on from the weights of ``policy``, and let it paint the first episodes."""
        super().start_from(policy)
        self._act(self.episodes)

    def modules(self) -> dict[str, nn.Module]:
        """Policy, critic, and the critic as it stood at the start of the update."""
        return super().modules() | {"critic": self.critic_learner.critic, "judge": self.judge}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """One for each learner."""
        return super().optimizers() | {"critic_adam": self.critic_learner.optimizer}

    def tensors(self) -> dict[str, Tensor]:
        """The episodes that the next update learns from, and the replay."""
        episodes = {f"episodes.{name}": getattr(self.episodes, name) for name in EPISODES}
        return episodes | {"replay": self.replay.pictures[: len(self.replay)]}

    def counters(self) -> dict[str, float]:
        """Numbers that change from update to update."""
        return super().counters() | {"replay": self.replay.added, "critic_steps": self.critic_learner.taken}

    def load(self, tensors: Mapping[str, Tensor], counters: Mapping[str, float]) -> None:
        """Put back what ``tensors`` and ``counters`` gave."""
        super().load(tensors, counters)
        for name in EPISODES:
            getattr(self.episodes, name).copy_(tensors[f"episodes.{name}"])
        self.replay.pictures[: len(tensors["replay"])] = tensors["replay"]
        self.replay.added = int(counters["replay"])
        self.critic_learner.taken = int(counters["critic_steps"])

    def _make_critic(self) -> None:
        self._critic = make_critic(self.config, self.renderer).to(self.config.device)

    def _learn_to_judge(self) -> Metrics:
        return self.critic_learner.step(self.replay)

    def _act_meanwhile(self) -> Metrics:
        self._act(self.spare)
        return {}

    def _act(self, episodes: EpisodeBatch) -> None:
        """Paint ``episodes``, for an update to learn from."""
        self._aim(episodes)
        collect(self.renderer, self.actor, episodes, self.generators["acting"])

    def _painted(self, episodes: EpisodeBatch) -> Tensor:
        """The finished pictures as the critic sees them, for a joint one with their programs."""
        if self.pairs is None:
            return episodes.final
        return join(episodes.final, describe(episodes.actions.transpose(0, 1), self.renderer.actions))

    def _real(self, count: int, generator: torch.Generator) -> Tensor:
        """Pictures of the source as the critic sees them; the real example for a target is the target itself."""
        if self.pairs is not None:
            pictures, programs = self.pairs.draw(count, generator)
            return join(preprocess(pictures, self.config.resolution), programs).to(self.config.device)
        pictures = preprocess(self.source.draw(count, generator), self.config.resolution).to(self.config.device)
        return torch.cat([pictures, pictures], dim=1) if self.config.conditional else pictures
