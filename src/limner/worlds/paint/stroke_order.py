"""Stroke order: the strokes of a program in an order in which a person could draw them.

A search finds strokes in any order and direction, so one picture has as many programs as its strokes have permutations.
A prior over programs is learnt from one standard order instead: from the stroke that starts nearest to the upper left
corner, always on to the nearest end, in either direction.
"""

import torch
from torch import Tensor

from limner.actions import ActionSpace
from limner.worlds.paint.settings import standalone


def can_order_strokes(space: ActionSpace) -> bool:
    """Whether the order of strokes matters little: each gives its start, and all have one colour.

    Dark strokes on white paint the same picture in any order, up to rounding; a reversed stroke differs a little where
    a brush depends on the direction. Colours cover each other.
    """
    return standalone(space) and not space.coloured


def order_strokes(space: ActionSpace, programs: Tensor) -> Tensor:
    """Programs ``int64[T, B, P]`` with their strokes reordered, some of them reversed."""
    steps, batch, _ = programs.shape
    start, end = space.index("start"), space.index("end")
    reversed_ = programs.clone()
    reversed_[..., [start, end]] = programs[..., [end, start]]
    both = torch.cat([programs, reversed_])
    cells = torch.from_numpy(space.cells(both.numpy(), "start")).float()  # [2T, B, 2]
    ends = torch.from_numpy(space.cells(both.numpy(), "end")).float()
    pen = torch.zeros(batch, 2)
    left = torch.ones(2 * steps, batch, dtype=torch.bool)
    ordered = torch.empty_like(programs)
    rows = torch.arange(batch)
    for t in range(steps):
        far = (cells - pen).square().sum(-1).masked_fill(~left, torch.inf)
        chosen = far.argmin(0)
        ordered[t] = both[chosen, rows]
        pen = ends[chosen, rows]
        left[chosen, rows] = left[(chosen + steps) % (2 * steps), rows] = False
    return ordered
