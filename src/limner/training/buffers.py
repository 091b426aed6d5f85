"""The ring buffer: the last so many rows of named tensors, from which batches are sampled.

It holds finished pictures for a critic, programs that a search found, and demonstrations for a policy.
"""

from collections.abc import Mapping

import torch
from torch import Tensor


class RingBuffer:
    """``capacity`` rows of tensors with the same names, shapes and dtypes as those of ``like``; old rows make room.

    ``prefix`` goes before the names in checkpoints.
    """

    def __init__(self, capacity: int, like: Mapping[str, Tensor], prefix: str) -> None:
        """``like`` holds a batch ``[N, …]`` of each tensor, on the device that the buffer is to be on."""
        self.capacity, self.prefix = capacity, prefix
        self.rows = {name: tensor.new_zeros(capacity, *tensor.shape[1:]) for name, tensor in like.items()}
        self.added = 0

    def __len__(self) -> int:
        return min(self.added, self.capacity)

    def add(self, batch: Mapping[str, Tensor]) -> None:
        """Add rows ``[N, …]`` of every tensor in place of the oldest."""
        count = len(next(iter(batch.values())))
        device = next(iter(self.rows.values())).device
        places = torch.arange(self.added, self.added + count, device=device) % self.capacity
        for name, tensor in self.rows.items():
            tensor[places] = batch[name]
        self.added += count

    def clear(self) -> None:
        """Forget all rows."""
        self.added = 0

    def take(self, rows: Tensor) -> dict[str, Tensor]:
        """The rows ``rows`` int64[M] of every tensor."""
        return {name: tensor[rows] for name, tensor in self.rows.items()}

    def sample(self, count: int, generator: torch.Generator) -> dict[str, Tensor]:
        """``count`` rows drawn uniformly with replacement."""
        assert len(self), "the buffer is empty"
        return self.take(torch.randint(len(self), (count,), generator=generator, device=generator.device))

    def all(self, name: str) -> Tensor:
        """The filled rows of a tensor."""
        return self.rows[name][: len(self)]

    def tensors(self) -> dict[str, Tensor]:
        """All filled rows, by name, for a checkpoint."""
        return {f"{self.prefix}.{name}": self.all(name) for name in self.rows}

    def load(self, tensors: Mapping[str, Tensor], added: int) -> None:
        """Put back what ``tensors`` gave after ``added`` rows were added."""
        for name, tensor in self.rows.items():
            saved = tensors[f"{self.prefix}.{name}"]
            tensor[: len(saved)] = saved
        self.added = added
