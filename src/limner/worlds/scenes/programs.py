"""Random programs of scenes, and the expert's corrections of them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from limner.actions import ActionSpace
from limner.worlds.scenes.objects import CHANGE, PLACE, SKIP


def random_scenes(space: ActionSpace, steps: int, batch: int, generator: torch.Generator) -> Tensor:
    """Canonical random programs ``int64[steps, batch, P]``: some objects, all parts uniform, then skips.

    Objects are at least one and at most two thirds of the actions: that leaves time to correct perturbed ones.
    """
    actions = torch.stack([torch.randint(size, (steps, batch), generator=generator) for size in space.sizes], dim=-1)
    objects = torch.randint(1, max(2, steps * 2 // 3 + 1), (batch,), generator=generator)
    placed = torch.arange(steps)[:, None] < objects
    actions[..., space.index("op")] = torch.where(placed, PLACE, SKIP)
    return torch.from_numpy(space.canonical(actions.numpy()))


def correct_objects(space: ActionSpace, programs: Tensor, perturb: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    """As ``World.correct``: after a perturbed object the expert changes it, as long as there are steps enough.

    Steps are enough when those left suffice for the objects that are still to be placed.
    """
    op = space.index("op")
    steps, batch, _ = programs.shape
    rows, position = torch.arange(batch), torch.zeros(batch, dtype=torch.int64)
    objects = (programs[..., op] != SKIP).sum(0)
    right, wrong = torch.zeros_like(programs[0]), torch.zeros(batch, dtype=torch.bool)
    expert, done = [], []
    for t in range(steps):
        change = right.clone()
        change[:, op] = CHANGE
        action = torch.where(wrong[:, None], change, programs[position.clamp(max=steps - 1), rows])
        position = position + ~wrong
        spare = steps - 1 - t > (objects - position).clamp(min=0)
        did = torch.where(spare[:, None], perturb(action), action)
        right, wrong = action, (did != action).any(1)
        expert.append(action)
        done.append(did)
    return torch.stack(expert), torch.stack(done)
