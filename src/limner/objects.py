"""Programs that place objects: what stands there in the end."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from limner.actions import CHANGE, PLACE, SKIP, ActionSpace, IntArray


def objects(space: ActionSpace, actions: IntArray) -> IntArray:
    """The objects that canonical ``actions`` int64[T, P] leave, in the order in which they were placed: int64[n, P].

    Each as the action that places it, with all that was changed later.
    """
    op = space.index("op")
    left: list[IntArray] = []
    for action in actions:
        if action[op] == SKIP:
            continue
        if action[op] == CHANGE and left:
            left.pop()
        left.append(action)
    result = np.array(left, np.int64).reshape(-1, len(space))
    result[:, op] = PLACE
    return result


def settle(space: ActionSpace, programs: Tensor) -> Tensor:
    """Programs ``int64[T, B, P]`` that place the same objects at once, and skip from then on."""
    settled = torch.zeros_like(programs)
    settled[..., space.index("op")] = SKIP
    for row, program in enumerate(programs.transpose(0, 1).numpy()):
        left = objects(space, program)
        settled[: len(left), row] = torch.from_numpy(left)
    return settled
