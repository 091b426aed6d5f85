"""Brush files of MyPaint: finding them by name, and reading them without trusting them.

libmypaint aborts or hangs on some malformed files and merges silently over others, so it is never given a file: the
file is parsed and checked here, and only numbers within libmypaint's documented ranges go on. Settings that a file
leaves out take libmypaint's defaults, except ``smudge_length_log``: it came after MyPaint's 1.0 set, with which the
SPIRAL authors painted, and 1 is how those brushes smudge. ``paint_mode`` is always 0: spectral blending is ten times
slower, and samples colours with the random numbers of the whole process, so that a picture would not be the same twice.
"""

import difflib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from limner.files import expand_home
from limner.worlds.paint import _paint
from limner.worlds.validation import brief, require

DEPENDENT = ("smudge", "eraser", "lock_alpha", "colorize", "posterize")
"""Settings with which a stroke depends on what is below it."""
RANDOM = ("offset_by_random", "radius_by_random", "tracking_noise")
"""Settings with which it depends on how many random numbers were drawn before."""
MAX_BYTES = 1 << 20
"""A brush file may not be larger; the largest of the 1.0 set has 13 kB."""
CARRIED = Path(__file__).with_name("mypaint-brushes")
"""Where a wheel carries the 1.0 set. A clone has none, and paints with that of the system."""


@dataclass(frozen=True)
class Brush:
    """A checked brush: a base value per setting, and curves ``(setting, input, points)``, in libmypaint's numbering."""

    base: tuple[float, ...]
    mappings: tuple[tuple[int, int, tuple[tuple[float, float], ...]], ...]


def brush_folders() -> list[Path]:
    """Folders of brushes, the first with a brush of a name counts.

    Those in the environment variable ``LIMNER_BRUSHES`` (separated by ``:``), then what a wheel carries, so that it
    paints the same on every system, then ``mypaint-data/1.0/brushes``, the 1.0 set, below ``XDG_DATA_HOME`` and
    ``XDG_DATA_DIRS``.
    """
    own = [Path(folder) for folder in os.environ.get("LIMNER_BRUSHES", "").split(os.pathsep) if folder]
    shared = (os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(os.pathsep)
    with suppress(ValueError):  # a user without a home folder
        shared.insert(0, os.environ.get("XDG_DATA_HOME") or str(expand_home("~/.local/share")))
    carried = [CARRIED] if CARRIED.is_dir() else []
    return own + carried + [Path(folder) / "mypaint-data/1.0/brushes" for folder in shared if folder]


def brush_names() -> list[str]:
    """Names of all brushes found, sorted."""
    files = [(file, folder) for folder in brush_folders() for file in folder.glob("**/*.myb")]
    return sorted({file.relative_to(folder).with_suffix("").as_posix() for file, folder in files})


def find_brush(name: str) -> Path:
    """The file of the brush ``name``, or ``name`` itself if it is the path of a ``.myb`` file; else ``ValueError``."""
    require("\0" not in name, f"unknown brush {name!r}")
    if name.endswith(".myb"):
        require(Path(name).is_file(), f"there is no brush file {name!r}")
        return Path(name)
    if name and ".." not in Path(name).parts and not Path(name).is_absolute():
        for folder in brush_folders():
            if (path := folder / f"{name}.myb").is_file():
                return path
    remedy = "install them (apt-get install mypaint-brushes) or name their folder in the variable LIMNER_BRUSHES"
    names = brush_names()
    require(len(names) > 0, f"no brushes found, so none called {name!r}: {remedy}")
    near = difflib.get_close_matches(name, names, 5, 0.4) or [n for n in names if n.endswith("/" + name)][:5]
    hint = f"did you mean {', '.join(near)}?" if near else f"there are {len(names)}, such as {', '.join(names[:5])}"
    raise ValueError(f"unknown brush {name!r}: {hint} ({remedy}, or give the path of a .myb file)")


def load_brush(name: str, opaque: bool = False) -> Brush:
    """Find, read and check a brush; ``ValueError`` says what is wrong with it. If ``opaque``, it covers entirely."""
    path = find_brush(name)
    try:
        with path.open("rb") as file:
            brush = parse_brush(file.read(MAX_BYTES + 1))
        return make_opaque(brush) if opaque else brush
    except OSError as error:
        raise ValueError(f"cannot read the brush file {path}: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"brush file {path}: {error}") from None


def parse_brush(data: bytes) -> Brush:
    """Check the contents of a brush file (JSON, version 3); ``ValueError`` says what is wrong with it."""
    require(len(data) <= MAX_BYTES, f"larger than {MAX_BYTES} bytes")
    table, inputs = _paint.settings(), _paint.inputs()
    if (version := _text_version(data, [name for name, *_ in table])) is not None:
        kind = f"it is in the text format of MyPaint before 1.1 (version {version})"
        raise ValueError(f"{kind}, only JSON (version 3) can be read: open it in MyPaint and save it anew")
    try:
        document = json.loads(data.decode())
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON ({error})") from None
    require(isinstance(document, dict), "not a JSON object")
    require(document.get("version") == 3, f"version must be 3, got {brief(document.get('version'))}")
    given = document.get("settings")
    require(isinstance(given, dict) and len(given) > 0, "'settings' must be an object with at least one setting")
    if unknown := given.keys() - {name for name, *_ in table}:
        near = difflib.get_close_matches(min(unknown), [name for name, *_ in table], 3)
        raise ValueError(f"unknown setting {brief(min(unknown))}{f', did you mean {near}?' if near else ''}")
    base, mappings = [], []
    for number, (name, low, default, high) in enumerate(table):
        entry = given.get(name, {"base_value": 1.0 if name == "smudge_length_log" else default})
        if not isinstance(entry, dict) or not entry.keys() <= {"base_value", "inputs"} or "base_value" not in entry:
            raise ValueError(f"setting {name!r} must be an object with 'base_value' and 'inputs', got {brief(entry)}")
        value = _number(entry["base_value"], low, high, f"base value of {name!r}")
        base.append(0.0 if name == "paint_mode" else value)
        curves = entry.get("inputs", {})
        require(isinstance(curves, dict), f"inputs of {name!r} must be an object, got {brief(curves)}")
        for source, points in curves.items():
            require(source in inputs, f"setting {name!r} depends on an unknown input {brief(source)}")
            checked = _points(points, f"{name!r} by {source!r}")
            if checked and name != "paint_mode":
                mappings.append((number, inputs.index(source), checked))
    return Brush(tuple(base), tuple(mappings))


def make_opaque(brush: Brush) -> Brush:
    """The same brush with an opacity of 1, which nothing changes."""
    names = [name for name, *_ in _paint.settings()]
    opacity = [names.index(name) for name in ("opaque", "opaque_multiply")]
    base = tuple(1.0 if i in opacity else value for i, value in enumerate(brush.base))
    return Brush(base, tuple(mapping for mapping in brush.mappings if mapping[0] not in opacity))


def independent_strokes(brush: Brush) -> bool:
    """Whether a stroke is a layer of one colour, the same on every ground and after any other strokes."""
    used = _used(brush)
    chance = any(source == _paint.inputs().index("random") for _, source, _ in brush.mappings)
    other = used & {*DEPENDENT, *RANDOM} or any(name.startswith("change_color") for name in used)
    return not (chance or other)


def paints_over(brush: Brush) -> bool:
    """Whether all that a stroke does is to lay paint over what is there, the same whatever that is."""
    return not _used(brush) & {*DEPENDENT}


def _used(brush: Brush) -> set[str]:
    """The settings that are not 0, or depend on something."""
    names = [name for name, *_ in _paint.settings()]
    used = {name for name, value in zip(names, brush.base, strict=True) if value != 0}
    return used | {names[setting] for setting, *_ in brush.mappings}


def _text_version(data: bytes, settings: Sequence[str]) -> int | None:
    """The version, 1 or 2, of a brush file of lines such as "opaque 1.0 | pressure 0.0 0.0, 1.0 1.0"; else None."""
    lines = data.decode(errors="replace").splitlines()
    words = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    if not any(word[0] == "version" or word[0] in settings for word in words):
        return None
    return 2 if ["version", "2"] in words else 1


def _points(points: Any, what: str) -> tuple[tuple[float, float], ...]:
    possible = isinstance(points, list) and len(points) != 1 and len(points) <= 64
    require(possible, f"{what}: a curve is a list of 2 … 64 points (or none), got {brief(points)}")
    checked = []
    for point in points:
        pair = isinstance(point, list) and len(point) == 2
        require(pair, f"{what}: a point is a pair of numbers, got {brief(point)}")
        checked.append((_number(point[0], -1e4, 1e4, what), _number(point[1], -1e4, 1e4, what)))
    for (x, _), (after, _) in pairwise(checked):
        require(x <= after, f"{what}: points must not go back in x, got {x} then {after}")
    return tuple(checked)


def _number(value: Any, low: float, high: float, what: str) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not low - 1e-4 <= value <= high + 1e-4:
        raise ValueError(f"{what}: must be a number in {low:g} … {high:g}, got {brief(value)}")
    return float(value)
