"""Pairs: pictures of a data set with the programs that were found for them, the real examples of a joint critic.

The picture is that of the data and not what the program paints: see docs/architecture.md.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from limner.data.picture_source import PictureSource
from limner.models.description import describe
from limner.programs.program import Program, load_alike
from limner.worlds.world import Renderer


class Pairs:
    """The programs in a file that ``limner parse`` wrote, described, and the rows of their pictures in a source.

    The file need not hold a program for every picture: pictures without one are not shown.
    """

    def __init__(self, path: str, data: str, source: PictureSource, renderer: Renderer, steps: int) -> None:
        """``source`` is the train split of ``data``; the programs have ``steps`` actions for ``renderer``.

        ``ValueError`` naming the first program in ``path`` that does not fit.
        """
        programs = load_alike(path, renderer.settings(), steps)
        self.source = source
        self.rows = torch.tensor([_row(path, i, p, f"{data} train", len(source)) for i, p in enumerate(programs)])
        actions = torch.from_numpy(np.stack([program.actions for program in programs]))
        self.programs = describe(actions, renderer.actions)

    def __len__(self) -> int:
        return len(self.rows)

    def draw(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Pictures ``uint8[count, size, size, C]`` and programs ``float32[count, T, F]``, on the CPU.

        They are drawn uniformly with replacement.
        """
        chosen = torch.randint(len(self), (count,), generator=generator, device=generator.device).cpu()
        return self.source.take(self.rows[chosen]), self.programs[chosen]


def _row(path: str, number: int, program: Program, split: str, count: int) -> int:
    """Whose program it is, by its title."""
    name, _, row = program.title.rpartition(" ")
    if name != split or not row.isdecimal():
        raise ValueError(
            f"{path}: program {number} has the title {program.title!r}, not {f'{split} {number}'!r}: critic.programs "
            "must be of the pictures of --data, as limner parse writes them without --limit"
        )
    if int(row) >= count:
        raise ValueError(f"{path}: program {number} is of picture {row}, the data have {count} pictures")
    return int(row)
