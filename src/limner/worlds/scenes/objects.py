"""The objects that a program places."""

from functools import reduce

import numpy as np

from limner.actions import ActionSpace, IntArray

VERBS = ("place", "change", "skip")
PLACE, CHANGE, SKIP = 0, 1, 2
"""Values of the part ``op``: place a new object, change the one placed last, or do nothing."""


def objects(space: ActionSpace, actions: IntArray) -> IntArray:
    """The objects after canonical ``actions`` int64[T, P], in the order in which they were placed: ``int64[n, P]``.

    Each is the action that places it, with all later changes.
    """
    op = space.index("op")
    return reduce(lambda before, action: build(before, action, op), actions, np.empty((0, len(space)), np.int64))


def build(before: IntArray, action: IntArray, op: int) -> IntArray:
    """The objects ``before``, int64[n, P], after one ``action`` int64[P], whose verb is part ``op``."""
    if action[op] == SKIP:
        return before
    kept = before[:-1] if action[op] == CHANGE else before
    built = np.concatenate([kept, action[None]])
    built[-1, op] = PLACE
    return built
