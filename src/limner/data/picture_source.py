"""Picture source: a data set at the size of the canvas, for the critic and as targets of conditional agents.

Notable choices:
- A data set of at most ``KEPT_BYTES`` is resized once, when its first pictures are asked for, and preprocessed once for
  each resolution that is asked for: a critic that learns on the CPU would spend a part of its time on that in every
  step. Of a larger data set rows are resized on demand.
- Preprocessed pictures are kept where they are asked for, so a critic on a GPU is sent none in its steps.
"""

import math
from functools import cached_property

import torch
from torch import Tensor

from limner.data import Dataset
from limner.worlds.observation import preprocess

KEPT_BYTES = 2**30
CHUNK = 4096  # pictures that are preprocessed at a time


class PictureSource:
    """Pictures by row, ``uint8[N, size, size, C]``."""

    def __init__(self, data: Dataset, size: int) -> None:
        self.data, self.size = data, size
        self.shape = (size, size, data.channels)
        self._preprocessed: dict[tuple[int, torch.device], Tensor] = {}

    def __len__(self) -> int:
        return len(self.data)

    @cached_property
    def pictures(self) -> Tensor | None:
        """All pictures, if they are kept. ``ValueError`` when files are damaged."""
        kept = len(self) * math.prod(self.shape) <= KEPT_BYTES
        return torch.from_numpy(self.data.pictures(self.size)) if kept else None

    def take(self, rows: Tensor) -> Tensor:
        """The pictures ``rows`` (int64[M], repeats allowed): ``uint8[M, size, size, C]``, on the CPU."""
        rows = rows.cpu()
        if self.pictures is not None:
            return self.pictures[rows]
        return torch.from_numpy(self.data.pictures(self.size, rows.numpy()))

    def take_preprocessed(self, rows: Tensor, resolution: int) -> Tensor:
        """As ``preprocess`` gives them: ``float32[M, C, R, R]``, R ``resolution``; on the device of ``rows``."""
        place, shape = rows.device, (len(self), self.shape[2], resolution, resolution)
        if self.pictures is None or 4 * math.prod(shape) > KEPT_BYTES:
            return preprocess(self.take(rows).to(place), resolution)
        if (resolution, place) not in self._preprocessed:
            kept = torch.empty(shape, device=place)
            for some, chunk in zip(torch.split(kept, CHUNK), torch.split(self.pictures, CHUNK), strict=True):
                some.copy_(preprocess(chunk.to(place), resolution))
            self._preprocessed[resolution, place] = kept
        return self._preprocessed[resolution, place][rows]

    def draw_rows(self, count: int, generator: torch.Generator) -> Tensor:
        """``count`` rows ``int64[count]`` drawn uniformly with replacement."""
        return torch.randint(len(self), (count,), generator=generator, device=generator.device)

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """The pictures of ``draw_rows``."""
        return self.take(self.draw_rows(count, generator))

    def draw_preprocessed(self, count: int, generator: torch.Generator, resolution: int) -> Tensor:
        """The same as ``take_preprocessed`` gives them."""
        return self.take_preprocessed(self.draw_rows(count, generator), resolution)
