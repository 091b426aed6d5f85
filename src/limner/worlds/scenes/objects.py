"""Programs that place objects: what stands there in the end."""

from __future__ import annotations

from functools import reduce

import numpy as np

from limner.actions import ActionSpace, IntArray

VERBS = ("place", "change", "skip")
PLACE, CHANGE, SKIP = 0, 1, 2
"""Values of the part ``op``: place a new object, change the one placed last, or do nothing."""


def objects(space: ActionSpace, actions: IntArray) -> IntArray:
    """The objects that canonical ``actions`` int64[T, P] leave, in the order in which they were placed: int64[n, P].

    Each as the action that places it, with all that was changed later.
    """
    op = space.index("op")
    return reduce(lambda left, action: build(left, action, op), actions, np.empty((0, len(space)), np.int64))


def build(left: IntArray, action: IntArray, op: int) -> IntArray:
    """What ``action`` int64[P], whose verb is part ``op``, makes of the objects ``left``, int64[n, P]."""
    if action[op] == SKIP:
        return left
    kept = left[:-1] if action[op] == CHANGE else left
    built = np.concatenate([kept, action[None]])
    built[-1, op] = PLACE
    return built
