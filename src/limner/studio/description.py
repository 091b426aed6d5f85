"""What a page is told of a program: its parts in words and units, its settings, its frame, its actions."""

from __future__ import annotations

from typing import Any

from limner.actions import COLOURS, Part
from limner.programs.program import Program
from limner.studio.edits import point
from limner.worlds import find_world, read_settings

WORDS = {"size": "radius", "flag": "pen"}
"""For people, where it is not the name of the part."""
CELLS = 4096
"""Cells of a place whose sights are sent."""


def describe(program: Program) -> dict[str, Any]:
    """JSON values; all but the actions."""
    settings = read_settings(program.renderer)
    world = find_world(settings.name)
    frame, space = program.frame, program.space
    units = world.units(settings)
    box = (0, 0, 1, 1) if frame is None else [edge / 10_000 for edge in frame.box(10_000)]
    return {
        "title": program.title,
        "agent": program.agent,
        "renderer": program.renderer,
        "choices": world.choices(),
        "frame": box,
        "coloured": space.coloured,
        "verb": space.verb,
        "mask": space.mask_table.tolist(),
        "parts": [_part(part, units.get(part.name)) for part in space.parts],
    }


def actions_of(program: Program, start: int = 0) -> list[list[int]]:
    """The actions from number ``start`` on."""
    rows: list[list[int]] = program.actions[start:].tolist()
    return rows


def _part(part: Part, unit: tuple[float, str] | None) -> dict[str, Any]:
    values: dict[str, Any] = {"name": part.name, "words": WORDS.get(part.name, part.name), "size": part.size}
    if part.grid is not None:
        values |= {"grid": part.grid, "origin": part.origin}
        if part.sights is not None and part.size <= CELLS:
            values["sights"] = [point(part, cell) for cell in range(part.size)]
    if part.values is not None:
        factor, name = unit or (1, "")
        values |= {"values": [round(factor * value, 4) for value in part.values], "unit": name}
    if part.verbs:
        values["verbs"] = part.verbs
    if part.name in COLOURS:
        values["colour"] = True
    return values
