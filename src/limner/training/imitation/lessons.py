"""Lessons: states with what should be done in each, for a policy to imitate."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from limner.agents.rollout import EpisodeBatch
from limner.worlds.observation import Observation, whole_episodes


class Lessons:
    """A ring of episodes with advice for each of their steps. Pictures are kept as bytes, a quarter of the memory."""

    def __init__(self, capacity: int, like: EpisodeBatch) -> None:
        """Room for ``capacity`` episodes that look like those of the batch ``like``."""
        steps, _, parts = like.actions.shape
        self.ink = torch.zeros(capacity, steps, *like.ink.shape[2:], dtype=torch.uint8)
        self.target = torch.zeros(capacity, *like.target.shape[1:], dtype=torch.uint8)
        self.pen = torch.zeros(capacity, steps, 2)
        self.noise = torch.zeros(capacity, like.noise.shape[1])
        self.actions = torch.zeros(capacity, steps, parts, dtype=torch.int32)
        self.advice = torch.zeros(capacity, steps, parts, dtype=torch.int32)
        self.added = 0

    def __len__(self) -> int:
        return min(self.added, len(self.advice))

    def add(self, episodes: EpisodeBatch, advice: Tensor) -> None:
        """Add episodes with advice ``int64[T, B, P]`` in place of the oldest."""
        count = advice.shape[1]
        rows = torch.arange(self.added, self.added + count) % len(self.advice)
        self.ink[rows] = _bytes(episodes.ink[:-1].transpose(0, 1))
        self.target[rows] = _bytes(episodes.target)
        self.pen[rows] = episodes.pen.transpose(0, 1)
        self.noise[rows] = episodes.noise
        self.actions[rows] = episodes.actions.transpose(0, 1).int()
        self.advice[rows] = advice.transpose(0, 1).int()
        self.added += count

    def sample(self, count: int, generator: torch.Generator) -> tuple[Observation, Tensor]:
        """``count`` episodes drawn with replacement: what was seen, and advice ``int64[T, count, P]``."""
        rows = torch.randint(len(self), (count,), generator=generator)
        ink = self.ink[rows].transpose(0, 1).float() / 255
        target, pen = self.target[rows].float() / 255, self.pen[rows].transpose(0, 1)
        actions, advice = (kept[rows].transpose(0, 1).long() for kept in (self.actions, self.advice))
        return whole_episodes(ink, target, pen, actions, self.noise[rows]), advice

    def tensors(self) -> dict[str, Tensor]:
        """All that was added, by name."""
        return {f"lessons.{name}": tensor[: len(self)] for name, tensor in self._fields().items()}

    def load(self, tensors: Mapping[str, Tensor], added: int) -> None:
        """Put back what ``tensors`` gave after ``added`` episodes."""
        for name, tensor in self._fields().items():
            saved = tensors[f"lessons.{name}"]
            tensor[: len(saved)] = saved
        self.added = added

    def _fields(self) -> dict[str, Tensor]:
        return {name: value for name, value in vars(self).items() if isinstance(value, Tensor)}


def _bytes(pictures: Tensor) -> Tensor:
    return (pictures * 255).round().to(torch.uint8)
