"""What SPIRAL and training from the distance share: episodes, rewards, and a policy that learns from them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor, nn

from limner.actions import ActionSpace
from limner.agents.rollout import EpisodeBatch, collect_candidates
from limner.data.picture_source import PictureSource
from limner.models.policy import Policy
from limner.training.actor import Actor, share_runs
from limner.training.config import RewardConfig
from limner.training.losses import difference_rewards, final_rewards, new_sequences
from limner.training.policy_gradient import PolicyGradient
from limner.training.policy_learner import Scalars
from limner.training.runtime import Result
from limner.training.trainer import Trainer

EPISODES = {"observed": 1, "pen": 1, "actions": 1, "log_prob": 1, "noise": 0, "target": 0, "distance": 1}
EPISODES |= {"others": 1, "others_log_prob": 1, "others_final": 1, "others_distance": 1}
"""What of a batch of episodes is learnt from, and the axis of the episodes."""


class EpisodeActor(Actor):
    """Paints episodes, conditional ones towards pictures of the data."""

    prefix: ClassVar[str] = "episodes"

    def __init__(self, config: Any, source: PictureSource) -> None:
        super().__init__(config, source)
        self.episodes, self.spare = (
            EpisodeBatch.empty(config.agent, self.renderer, str(self.generator.device), config.learning.candidates)
            for _ in range(2)
        )
        others, run = config.learning.candidates - 1, config.run
        self.copies = config.agent.make_renderer(others * run.episodes, run.threads) if others else None

    @classmethod
    def shares(cls, config: Any, count: int) -> list[Any]:
        """As ``Actor.shares``: each paints a part of the episodes, two at least, and learns nothing."""
        learning = replace(config.learning, minibatches=1)
        return [replace(config, device="cpu", run=run, learning=learning) for run in share_runs(config.run, count)]

    def act(self) -> tuple[EpisodeBatch, Scalars]:
        """As ``Actor.act``."""
        self.episodes, self.spare = self.spare, self.episodes
        if self.config.agent.conditional:
            self.episodes.aim(self.source.draw(len(self.episodes.goal), self.generator))
        return collect_candidates(self.renderer, self.copies, self.policy, self.episodes, self.generator), {}

    @classmethod
    def pack(cls, batch: EpisodeBatch) -> dict[str, Tensor]:
        """As ``Actor.pack``."""
        return {name: getattr(batch, name) for name in EPISODES}

    @classmethod
    def unpack(cls, parts: Sequence[Mapping[str, Tensor]], device: str) -> EpisodeBatch:
        """As ``Actor.unpack``; without canvases and goals, which only acting needs."""
        joined = {name: torch.cat([part[name] for part in parts], axis).to(device) for name, axis in EPISODES.items()}
        none = torch.empty(0, dtype=torch.uint8)
        return EpisodeBatch(**joined, canvas=none, goal=none)


class ActorCritic(Trainer):
    """The policy learns from the rewards of episodes."""

    actor_type: ClassVar[type[Actor]] = EpisodeActor
    config: Any  # of SPIRAL or distance: it has the sections reward and learning
    policy_learner: PolicyGradient

    def __init__(self, config: Any, source: PictureSource) -> None:
        super().__init__(config, source, config.device)
        self.space = config.agent.actions

    def modules(self) -> dict[str, nn.Module]:
        """Networks by name, with the prior where there is one."""
        prior = self.policy_learner.prior
        return super().modules() | ({} if prior is None else {"prior": prior})

    def _make_learner(self, policy: Policy, generator: Generator) -> PolicyGradient:
        return PolicyGradient(policy, self.config.learning, generator)

    def _learn(
        self,
        episodes: EpisodeBatch,
        scores: Tensor,
        others: Tensor,
        progress: float,
        references: Result | None = None,
    ) -> Scalars:
        """Learn from episodes whose canvases have ``scores`` float32[T + 1, B], then act with the new weights.

        ``others`` float32[T, B, K − 1] are the scores of what other candidates would end with. ``references`` results
        in what ``PolicyGradient.refer`` gives, where that has begun already.
        """
        with self._timed("policy learning"):
            rewards = reward(scores, episodes, self.space, self.config.reward)
            others = others_return(others, scores, episodes, self.space, self.config.reward)
            known = None if references is None else references.result()
            metrics = self.policy_learner.step(episodes, rewards, progress, scores, known, self.runtime.lag, others)
        returns = rewards.sum(0)
        metrics |= {"reward/return": returns.mean().item(), "reward/deviation": returns.std().item()}
        return metrics | self.runtime.publish(self.policy_learner.policy.state_dict())


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


def others_return(
    others: Tensor, scores: Tensor, episodes: EpisodeBatch, actions: ActionSpace, config: RewardConfig
) -> Tensor:
    """What an episode would be paid in all with other candidates, ``float32[T, B, K − 1]``; arguments as of ``reward``.

    ``others`` are the scores of what it would end with, of the same shape.
    """
    paid = others - scores[0, :, None] if config.form == "differences" else others
    if config.empty_penalty:
        paid = paid - config.empty_penalty * (episodes.others_final == 0).flatten(3).all(dim=3)
    if config.stroke_penalty and actions.verb is not None:
        jump = actions.jump or 0
        down, other = episodes.actions[..., actions.verb].ne(jump), episodes.others[..., actions.verb].ne(jump)
        for t in range(len(down)):
            changed = down[..., None].repeat(1, 1, other.shape[2])
            changed[t] = other[t]
            starts = new_sequences(changed.flatten(1)).sum(0).view_as(other[t])
            paid[t] = paid[t] - config.stroke_penalty * starts
    return paid
