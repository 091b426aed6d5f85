"""Random programs of the paint renderer: each is right for the picture that it paints."""

from __future__ import annotations

import torch
from torch import Tensor

from limner.actions import ActionSpace


def random_curves(space: ActionSpace, steps: int, batch: int, generator: torch.Generator) -> Tensor:
    """Canonical random programs ``int64[steps, batch, P]``: small curves in several places.

    All parts are uniform but the places: those of one action lie around a centre, with a standard deviation of a sixth
    of the grid. Every other action on average has a new centre, uniform on the canvas; the others keep the last.
    """
    actions = torch.stack([torch.randint(size, (steps, batch), generator=generator) for size in space.sizes], dim=-1)
    centre = torch.rand(2, batch, generator=generator)
    for t in range(steps):
        again = torch.rand(batch, generator=generator) < 0.5
        centre = torch.where(again, torch.rand(2, batch, generator=generator), centre)
        for i, part in enumerate(space.parts):
            if part.grid is not None:
                rows, columns = part.grid
                y, x = centre + torch.randn(2, batch, generator=generator) / 6
                row = (y * rows).long().clamp(0, rows - 1)
                actions[t, :, i] = row * columns + (x * columns).long().clamp(0, columns - 1)
    return torch.from_numpy(space.canonical(actions.numpy()))
