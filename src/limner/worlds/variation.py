"""Random actions and changes of actions, as tensors."""

from collections.abc import Sequence

import torch
from torch import Tensor

from limner.actions import COLOURS, ActionSpace


def canonical(space: ActionSpace, actions: Tensor) -> Tensor:
    """A copy of ``actions`` int64[..., P] with every part that does not count set to 0."""
    return torch.from_numpy(space.canonical(actions.numpy()))


def random_actions(space: ActionSpace, shape: Sequence[int], generator: torch.Generator) -> Tensor:
    """Actions ``int64[*shape, P]`` with uniform random values of all parts, not canonical."""
    return torch.stack([torch.randint(size, tuple(shape), generator=generator) for size in space.sizes], dim=-1)


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
            chosen = with_probability(0.25)
            changed[:, i] = torch.where(chosen, torch.randint(part.size, (count,), generator=generator), value)
        else:
            step = torch.where(with_probability(0.5), 1, -1)
            changed[:, i] = torch.where(with_probability(0.25), (value + step).clamp(0, part.size - 1), value)
    return canonical(space, changed)


def recolour(space: ActionSpace, actions: Tensor, colour: Tensor) -> Tensor:
    """Canonical actions ``int64[N, P]`` in the levels nearest to ``colour`` float32[N, 3], channels in [0, 1]."""
    changed = actions.clone()
    for channel, name in enumerate(COLOURS):
        part = space.index(name)
        changed[:, part] = (colour[:, channel] * (space.sizes[part] - 1)).round().long()
    return canonical(space, changed)
