"""Brush files of MyPaint: finding them by name, and reading them without trusting them.

Notable choices:
- A name such as ``classic/pen`` means the 1.0 set, the one the SPIRAL authors painted with.
- libmypaint aborts or hangs on some malformed files and merges silently over others, so it never sees one: the file is
  parsed and checked here, and only numbers within libmypaint's documented ranges go on.
- Settings that a file leaves out take libmypaint's defaults, except ``smudge_length_log``: it came after the 1.0 set,
  and 1 is how those brushes smudge.
- ``paint_mode`` is always 0. Spectral blending is ten times slower, and it samples colours with the random numbers of
  the whole process, so that a program would not paint the same picture twice.
"""

from __future__ import annotations

import difflib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limner.worlds.paint import _paint

MAX_BYTES = 1 << 20
"""A brush file may not be larger; the largest of the 1.0 set has 13 kB."""


@dataclass(frozen=True)
class Brush:
    """A checked brush: a base value per setting, and curves ``(setting, input, points)``, in libmypaint's numbering."""

    base: tuple[float, ...]
    mappings: tuple[tuple[int, int, tuple[tuple[float, float], ...]], ...]


def brush_folders() -> list[Path]:
    """Where brushes are looked for, first match first.

    The folders in the environment variable ``LIMNER_BRUSHES`` (separated by ``:``), then
    ``mypaint-data/1.0/brushes`` below ``XDG_DATA_HOME`` and ``XDG_DATA_DIRS``.
    """
    own = [Path(folder) for folder in os.environ.get("LIMNER_BRUSHES", "").split(os.pathsep) if folder]
    home = os.environ.get("XDG_DATA_HOME") or str(Path("~/.local/share").expanduser())
    shared = (os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(os.pathsep)
    return own + [Path(folder) / "mypaint-data/1.0/brushes" for folder in (home, *shared) if folder]


def brush_names() -> list[str]:
    """Names of all brushes found, sorted."""
    return sorted(
        {
            file.relative_to(folder).with_suffix("").as_posix()
            for folder in brush_folders()
            for file in folder.glob("**/*.myb")
        }
    )


def find_brush(name: str) -> Path:
    """The file of the brush ``name``, or ``name`` itself if it is the path of a ``.myb`` file; else ``ValueError``."""
    if "\0" in name:
        raise ValueError(f"unknown brush {name!r}")
    if name.endswith(".myb"):
        path = Path(name)
        if path.is_file():
            return path
        raise ValueError(f"there is no brush file {name!r}")
    if name and ".." not in Path(name).parts and not Path(name).is_absolute():
        for folder in brush_folders():
            path = folder / f"{name}.myb"
            if path.is_file():
                return path
    names = brush_names()
    if not names:
        raise ValueError(
            f"no brushes found, so none called {name!r}: install them (apt-get install mypaint-brushes) or name their "
            f"folder in the environment variable LIMNER_BRUSHES"
        )
    near = difflib.get_close_matches(name, names, 5, 0.4) or [n for n in names if n.endswith("/" + name)][:5]
    hint = f"did you mean {', '.join(near)}?" if near else f"there are {len(names)}, such as {', '.join(names[:5])}"
    raise ValueError(
        f"unknown brush {name!r}: {hint} (the brushes come with apt-get install mypaint-brushes; "
        f"a path to a .myb file works as well)"
    )


def load_brush(name: str) -> Brush:
    """Find, read and check a brush; ``ValueError`` says what is wrong with it."""
    path = find_brush(name)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"cannot read the brush file {path}: {error.strerror}") from None
    try:
        return parse_brush(data)
    except ValueError as error:
        raise ValueError(f"brush file {path}: {error}") from None


def parse_brush(data: bytes) -> Brush:
    """Check the contents of a brush file (JSON, version 3)."""
    if len(data) > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES} bytes")
    try:
        document = json.loads(data.decode())
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 text ({error.reason} at byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON ({error})") from None
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")
    if document.get("version") != 3:
        raise ValueError(f"version must be 3, got {_brief(document.get('version'))}")
    given = document.get("settings")
    if not isinstance(given, dict) or not given:
        raise ValueError("'settings' must be an object with at least one setting")
    return _brush(given)


def _brush(given: Mapping[str, Any]) -> Brush:
    table = _paint.settings()
    inputs = {name: i for i, name in enumerate(_paint.inputs())}
    unknown = given.keys() - {name for name, *_ in table}
    if unknown:
        near = difflib.get_close_matches(min(unknown), [name for name, *_ in table], 3)
        raise ValueError(f"unknown setting {_brief(min(unknown))}{f', did you mean {near}?' if near else ''}")
    base: list[float] = []
    mappings = []
    for number, (name, low, default, high) in enumerate(table):
        entry = given.get(name, {"base_value": 1.0 if name == "smudge_length_log" else default})
        if not isinstance(entry, dict) or not entry.keys() <= {"base_value", "inputs"} or "base_value" not in entry:
            raise ValueError(f"setting {name!r} must be an object with 'base_value' and 'inputs', got {_brief(entry)}")
        value = _number(entry["base_value"], low, high, f"base value of {name!r}")
        base.append(0.0 if name == "paint_mode" else value)
        curves = entry.get("inputs", {})
        if not isinstance(curves, dict):
            raise ValueError(f"inputs of {name!r} must be an object, got {_brief(curves)}")
        for source, points in curves.items():
            if source not in inputs:
                raise ValueError(f"setting {name!r} depends on an unknown input {_brief(source)}")
            checked = _points(points, f"{name!r} by {source!r}")
            if checked and name != "paint_mode":
                mappings.append((number, inputs[source], checked))
    return Brush(tuple(base), tuple(mappings))


def _points(points: object, what: str) -> tuple[tuple[float, float], ...]:
    if not isinstance(points, list) or len(points) == 1 or len(points) > 64:
        count = len(points) if isinstance(points, list) else "no list of"
        raise ValueError(f"{what}: a curve has 2 … 64 points (or none), got {count}")
    checked = []
    for point in points:
        if not isinstance(point, list) or len(point) != 2:
            raise ValueError(f"{what}: a point is a pair of numbers, got {_brief(point)}")
        checked.append((_number(point[0], -1e4, 1e4, what), _number(point[1], -1e4, 1e4, what)))
        if len(checked) > 1 and checked[-1][0] < checked[-2][0]:
            raise ValueError(f"{what}: points must not go back in x, got {checked[-2][0]} then {checked[-1][0]}")
    return tuple(checked)


def _number(value: object, low: float, high: float, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{what}: must be a number, got {_brief(value)}")
    if not (low - 1e-4 <= value <= high + 1e-4 and math.isfinite(value)):
        raise ValueError(f"{what}: must be in {low:g} … {high:g}, got {_brief(value)}")
    return float(value)


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) < 80 else text[:77] + "..."
