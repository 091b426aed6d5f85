"""Changes of a program that a person asks for, as JSON objects: ``{"do": "delete", "steps": [3, 4]}``.

| do | what else is given | what it does |
|---|---|---|
| set | steps, values | gives parts of actions other values, counted from 0, by their names |
| place | step, part, x, y | moves a place of an action, to the nearest cell |
| shift | steps, x, y | moves all places of actions by shares of the canvas, as far as there are cells |
| delete | steps | |
| move | step, to | takes an action out and puts it where it becomes number ``to`` |
| insert | at, action | puts an action in |
| copy | step | puts the same action behind it |
| cut | at | keeps so many actions |
| choose | setting, name | gives a setting of the renderer, such as the brush, another of the names there are |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from limner.actions import ActionSpace, IntArray, Part
from limner.programs.program import Program
from limner.worlds import find_world
from limner.worlds.validation import brief, expect_object, require

Edited = Callable[[Program], Program]


def read_edit(values: Any) -> tuple[Edited, str]:
    """What an edit does, and a note of it for people; ``ValueError`` unless it is one of the table."""
    edit = expect_object(values, "edit")
    kinds = {"set": _set, "place": _place, "shift": _shift, "delete": _delete, "move": _move}
    kinds |= {"insert": _insert, "copy": _copy, "cut": _cut, "choose": _choose}
    do = edit.get("do")
    if not isinstance(do, str) or do not in kinds:
        raise ValueError(f"edit: do is {brief(do)}: must be one of {', '.join(kinds)}")
    kind = kinds[do]
    return lambda program: kind(program, edit), _note(do, edit)


def point(part: Part, value: int) -> tuple[float, float]:
    """Where a cell of a place is seen, x and y in [0, 1] of the canvas; an offset is shown from the middle."""
    assert part.grid is not None
    if part.sights is not None:
        return part.sights[value]
    row, column = divmod(value, part.grid[1])
    return (column + 0.5) / part.grid[1], (row + 0.5) / part.grid[0]


def nearest(part: Part, x: float, y: float) -> int:
    """The cell that is nearest to a place of the canvas."""
    assert part.grid is not None
    if part.sights is not None:
        return int(np.square(np.asarray(part.sights) - (x, y)).sum(1).argmin())
    rows, columns = part.grid
    row, column = (min(count - 1, max(0, int(place * count))) for place, count in ((y, rows), (x, columns)))
    return row * columns + column


def _set(program: Program, edit: dict[str, Any]) -> Program:
    steps, space, values = _steps(program, edit), program.space, expect_object(edit.get("values"), "edit.values")
    actions = program.actions.copy()
    for name in values:
        index = _part(space, name)
        actions[steps, index] = _integer(values, name, 0, space.sizes[index] - 1)
    return replace(program, actions=actions)


def _place(program: Program, edit: dict[str, Any]) -> Program:
    step, space = _integer(edit, "step", 0, len(program) - 1), program.space
    index = _part(space, edit.get("part"))
    part = space.parts[index]
    require(part.grid is not None, f"edit: part is {part.name!r}: must be a place")
    actions = program.actions.copy()
    actions[step, index] = nearest(part, _share(edit, "x"), _share(edit, "y"))
    return replace(program, actions=actions)


def _shift(program: Program, edit: dict[str, Any]) -> Program:
    steps, x, y = _steps(program, edit), _share(edit, "x"), _share(edit, "y")
    actions = program.actions.copy()
    for index, part in enumerate(program.space.parts):
        if part.grid is not None and part.origin == (0, 0):
            for step in steps:
                at = point(part, int(actions[step, index]))
                actions[step, index] = nearest(part, at[0] + x, at[1] + y)
    return replace(program, actions=actions)


def _delete(program: Program, edit: dict[str, Any]) -> Program:
    return replace(program, actions=np.delete(program.actions, _steps(program, edit), axis=0))


def _move(program: Program, edit: dict[str, Any]) -> Program:
    step, to = (_integer(edit, name, 0, len(program) - 1) for name in ("step", "to"))
    rest = np.delete(program.actions, step, axis=0)
    return replace(program, actions=np.insert(rest, to, program.actions[step], axis=0))


def _insert(program: Program, edit: dict[str, Any]) -> Program:
    at, action = _integer(edit, "at", 0, len(program)), edit.get("action")
    whole = isinstance(action, list) and all(type(value) is int and abs(value) < 2**31 for value in action)
    require(whole, f"edit: action is {brief(action)}: must be a list of whole numbers")
    checked: IntArray = program.space.validate(np.asarray(action, np.int64))
    return replace(program, actions=np.insert(program.actions, at, checked, axis=0))


def _copy(program: Program, edit: dict[str, Any]) -> Program:
    step = _integer(edit, "step", 0, len(program) - 1)
    return replace(program, actions=np.insert(program.actions, step + 1, program.actions[step], axis=0))


def _cut(program: Program, edit: dict[str, Any]) -> Program:
    return replace(program, actions=program.actions[: _integer(edit, "at", 0, len(program))])


def _choose(program: Program, edit: dict[str, Any]) -> Program:
    setting, name = edit.get("setting"), edit.get("name")
    choices = find_world(program.renderer["name"]).choices()
    require(isinstance(setting, str) and setting in choices, f"edit: setting is {brief(setting)}: there is no choice")
    require(name in choices[str(setting)], f"edit: name is {brief(name)}: no {setting} of that name is installed")
    return replace(program, renderer=program.renderer | {str(setting): name})


def _note(do: str, edit: dict[str, Any]) -> str:
    steps = edit.get("steps")
    count = len(steps) if isinstance(steps, list) else 1
    what = "action" if count == 1 else f"{count} actions"
    words = {"place": "move a point", "shift": f"move {what}", "move": "change the order", "cut": "cut", "copy": "copy"}
    words |= {
        "set": f"change {' '.join(edit['values'])[:20]}" if isinstance(edit.get("values"), dict) else "",
        "choose": f"change {str(edit.get('setting'))[:20]}",
    }
    return words.get(do, f"{do} {what}")


def _steps(program: Program, edit: dict[str, Any]) -> list[int]:
    steps, count = edit.get("steps"), len(program)
    some = isinstance(steps, list) and 0 < len(steps) <= count
    fits = some and all(type(step) is int and 0 <= step < count for step in steps or [])
    require(fits, f"edit: steps is {brief(steps)}: must be one or more whole numbers in 0 … {count - 1}")
    return sorted({*(steps or [])})


def _part(space: ActionSpace, name: object) -> int:
    if not isinstance(name, str) or name not in space:
        raise ValueError(f"edit: part is {brief(name)}: must be one of {', '.join(space.names)}")
    return space.index(name)


def _integer(edit: dict[str, Any], name: str, low: int, high: int) -> int:
    value = edit.get(name)
    if type(value) is not int or not low <= value <= high:
        raise ValueError(f"edit: {name} is {brief(value)}: must be a whole number in {low} … {high}")
    return value


def _share(edit: dict[str, Any], name: str) -> float:
    value = edit.get(name)
    if type(value) not in (int, float) or not -2 <= value <= 2:  # type: ignore[operator]
        raise ValueError(f"edit: {name} is {brief(value)}: must be a share of the canvas, -2 … 2")
    return float(value)  # type: ignore[arg-type]
