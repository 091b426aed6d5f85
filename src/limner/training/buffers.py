"""Replay: the finished pictures of the last batches, from which the critic draws its painted examples.

A critic that only sees the newest pictures forgets what earlier ones looked like, and the agent can lead it in
circles; SPIRAL keeps the last 20 batches and samples uniformly (Ganin et al. 2018, section 3.4).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class Replay:
    """A ring of pictures as seen, ``float32[capacity, C, R, R]``; with targets these are further channels.

    For a joint critic it is a ring of pairs, ``float32[capacity, D]``: see ``networks.description.join``.
    """

    def __init__(self, capacity: int, shape: Sequence[int], device: str = "cpu") -> None:
        self.pictures = torch.zeros(capacity, *shape, device=device)
        self.added = 0

    def __len__(self) -> int:
        return min(self.added, len(self.pictures))

    def add(self, pictures: Tensor) -> None:
        """Add ``float32[N, …]`` in place of the oldest."""
        rows = torch.arange(self.added, self.added + len(pictures)) % len(self.pictures)
        self.pictures[rows] = pictures
        self.added += len(pictures)

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """``count`` pictures drawn uniformly with replacement, ``float32[count, …]``."""
        assert len(self), "the replay is empty"
        return self.pictures[torch.randint(len(self), (count,), generator=generator, device=generator.device)]
