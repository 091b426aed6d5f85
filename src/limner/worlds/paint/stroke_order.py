"""Arrangement: the strokes of a program in an order in which a hand could draw them.

A search finds strokes in any order and direction, and as many programs paint one picture as it has strokes to permute.
A prior over programs need not learn which of them chance has found: it learns the arranged one.

Notable choices:
- Strokes follow each other so that the pen travels little between them: from the one that starts nearest to the upper
  left corner, always on to the nearest end, whichever way round.
- Dark strokes on white paint the same picture in any order, up to rounding; only turning one round can change the
  picture a little where a brush minds the direction. Colours cover each other, so programs in colour are not arranged.
"""

from __future__ import annotations

import torch
from torch import Tensor

from limner.actions import ActionSpace


def can_order_strokes(space: ActionSpace) -> bool:
    """Whether the order of strokes matters little: each says where it starts, and all have one colour."""
    return space.standalone and not space.coloured


def order_strokes(space: ActionSpace, programs: Tensor) -> Tensor:
    """Programs ``int64[T, B, P]`` with their strokes reordered, some of them turned round."""
    steps, batch, _ = programs.shape
    start, end = space.index("start"), space.index("end")
    turned = programs.clone()
    turned[..., [start, end]] = programs[..., [end, start]]
    ways = torch.cat([programs, turned])
    cells = torch.from_numpy(space.cells(ways.numpy(), "start")).float()  # [2T, B, 2]
    ends = torch.from_numpy(space.cells(ways.numpy(), "end")).float()
    pen = torch.zeros(batch, 2)
    left = torch.ones(2 * steps, batch, dtype=torch.bool)
    arranged = torch.empty_like(programs)
    rows = torch.arange(batch)
    for t in range(steps):
        far = (cells - pen).square().sum(-1).masked_fill(~left, torch.inf)
        chosen = far.argmin(0)
        arranged[t] = ways[chosen, rows]
        pen = ends[chosen, rows]
        left[chosen, rows] = left[(chosen + steps) % (2 * steps), rows] = False
    return arranged
