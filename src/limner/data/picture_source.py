"""Picture source: a data set at the size of the canvas, for the critic and as targets of conditional agents."""

import torch
from torch import Tensor

from limner.data import Dataset

KEPT_BYTES = 2**30  # a data set of at most this size is resized once; of a larger one, rows are resized on demand


class PictureSource:
    """Pictures by row, ``uint8[N, size, size, C]``."""

    def __init__(self, data: Dataset, size: int) -> None:
        self.data, self.size = data, size
        self.shape = (size, size, data.channels)
        kept = len(data) * size * size * data.channels <= KEPT_BYTES
        self.pictures = torch.from_numpy(data.pictures(size)) if kept else None

    def __len__(self) -> int:
        return len(self.data)

    def take(self, rows: Tensor) -> Tensor:
        """The pictures ``rows`` (int64[M], repeats allowed): ``uint8[M, size, size, C]``, on the CPU."""
        rows = rows.cpu()
        if self.pictures is not None:
            return self.pictures[rows]
        return torch.from_numpy(self.data.pictures(self.size, rows.numpy()))

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """``count`` pictures drawn uniformly with replacement."""
        return self.take(torch.randint(len(self), (count,), generator=generator, device=generator.device))
