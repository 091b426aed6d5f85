"""Actions as a table that a person can read and edit, as in the files of programs.

A row starts with the verb, where the space has one ("paint", "jump", "place" …); only the columns that count follow. A
location is two columns, x and y, counted in grid cells: from the upper left, or from the pen. For example
``["paint", 12, 5, 10, 3, 2, 9]`` under ``["flag", "end x", "end y", "control x", "control y", "size", "pressure"]``.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from limner.actions import ActionSpace, IntArray
from limner.worlds.validation import brief

Row = list[int | str]


def columns(space: ActionSpace) -> list[str]:
    """Names of the columns: the parts in order, each location as its x and its y."""
    names = [(f"{part.name} x", f"{part.name} y") if part.grid is not None else (part.name,) for part in space.parts]
    return [name for several in names for name in several]


def write_rows(space: ActionSpace, actions: IntArray) -> list[Row]:
    """One row for each of the actions ``int64[T, P]``."""
    return [_write_row(space, action) for action in actions.tolist()]


def read_rows(space: ActionSpace, rows: Sequence[Any]) -> IntArray:
    """Canonical actions ``int64[T, P]``; ``ValueError`` naming the step and the column of the first bad cell."""
    actions = [_read_row(space, row, step) for step, row in enumerate(rows)]
    return np.asarray(actions, np.int64).reshape(len(rows), len(space))


def _write_row(space: ActionSpace, action: list[int]) -> Row:
    row: Row = []
    full = True
    for part, value in zip(space.parts, action, strict=True):
        if part.verbs:
            full = part.verbs[value] in part.full
            row.append(part.verbs[value])
        elif part.dependent and not full:
            continue
        elif part.grid is None:
            row.append(value)
        else:
            y, x = divmod(value, part.grid[1])
            row += [x - part.origin[1], y - part.origin[0]]
    return row


def _read_row(space: ActionSpace, row: Any, step: int) -> list[int]:
    if not isinstance(row, list):
        raise ValueError(f"step {step}: an action is a list, got {brief(row)}")
    cells = iter(row)
    action = []
    full = True

    def number(name: str, size: int, origin: int = 0) -> int:
        value = next(cells, None)
        if value is None:
            raise ValueError(f"step {step}: {name!r} is missing in {brief(row)}")
        if type(value) is not int:  # True is an int, too
            raise ValueError(f"step {step}: {name!r} must be a whole number, got {brief(value)}")
        if not 0 <= value + origin < size:
            raise ValueError(f"step {step}: {name!r} is {brief(value)}, must be in {-origin} … {size - 1 - origin}")
        return value + origin

    for part in space.parts:
        if part.verbs:
            verb = next(cells, None)
            if verb not in part.verbs:
                choice = " or ".join(f'"{choice}"' for choice in part.verbs)
                raise ValueError(f"step {step}: an action starts with {choice}, got {brief(verb)}")
            action.append(part.verbs.index(verb))
            full = verb in part.full
        elif part.dependent and not full:
            action.append(0)
        elif part.grid is None:
            action.append(number(part.name, part.size))
        else:
            column = number(f"{part.name} x", part.grid[1], part.origin[1])
            action.append(number(f"{part.name} y", part.grid[0], part.origin[0]) * part.grid[1] + column)
    if (extra := len(list(cells))) > 0:
        raise ValueError(f"step {step}: {extra} too many in {brief(row)}")
    return action
