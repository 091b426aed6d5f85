"""Dreams: made-up programs. The picture of each is a target for which its actions are right, exactly and for free.

Two sources: chance, and variations of programs that are known to paint pictures of the data (the dreams of wake-sleep
learning: Hinton et al. 1995; Ellis et al. 2021, "DreamCoder"). The second kind looks like the data.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from limner.actions import CHANGE, PLACE, SKIP, ActionSpace
from limner.search.lookahead import vary

SCALE, TURN, SHIFT = 0.12, 0.15, 0.03
"""Deviations of a variation: of size and shear as a share, of the angle in radians, of the place as a share."""


def random_programs(space: ActionSpace, shape: torch.Size, generator: torch.Generator) -> Tensor:
    """Canonical random programs ``int64[T, B, P]``: small curves here and there, or some objects.

    All parts are uniform but the places of curves: those of one action lie around a centre, with a deviation of a sixth
    of the grid; every other action starts a new centre, uniform on the canvas, the others stay near the last. Objects
    are at most two thirds of the actions, at least one, and skips follow: that leaves time to mend what went wrong.
    """
    steps, batch, _ = shape
    actions = torch.stack([torch.randint(size, (steps, batch), generator=generator) for size in space.sizes], dim=-1)
    if "op" in space:
        objects = torch.randint(1, max(2, steps * 2 // 3 + 1), (batch,), generator=generator)
        placed = torch.arange(steps)[:, None] < objects
        actions[..., space.index("op")] = torch.where(placed, PLACE, SKIP)
        return torch.from_numpy(space.canonical(actions.numpy()))
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


def dream(space: ActionSpace, programs: Tensor, generator: torch.Generator, *, retouched: bool = True) -> Tensor:
    """Canonical variations ``int64[T, B, P]`` of canonical ``programs``: turned, stretched, shifted, retouched.

    Each program is transformed as a whole, a random affine map about the middle of the canvas (of offsets: about the
    pen), then every other action is varied a little, if they are to be ``retouched``.
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
    if not retouched:
        return canonical
    varied = vary(space, canonical.flatten(0, 1), generator).view_as(canonical)
    return torch.where(torch.rand(steps, batch, 1, generator=generator) < 0.5, varied, canonical)


def correct(space: ActionSpace, programs: Tensor, hand: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    """What is right at every step of canonical ``programs`` int64[T, B, P], and what a ``hand`` that errs does instead.

    ``hand`` is given right actions ``int64[…, P]``. What was painted wrong stays, and the program goes on; an object
    that was placed wrong is changed first, as long as there are steps enough for those that are still to come.
    """
    if "op" not in space:
        return programs, hand(programs)
    op = space.index("op")
    steps, batch, _ = programs.shape
    rows, position = torch.arange(batch), torch.zeros(batch, dtype=torch.int64)
    objects = (programs[..., op] != SKIP).sum(0)
    right, wrong = torch.zeros_like(programs[0]), torch.zeros(batch, dtype=torch.bool)
    advice, done = [], []
    for t in range(steps):
        mended = right.clone()
        mended[:, op] = CHANGE
        advised = torch.where(wrong[:, None], mended, programs[position.clamp(max=steps - 1), rows])
        position = position + ~wrong
        spare = steps - 1 - t > (objects - position).clamp(min=0)
        did = torch.where(spare[:, None], hand(advised), advised)
        right, wrong = advised, (did != advised).any(1)
        advice.append(advised)
        done.append(did)
    return torch.stack(advice), torch.stack(done)
