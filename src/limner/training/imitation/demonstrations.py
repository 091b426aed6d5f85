"""Demonstrations: episodes with the expert's action for each of their steps."""

import torch
from torch import Tensor

from limner.agents.rollout import EpisodeBatch
from limner.training.buffers import RingBuffer
from limner.worlds.observation import Observation, whole_episodes


class Demonstrations(RingBuffer):
    """A ring buffer of episodes. Pictures are kept as bytes, a quarter of the memory."""

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


def _rows(episodes: EpisodeBatch, expert: Tensor) -> dict[str, Tensor]:
    return {
        "observed": _bytes(episodes.observed[:-1].transpose(0, 1)),
        "target": _bytes(episodes.target),
        "pen": episodes.pen.transpose(0, 1),
        "noise": episodes.noise,
        "actions": episodes.actions.transpose(0, 1).int(),
        "expert": expert.transpose(0, 1).int(),
    }


def _bytes(pictures: Tensor) -> Tensor:
    return (pictures * 255).round().to(torch.uint8)
