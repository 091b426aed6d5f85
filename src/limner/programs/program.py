"""Programs: what an agent writes, a renderer executes and a file holds.

A program is complete: constructing one fills in every default of its renderer, so a later change of a default cannot
change the picture, and validates everything, so a ``Program`` that exists can be executed. Parts that do not count (see
``ActionSpace.mask``) are set to 0: programs that paint alike are equal. The file is JSON meant for a text editor:
actions are the rows of a table (see ``limner.programs.table`` and docs/programs.md).
"""

from __future__ import annotations

import dataclasses
import json
import logging
import operator
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from limner.actions import ActionSpace, IntArray
from limner.files import write_atomic
from limner.programs.frame import Frame
from limner.programs.table import columns, read_rows, write_rows
from limner.worlds import find_world, make_renderer
from limner.worlds.validation import brief, require

logger = logging.getLogger(__name__)

SCHEMA = 2
MAX_BYTES = 16 * 2**20
"""Largest program that is read, in bytes: about half a million actions."""

_NEWER = "perhaps of a newer version of Limner"
_FIELDS = ("schema", "title", "agent", "seed", "frame", "renderer", "columns", "actions")


@dataclass(frozen=True, eq=False)
class Program:
    """A renderer's settings and the actions to execute, ``int64[T, P]``; T may be 0.

    ``renderer`` is what ``Renderer.settings`` returns; keys may be left out, their defaults are filled in. ``agent``
    and ``title`` are free text. ``seed`` records what the actions were sampled from; it does not influence the picture,
    because every fresh brush of libmypaint has the same random numbers. With a ``frame`` the picture is what lies in it
    of the canvas, which is square. ``ValueError`` when any of it is invalid.
    """

    renderer: dict[str, Any]
    actions: IntArray
    seed: int = 0
    agent: str = ""
    title: str = ""
    frame: Frame | None = None

    def __post_init__(self) -> None:
        space, settings, _ = resolve(self.renderer)
        actions = np.asarray(self.actions)
        if actions.size == 0:
            actions = np.zeros((0, len(space)), np.int64)
        require(actions.ndim == 2, f"the actions of a program are an array [steps, parts], got shape {actions.shape}")
        actions = space.canonical(space.validate(actions))
        actions.flags.writeable = False
        whole = hasattr(self.seed, "__index__") and not isinstance(self.seed, bool)
        seed = operator.index(self.seed) if whole else -1
        require(0 <= seed < 2**63, f"seed must be an integer in 0 … 2^63 − 1, got {self.seed!r}")
        for name, text in (("agent", self.agent), ("title", self.title)):
            require(isinstance(text, str), f"{name} must be text, got {text!r}")
            surrogate = any("\ud800" <= character <= "\udfff" for character in text)
            require(not surrogate, f"{name} holds half of a surrogate pair, which UTF-8 cannot store: {text!r}")
        framed = self.frame is None or isinstance(self.frame, Frame)
        require(framed, f"frame must be a Frame or None, got {self.frame!r}")
        object.__setattr__(self, "renderer", json.loads(settings))
        object.__setattr__(self, "actions", actions)
        object.__setattr__(self, "seed", seed)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A copy, or one from a pickle: what NumPy copies can be written to."""
        vars(self).update(state)
        self.actions.flags.writeable = False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Program) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash(self.to_json())

    def __len__(self) -> int:
        return len(self.actions)

    def _repr_png_(self) -> bytes:
        """What a notebook shows: the picture."""
        from limner.programs.notebook import picture_png

        return picture_png(self)

    @property
    def space(self) -> ActionSpace:
        """The action space of the renderer, to which the columns of ``actions`` belong."""
        return resolve(self.renderer)[0]

    def to_json(self, one_line: bool = False) -> str:
        """JSON text: by default laid out as a table for a text editor, or in one line."""
        space = self.space
        rows = write_rows(space, self.actions)
        about: dict[str, Any] = {"schema": SCHEMA, "title": self.title, "agent": self.agent, "seed": self.seed}
        about |= {} if self.frame is None else {"frame": asdict(self.frame)}
        if one_line:
            values = about | {"renderer": self.renderer, "columns": columns(space), "actions": rows}
            return json.dumps(values, ensure_ascii=False, separators=(",", ":"))
        lines = [f'  "{name}": {_dump(value)}' for name, value in about.items()]
        settings = ",\n".join(f"    {_dump(key)}: {_dump(value)}" for key, value in self.renderer.items())
        lines += [f'  "renderer": {{\n{settings}\n  }}', f'  "columns": {_dump(columns(space))}']
        width = max((len(str(cell)) for row in rows for cell in row if isinstance(cell, int)), default=1)
        table = ",\n".join(f"    [{', '.join(_dump(cell).rjust(width) for cell in row)}]" for row in rows)
        verbs = () if space.verb is None else space.parts[space.verb].verbs
        for verb in verbs:  # aligned with the longest
            table = table.replace(f'"{verb}", ', f'"{verb}", ' + " " * (max(map(len, verbs)) - len(verb)))
        lines.append(f'  "actions": [\n{table}\n  ]' if rows else '  "actions": []')
        return "{\n" + ",\n".join(lines) + "\n}\n"

    @classmethod
    def from_json(cls, text: str) -> Program:
        """The program that ``to_json`` wrote or a person edited; ``ValueError`` naming what is wrong with it.

        A setting of the renderer that is missing has its default, of which a warning is logged.
        """
        program, assumed = _parse(text)
        _warn("a program", assumed)
        return program

    def save(self, path: str | Path) -> None:
        """Write the program to ``path`` as JSON, atomically."""
        write_atomic(path, self.to_json())

    @classmethod
    def load(cls, path: str | Path) -> Program:
        """Read a program; ``ValueError`` naming the file and what is wrong with it, ``OSError`` if unreadable."""
        with open(path, "rb") as file:
            program, assumed = _decode(file.read(MAX_BYTES + 1), str(path))
        _warn(str(path), assumed)
        return program


def save_programs(path: str | Path, programs: Iterable[Program]) -> None:
    """Write programs as JSON lines (``programs.jsonl``), one a line, atomically."""
    write_atomic(path, "".join(program.to_json(one_line=True) + "\n" for program in programs))


def load_programs(path: str | Path) -> list[Program]:
    """Read what ``save_programs`` wrote; ``ValueError`` naming the file, the line and what is wrong with it."""
    programs = []
    for program in each_program(path):
        if isinstance(program, ValueError):
            raise program
        programs.append(program)
    return programs


def each_program(path: str | Path) -> Iterator[Program | ValueError]:
    """Read what ``save_programs`` wrote, one after the other; of a bad one what ``load_programs`` raises."""
    warned = False
    with open(path, "rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(MAX_BYTES + 1), b""), start=1):
            if line.strip():
                try:
                    program, assumed = _decode(line, f"{path}, line {number}")
                except ValueError as error:
                    yield error
                    continue
                if assumed and not warned:
                    _warn(f"{path}, line {number}", assumed)
                    warned = True
                yield program


def load_alike(path: str | Path, settings: dict[str, Any], steps: int) -> list[Program]:
    """Read programs of one kind, at least one: ``steps`` actions each for a renderer with ``settings``.

    ``ValueError`` naming the first program that has another length or other settings.
    """
    programs = load_programs(path)
    require(len(programs) > 0, f"{path} holds no program")
    for i, program in enumerate(programs):
        if len(program) != steps:
            raise ValueError(f"{path}: program {i} has {len(program)} actions, this run has horizon={steps}")
        if name := first_difference(settings, program.renderer):
            its = program.renderer.get(name)
            raise ValueError(f"{path}: program {i} has renderer.{name} {its!r}, this run {settings[name]!r}")
    return programs


def first_difference(settings: dict[str, Any], others: dict[str, Any]) -> str | None:
    """The name of the first of a renderer's ``settings`` that differs in ``others``; None if there is none."""
    return next((name for name in settings if others.get(name) != settings[name]), None)


def resolve(settings: dict[str, Any]) -> tuple[ActionSpace, str, tuple[int, int, int]]:
    """Action space, complete settings (JSON) and canvas shape of a renderer; ``ValueError`` naming a bad setting."""
    return _resolve(_dump(settings))


@lru_cache(maxsize=256)
def _resolve(settings: str) -> tuple[ActionSpace, str, tuple[int, int, int]]:
    renderer = make_renderer(json.loads(settings))
    return renderer.actions, _dump(renderer.settings()), renderer.shape


def _dump(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"the renderer's settings are not JSON ({error}): {brief(value)}") from None


def _parse(text: str) -> tuple[Program, dict[str, Any]]:
    """A program, and the settings of its renderer that ``text`` leaves out, with their values."""
    try:
        data = json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error}") from None
    except RecursionError:
        raise ValueError("not a Limner program: nested too deeply") from None
    if not isinstance(data, dict) or "schema" not in data:
        raise ValueError('not a Limner program: a program is a JSON object with a "schema"')
    schema = data["schema"]
    require(type(schema) is int and schema >= 1, f"schema must be a positive integer, got {schema!r}")
    require(schema <= SCHEMA, f"the program has schema {schema}, this Limner reads up to {SCHEMA}: upgrade Limner")
    if unknown := sorted(set(data) - set(_FIELDS)):
        raise ValueError(f"unknown key {unknown[0]!r}, {_NEWER}: a program has the keys {', '.join(_FIELDS)}")
    if missing := [name for name in ("renderer", "columns", "actions") if name not in data]:
        raise ValueError(f"the program has no {missing[0]!r}")
    settings, rows = data["renderer"], data["actions"]
    require(isinstance(settings, dict), f'"renderer" must be an object, got {brief(settings)}')
    kind = find_world(settings.get("name")).settings_type
    known = ["name", *(field.name for field in dataclasses.fields(kind))]
    if unknown := sorted(set(settings) - {*known, *getattr(kind, "removed", ())}):
        raise ValueError(f'unknown setting {unknown[0]!r} in "renderer", {_NEWER}: there are {", ".join(known)}')
    space = resolve(settings)[0]
    if data["columns"] != columns(space):
        raise ValueError(f"columns are {brief(data['columns'])}, but this renderer has {columns(space)}")
    if not isinstance(rows, list):
        raise ValueError(f'"actions" must be a list of rows, got {brief(rows)}')
    about = data.get("seed", 0), data.get("agent", ""), data.get("title", "")
    program = Program(settings, read_rows(space, rows), *about, _read_frame(data.get("frame")))
    later = [name for name, since in getattr(kind, "since", {}).items() if since > schema]
    return program, {name: value for name, value in program.renderer.items() if name not in (*settings, *later)}


def _warn(where: str, assumed: dict[str, Any]) -> None:
    """Log which settings of a program are not in the file ``where``, and what they are taken to be."""
    if assumed:
        values = ", ".join(f"{name}, assumed to be {_dump(value)}" for name, value in assumed.items())
        logger.warning('%s: "renderer" lacks %s; write it out, or a later version may paint otherwise', where, values)


def _decode(data: bytes, where: str) -> tuple[Program, dict[str, Any]]:
    try:
        require(len(data) <= MAX_BYTES, f"larger than {MAX_BYTES} bytes, too large for a program")
        return _parse(data.decode("utf-8-sig"))
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _read_frame(value: Any) -> Frame | None:
    if value is None:
        return None
    named = isinstance(value, dict) and set(value) == {"width", "height"}
    require(named, f'"frame" must be an object with "width" and "height", got {brief(value)}')
    return Frame(**value)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(result := dict(pairs)) < len(pairs):
        raise ValueError(f"a key appears twice among {brief([key for key, _ in pairs])}")
    return result
