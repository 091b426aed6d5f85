"""Augmentation: random transformations of programs that are known to paint pictures of the data.

The picture that a transformed program paints is a target for which its actions are right, and it looks like the data
(compare the "dreams" of wake-sleep learning: Hinton et al. 1995; Ellis et al. 2021, "DreamCoder").
"""

import torch
from torch import Tensor

from limner.actions import ActionSpace
from limner.worlds.proposals import perturb

SCALE, TURN, SHIFT = 0.12, 0.15, 0.03
"""Standard deviations: of size and shear as a share, of the angle in radians, of the place as a share."""


def augment(space: ActionSpace, programs: Tensor, generator: torch.Generator, *, perturbed: bool = True) -> Tensor:
    """Canonical ``programs`` int64[T, B, P], each rotated, scaled, sheared and shifted at random as a whole.

    The map is affine, about the middle of the canvas (of offsets: about the pen). If ``perturbed``, every other action
    is perturbed afterwards, which is right only where the picture that results is the target.
    """
    steps, batch, _ = programs.shape
    normal = torch.randn(7, batch, generator=generator)
    angle = TURN * normal[4]
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()]).view(2, 2, batch)
    stretch = torch.eye(2)[:, :, None] + SCALE * normal[:4].view(2, 2, batch)
    matrix = torch.einsum("ijb,jkb->ikb", turn, stretch)
    changed = programs.clone()
    for i, part in enumerate(space.parts):
        if part.grid is None:
            continue
        rows, columns = part.grid
        middle = torch.tensor([rows / 2, columns / 2])[:, None, None]
        shift = SHIFT * normal[5:, None] * middle * 2 if part.origin == (0, 0) else 0.0
        cells = torch.stack([programs[:, :, i] // columns, programs[:, :, i] % columns]) + 0.5
        row, column = (torch.einsum("ijb,jtb->itb", matrix, cells - middle) + middle + shift).floor().long()
        changed[:, :, i] = row.clamp(0, rows - 1) * columns + column.clamp(0, columns - 1)
    canonical = torch.from_numpy(space.canonical(changed.numpy()))
    if not perturbed:
        return canonical
    varied = perturb(space, canonical.flatten(0, 1), generator).view_as(canonical)
    return torch.where(torch.rand(steps, batch, 1, generator=generator) < 0.5, varied, canonical)


def mirror(space: ActionSpace, programs: Tensor, pictures: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Canonical ``programs`` int64[T, B, P] and ``pictures`` uint8[B, S, S, C], each flipped and turned at random.

    All eight symmetries of the square are equally likely. Grids are square. The picture that a program paints is
    mirrored with it if its brush is round.
    """
    flips = torch.rand(3, programs.shape[1], generator=generator) < 0.5
    changed = programs.clone()
    for i, part in enumerate(space.parts):
        if part.grid is None:
            continue
        rows, columns = part.grid
        row, column = programs[:, :, i] // columns, programs[:, :, i] % columns
        row = torch.where(flips[0], rows - 1 - row, row)
        column = torch.where(flips[1], columns - 1 - column, column)
        row, column = torch.where(flips[2], column, row), torch.where(flips[2], row, column)
        changed[:, :, i] = row * columns + column
    pictures = torch.where(flips[0].view(-1, 1, 1, 1), pictures.flip(1), pictures)
    pictures = torch.where(flips[1].view(-1, 1, 1, 1), pictures.flip(2), pictures)
    pictures = torch.where(flips[2].view(-1, 1, 1, 1), pictures.transpose(1, 2), pictures)
    return torch.from_numpy(space.canonical(changed.numpy())), pictures
