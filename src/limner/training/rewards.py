"""Rewards: what each action is paid, from scores of the canvases around it."""

import torch
from torch import Tensor

from limner.actions import ActionSpace
from limner.agents.rollout import EpisodeBatch
from limner.training.config import RewardConfig
from limner.training.losses import difference_rewards, final_rewards, new_sequences


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
