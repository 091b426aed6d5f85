"""What SPIRAL and training from the distance share: episodes, rewards, and a policy that learns from them."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from limner.actions import ActionSpace
from limner.agents.rollout import EpisodeBatch, collect
from limner.data.picture_source import PictureSource
from limner.models.policy import Policy
from limner.training.config import RewardConfig
from limner.training.losses import difference_rewards, final_rewards, new_sequences
from limner.training.policy_gradient import PolicyGradient
from limner.training.policy_learner import Scalars
from limner.training.trainer import Trainer

EPISODES = ("observed", "pen", "actions", "log_prob", "noise", "target", "distance")
"""What of a batch of episodes is learnt from."""


class ActorCritic(Trainer):
    """Two batches of episodes: the policy learns from one while the other is painted, or is painted next."""

    config: Any  # of SPIRAL or distance: it has the sections reward and learning
    policy_learner: PolicyGradient

    def __init__(self, config: Any, source: PictureSource) -> None:
        super().__init__(config, source, config.device)
        self.episodes, self.spare = self._empty_episodes(), self._empty_episodes()
        self._act(self.episodes)

    def start_from(self, policy: Policy) -> None:
        """Go on from the weights of ``policy``, which paints the first episodes."""
        super().start_from(policy)
        self._act(self.episodes)

    def modules(self) -> dict[str, nn.Module]:
        """Networks by name, with the prior where there is one."""
        prior = self.policy_learner.prior
        return super().modules() | ({} if prior is None else {"prior": prior})

    def tensors(self) -> dict[str, Tensor]:
        """The episodes that the next update learns from."""
        return {f"episodes.{name}": getattr(self.episodes, name) for name in EPISODES}

    def load(self, tensors: Mapping[str, Tensor], counters: Mapping[str, float]) -> None:
        """As ``Trainer.load``."""
        super().load(tensors, counters)
        for name in EPISODES:
            getattr(self.episodes, name).copy_(tensors[f"episodes.{name}"])

    def _make_learner(self, policy: Policy) -> PolicyGradient:
        return PolicyGradient(policy, self.config.learning, self.generators["policy"])

    def _learn(self, scores: Tensor, progress: float) -> Scalars:
        """Learn from the episodes, whose canvases have ``scores`` float32[T + 1, B]."""
        rewards = reward(scores, self.episodes, self.renderer.actions, self.config.reward)
        metrics = self.policy_learner.step(self.episodes, rewards, progress, scores)
        returns = rewards.sum(0)
        return metrics | {"reward/return": returns.mean().item(), "reward/deviation": returns.std().item()}

    def _act(self, episodes: EpisodeBatch) -> None:
        """Paint ``episodes``, for an update to learn from; conditional ones towards new pictures of the data."""
        if self.config.agent.conditional:
            episodes.aim(self.source.draw(len(episodes.goal), self.generators["acting"]))
        collect(self.renderer, self.actor, episodes, self.generators["acting"])

    def _swap(self) -> None:
        """The episodes that were painted are the next to be learnt from."""
        self.episodes, self.spare = self.spare, self.episodes


def reward(scores: Tensor, episodes: EpisodeBatch, actions: ActionSpace, config: RewardConfig) -> Tensor:
    """What each action is paid, ``float32[T, B]``: ``scores`` float32[T + 1, B] of the canvases, less the penalties."""
    rewards = difference_rewards(scores) if config.form == "differences" else final_rewards(scores)
    if config.stroke_penalty and actions.verb is not None:
        down = episodes.actions[..., actions.verb].ne(actions.jump or 0)
        rewards = rewards - config.stroke_penalty * new_sequences(down)
    if config.empty_penalty:
        empty = (episodes.observed[-1] == 0).flatten(1).all(dim=1)
        rewards = torch.cat([rewards[:-1], rewards[-1:] - config.empty_penalty * empty])
    return rewards
