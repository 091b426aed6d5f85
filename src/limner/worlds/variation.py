"""Changing actions: small random perturbations, and another colour."""

from __future__ import annotations

import torch
from torch import Tensor

from limner.actions import COLOURS, ActionSpace


def perturb(space: ActionSpace, actions: Tensor, generator: torch.Generator) -> Tensor:
    """Canonical actions ``int64[N, P]`` with some parts changed: places by a few cells, values by one step."""
    changed = actions.clone()
    count = len(actions)

    def with_probability(share: float) -> Tensor:
        return torch.rand(count, generator=generator) < share

    for i, part in enumerate(space.parts):
        value = actions[:, i]
        if part.grid is not None:
            rows, columns = part.grid
            reach = torch.where(with_probability(0.5), 0.7, 2.0)
            shift = torch.randn(2, count, generator=generator).mul(reach).round().long()
            row = (value // columns + shift[0]).clamp(0, rows - 1)
            column = (value % columns + shift[1]).clamp(0, columns - 1)
            changed[:, i] = torch.where(with_probability(0.5), row * columns + column, value)
        elif i == space.verb:
            continue
        elif part.values is None:
            changed[:, i] = torch.where(
                with_probability(0.25), torch.randint(part.size, (count,), generator=generator), value
            )
        else:
            step = torch.where(with_probability(0.5), 1, -1)
            changed[:, i] = torch.where(with_probability(0.25), (value + step).clamp(0, part.size - 1), value)
    return torch.from_numpy(space.canonical(changed.numpy()))


def recolour(space: ActionSpace, actions: Tensor, colour: Tensor) -> Tensor:
    """Canonical actions ``int64[N, P]``, in the nearest level to ``colour`` float32[N, 3], each channel in [0, 1]."""
    changed = actions.clone()
    for channel, name in enumerate(COLOURS):
        part = space.index(name)
        changed[:, part] = (colour[:, channel] * (space.sizes[part] - 1)).round().long()
    return torch.from_numpy(space.canonical(changed.numpy()))
