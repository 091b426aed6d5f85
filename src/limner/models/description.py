"""Descriptions: programs as numbers, and pictures beside them, for a critic that judges both.

Notable choices:
- The gradient penalty needs points between a real and a painted pair, so a program is not embedded but described by
  numbers between which one can move: a place by its coordinates, a scale by its rank, a flag by one number per value.
- 0 stands for what does not count. An action that is not there is all zeros, which is also what a convolution along
  the program pads with.
- A picture and its program lie in one vector: what keeps, draws, mixes and penalises pictures does so with pairs.
"""

from __future__ import annotations

import torch
from torch import Tensor

from limner.actions import WORDS, ActionSpace, Part


def describe(actions: Tensor, space: ActionSpace) -> Tensor:
    """Actions ``int64[…, P]`` as ``float32[…, F]``, part by part, parts that do not count as zeros.

    A verb has as many numbers as values, a place two, (x, y) in (−1, 1) with the middle of its grid in the middle, any
    other part its rank in (0, 1], so that no value is 0.
    """
    verb = space.verb
    painting = None if verb is None else torch.tensor(space.complete, device=actions.device)[actions[..., verb]]
    described = []
    for i, part in enumerate(space.parts):
        numbers = _numbers(part).to(actions.device)[actions[..., i]]
        if part.dependent and painting is not None:
            numbers = numbers * painting[..., None]
        described.append(numbers)
    return torch.cat(described, dim=-1)


def description_shape(space: ActionSpace, steps: int) -> tuple[int, int]:
    """Shape (T, F) of the description of a program of ``steps`` actions."""
    return steps, sum(_numbers(part).shape[1] for part in space.parts)


def join(pictures: Tensor, descriptions: Tensor) -> Tensor:
    """Pairs ``float32[N, C·R·R + T·F]`` of pictures ``float32[N, C, R, R]`` and programs ``float32[N, T, F]``."""
    return torch.cat([pictures.flatten(1), descriptions.flatten(1)], dim=1)


def separate(pairs: Tensor, shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Pixels ``float32[N, C·R·R]`` and programs ``float32[N, T, F]`` of pairs, where ``shape`` is (T, F)."""
    pixels = pairs.shape[1] - shape[0] * shape[1]
    return pairs[:, :pixels], pairs[:, pixels:].reshape(-1, *shape)


def cut(pairs: Tensor, lengths: Tensor, shape: tuple[int, int]) -> Tensor:
    """Pairs whose programs, described in ``shape`` (T, F), end after the first ``lengths`` int64[N] actions."""
    pictures, programs = separate(pairs, shape)
    kept = torch.arange(shape[0], device=pairs.device) < lengths[:, None]
    return join(pictures, programs * kept[..., None])


def _numbers(part: Part) -> Tensor:
    """What stands for each value of ``part``, ``float32[size, F of the part]``."""
    if part.name in WORDS:
        return torch.eye(part.size)
    values = torch.arange(part.size)
    if part.grid is None:
        return (values[:, None] + 1) / part.size
    rows, columns = part.grid
    x, y = (values % columns + 0.5) / columns, (values // columns + 0.5) / rows
    return torch.stack([x, y], dim=1) * 2 - 1
