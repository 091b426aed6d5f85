"""Requests of pages, checked: what a worker is asked for, and programs. ``ValueError`` names what is wrong."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from limner.programs.program import Program
from limner.studio.agents import Agents
from limner.studio.document import LONGEST
from limner.worlds import find_world
from limner.worlds.validation import brief, require

MOST_STROKES = 5000
LONGEST_SEARCH = 600
"""Seconds."""
MOST_SAMPLES = 16
SEEDS = 2**53 - 1


def sample(agents: Agents, values: dict[str, Any]) -> dict[str, Any]:
    """The request for samples."""
    return {
        "do": "sample",
        "agent": agents.name_of(values.get("agent")),
        "count": _whole(values, "count", 1, MOST_SAMPLES, 8),
        "seed": _whole(values, "seed", 0, SEEDS, 0),
        "temperature": _number(values, "temperature", 0, 10, None),
    }


def painting(agents: Agents, values: dict[str, Any], start: Program | None) -> dict[str, Any]:
    """The request for a painting, to go on from the program ``start`` if there is one with actions."""
    strokes = _whole(values, "strokes", 1, MOST_STROKES, None)
    began = start is not None and len(start) > 0
    if start is not None and began and strokes is not None:
        strokes = min(strokes + len(start), LONGEST)
    return {
        "do": "paint",
        "agent": agents.name_of(values.get("agent")),
        "strokes": strokes,
        "seconds": _number(values, "seconds", 0, LONGEST_SEARCH, 0.0),
        "detail": _whole(values, "detail", 1, 16, None),
        "seed": _whole(values, "seed", 0, SEEDS, 0),
        "region": _region(values.get("region")),
        "start": start.to_json(one_line=True) if start is not None and began else None,
        "threads": os.cpu_count() or 1,
    }


def outlook(agents: Agents, query: Mapping[str, str], program: Program) -> dict[str, Any]:
    """The request for an outlook."""
    count, name = _read_whole(query, "count", 0, len(program)), query.get("agent")
    begun = replace(program, actions=program.actions[:count])
    about = {"do": "outlook", "agent": agents.name_of(name), "rewarded": agents.rewarded(name)}
    return about | {"program": begun.to_json(one_line=True), "seed": program.seed}


def program(text: Any) -> Program:
    """The program that a text holds, of a renderer that names no file."""
    require(isinstance(text, str), "program must be the text of a program file")
    try:
        settings = json.loads(text)["renderer"]
        choices = find_world(settings["name"]).choices()
    except (ValueError, KeyError, TypeError, RecursionError):
        return Program.from_json(text)  # which says what is wrong with it
    for name, known in choices.items():
        if name in settings and settings[name] not in known:
            raise ValueError(f"renderer.{name} is {brief(settings[name])}: no {name} of that name is installed")
    return Program.from_json(text)


def place(query: Mapping[str, str]) -> tuple[float, float, int]:
    """A place of the canvas, x and y in [0, 1], and a number of actions."""
    return _read_share(query, "x"), _read_share(query, "y"), _read_whole(query, "count", 0, LONGEST)


def size(query: Mapping[str, str]) -> int:
    """Pixels along the longer side of a picture."""
    return _read_whole(query, "size", 64, 4096) if "size" in query else 1024


def _region(values: Any) -> list[float] | None:
    if values is None:
        return None
    numbers = isinstance(values, list) and len(values) == 4 and all(type(value) in (int, float) for value in values)
    fits = numbers and 0 <= values[0] < values[2] <= 1 and 0 <= values[1] < values[3] <= 1
    require(fits, f"region is {brief(values)}: must be left, top, right and bottom as shares of the picture")
    return [float(value) for value in values]


def _whole(values: dict[str, Any], name: str, low: int, high: int, default: int | None) -> int | None:
    value = values.get(name)
    if value is None:
        return default
    if type(value) is not int or not low <= value <= high:
        raise ValueError(f"{name} is {brief(value)}: must be a whole number in {low} … {high}")
    return value


def _number(values: dict[str, Any], name: str, low: float, high: float, default: float | None) -> float | None:
    value = values.get(name)
    if value is None:
        return default
    if type(value) not in (int, float) or not low <= value <= high:
        raise ValueError(f"{name} is {brief(value)}: must be a number in {low:g} … {high:g}")
    return float(value)


def _read_whole(query: Mapping[str, str], name: str, low: int, high: int) -> int:
    text = query.get(name, "")
    if not text.isascii() or not text.isdecimal() or len(text) > 9 or not low <= int(text) <= high:
        raise ValueError(f"{name} is {brief(text)}: must be a whole number in {low} … {high}")
    return int(text)


def _read_share(query: Mapping[str, str], name: str) -> float:
    try:
        value = float(query.get(name, ""))
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise ValueError(f"{name} is {brief(query.get(name))}: must be a number in 0 … 1")
    return value
