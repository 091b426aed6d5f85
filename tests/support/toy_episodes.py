"""Episodes of the toy renderer, and a task on it that a small policy learns in seconds."""

from __future__ import annotations

import torch
from torch import Tensor

from limner.agents.config import AgentConfig
from limner.agents.rollout import EpisodeBatch, collect_candidates
from limner.models.config import PolicyConfig
from limner.models.policy import Policy
from limner.training.config import PolicyGradientConfig
from limner.training.policy_gradient import PolicyGradient
from limner.training.policy_learner import Scalars
from limner.worlds.toy.renderer import Toy, ToySettings

RESOLUTION = 16
SETTINGS = ToySettings(canvas=16, grid=4)
POLICY = PolicyConfig(channels=4, hidden=32, noise=2)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def agent_config(horizon: int) -> AgentConfig:
    return AgentConfig(SETTINGS, horizon=horizon, resolution=RESOLUTION, policy=POLICY)


def make_toy_policy(renderer: Toy, seed: int) -> Policy:
    torch.manual_seed(seed)
    return Policy(renderer.actions, POLICY, 1, RESOLUTION)


def episodes_of_toy(horizon: int = 4, batch: int = 8, seed: int = 0, candidates: int = 1) -> tuple[Toy, EpisodeBatch]:
    """Random episodes; the first canvas stays empty."""
    renderer = Toy(SETTINGS, batch)
    episodes = EpisodeBatch.empty(agent_config(horizon), renderer, candidates=candidates)
    policy = make_toy_policy(renderer, seed)
    copies = Toy(SETTINGS, batch * (candidates - 1)) if candidates > 1 else None
    collect_candidates(renderer, copies, policy, episodes, seeded(seed))
    episodes.actions[:, 0, 0] = 0
    episodes.observed[:, 0] = 0
    return renderer, episodes


class Bandit:
    """Two strokes on a tiny canvas; each is paid ten times the paint it adds on the right, less that on the left."""

    def __init__(self, config: PolicyGradientConfig, seed: int = 0) -> None:
        self.renderer = Toy(SETTINGS, batch=64)
        count = config.candidates
        self.episodes = EpisodeBatch.empty(agent_config(2), self.renderer, candidates=count)
        self.copies = Toy(SETTINGS, batch=64 * (count - 1)) if count > 1 else None
        self.learner = PolicyGradient(make_toy_policy(self.renderer, seed), config, seeded(seed))
        self.acting = seeded(seed + 1)

    def play(self, policy: Policy | None = None) -> Tensor:
        """Rewards [T, B] of one batch."""
        policy = policy or self.learner.policy
        collect_candidates(self.renderer, self.copies, policy, self.episodes, self.acting)
        worth = self.worth(self.episodes.observed)
        return worth[1:] - worth[:-1]

    def worth(self, pictures: Tensor) -> Tensor:
        """What pictures ``[…, 1, R, R]`` are worth."""
        left, right = pictures.chunk(2, dim=-1)
        return 10 * (right - left).mean((-3, -2, -1))

    def learn(self, updates: int, progress: float = 0.0) -> list[Scalars]:
        records = []
        for _ in range(updates):
            rewards = self.play()
            others = self.worth(self.episodes.others_final)
            records.append(self.learner.step(self.episodes, rewards, progress, others=others))
        return records
