"""Actions as a table that a person can read and edit: how program files hold them.

Notable choices:
- A row starts with a word, ``paint``, ``jump`` or ``via``, ``place``, ``change`` or ``skip``, if the space has a part
  for the kind of an action; only the columns that count follow.
- A location is two columns, x and y, counted in grid cells: from the upper left, or from where the pen is.
- ``["paint", 12, 5, 10, 3, 2, 9]`` under ``["flag", "end x", "end y", "control x", "control y", "size", "pressure"]``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from limner.actions import COMPLETE, WORDS, ActionSpace, IntArray

Row = list[int | str]


def columns(space: ActionSpace) -> list[str]:
    """Names of the columns: the parts in order, each location as its x and its y."""
    return [
        name
        for part in space.parts
        for name in ((f"{part.name} x", f"{part.name} y") if part.grid is not None else (part.name,))
    ]


def write_rows(space: ActionSpace, actions: IntArray) -> list[Row]:
    """One row for each of the actions ``int64[T, P]``."""
    return [_write_row(space, action) for action in actions.tolist()]


def read_rows(space: ActionSpace, rows: Sequence[Any]) -> IntArray:
    """Canonical actions ``int64[T, P]``; ``ValueError`` naming the step and the column of the first bad cell."""
    actions = [_read_row(space, row, step) for step, row in enumerate(rows)]
    return np.asarray(actions, np.int64).reshape(len(rows), len(space))


def brief(value: object) -> str:
    """``repr``, cut short for an error message."""
    try:
        text = repr(value)
    except RecursionError:
        return "something nested too deeply"
    return text if len(text) <= 200 else text[:200] + " …"


def _write_row(space: ActionSpace, action: list[int]) -> Row:
    row: Row = []
    painting = True
    for part, value in zip(space.parts, action, strict=True):
        if part.name in WORDS:
            word = WORDS[part.name][value]
            painting = word in COMPLETE
            row.append(word)
        elif part.dependent and not painting:
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
    painting = True

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
        if part.name in WORDS:
            word, words = next(cells, None), WORDS[part.name][: part.size]
            if word not in words:
                choice = " or ".join(f'"{choice}"' for choice in words)
                raise ValueError(f"step {step}: an action starts with {choice}, got {brief(word)}")
            action.append(words.index(word))
            painting = word in COMPLETE
        elif part.dependent and not painting:
            action.append(0)
        elif part.grid is None:
            action.append(number(part.name, part.size))
        else:
            column = number(f"{part.name} x", part.grid[1], part.origin[1])
            action.append(number(f"{part.name} y", part.grid[0], part.origin[0]) * part.grid[1] + column)
    if (extra := len(list(cells))) > 0:
        raise ValueError(f"step {step}: {extra} too many in {brief(row)}")
    return action
