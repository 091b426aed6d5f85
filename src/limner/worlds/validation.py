"""Checks of settings and configurations.

A section of settings or of a configuration is a frozen dataclass, which checks itself when it is made. An error names
the field, with the prefix of its command-line flag, its value, and what it must be.
"""

import dataclasses
import math
from collections.abc import Mapping
from functools import cache
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

Section = TypeVar("Section")


def require(ok: bool, message: str) -> None:
    """``ValueError`` with ``message`` unless ``ok``."""
    if not ok:
        raise ValueError(message)


def require_range(name: str, value: float | None, low: float, high: float, unit: str = "") -> None:
    """``ValueError`` unless ``value`` is None or in ``low … high``; NaN is not."""
    require(value is None or low <= value <= high, f"{name} is {value}: must be in {low} … {high}{unit}")


def check_fields(
    section: object,
    prefix: str,
    positive: str = "",
    not_negative: str = "",
    share: str = "",
    within: Mapping[str, tuple[float, float]] | None = None,
) -> None:
    """``ValueError`` naming the first field of another type than declared, or out of its range.

    ``positive``, ``not_negative`` and ``share`` (in [0, 1]) are names separated by spaces; ``within`` gives the lowest
    and the highest value of a field. Of a tuple every entry is checked, and there must be one. None, where it is
    allowed, is in every range.
    """
    section_type: Any = type(section)
    for name, kind in _hints(section_type).items():
        value = getattr(section, name)
        require(_fits(value, kind), f"{prefix}{name} is {value!r}: must be {_words(kind)}")
    ranges = [(name, math.ulp(0), math.inf, "positive") for name in positive.split()]
    ranges += [(name, 0, math.inf, "0 or more") for name in not_negative.split()]
    ranges += [(name, 0, 1, "in [0, 1]") for name in share.split()]
    ranges += [(name, low, high, f"in {low:g} … {high:g}") for name, (low, high) in (within or {}).items()]
    for name, low, high, need in ranges:
        value = getattr(section, name)
        for entry in value if isinstance(value, tuple) else (value,):
            require(entry is None or low <= entry <= high, f"{prefix}{name} is {value!r}: must be {need}")


def read_section(kind: type[Section], values: Any, prefix: str) -> Section:
    """A dataclass from JSON values. A field that is not given takes its default.

    A field that is a dataclass is read likewise; of a union of dataclasses its ``"name"`` says which. Fields of earlier
    versions, listed by ``removed`` of the class, are passed over where they have the value given there. ``ValueError``
    names an unknown field, or one that is missing and has no default.
    """
    any_kind: Any = kind
    hints, removed = _hints(any_kind), getattr(kind, "removed", {}).items()
    values = {name: value for name, value in expect_object(values, prefix).items() if (name, value) not in removed}
    if unknown := values.keys() - hints.keys():
        raise ValueError(f"configuration: unknown field {prefix}{min(unknown)}, must be one of {', '.join(hints)}")
    for field in dataclasses.fields(any_kind):
        optional = field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        require(optional or field.name in values, f"configuration: {prefix}{field.name} is missing")
    return kind(**{name: _read(hints[name], value, f"{prefix}{name}") for name, value in values.items()})


def _read(kind: Any, value: Any, name: str) -> Any:
    if get_origin(kind) is tuple and isinstance(value, list):
        return tuple(value)
    choices: list[Any] = [choice for choice in get_args(kind) or (kind,) if dataclasses.is_dataclass(choice)]
    if not choices or dataclasses.is_dataclass(value):
        return value
    if len(choices) == 1:
        return read_section(choices[0], value, f"{name}.")
    rest = dict(expect_object(value, name))
    named = {choice.name: choice for choice in choices}
    if (tag := rest.pop("name", None)) not in named:
        raise ValueError(f"configuration: {name}.name is {tag!r}, must be one of {', '.join(map(repr, named))}")
    return read_section(named[tag], rest, f"{name}.")


def expect_object(values: Any, prefix: str) -> dict[str, Any]:
    """``values``, or ``ValueError`` unless it is a JSON object."""
    if not isinstance(values, dict):
        raise ValueError(f"configuration: {prefix.rstrip('.') or 'it'} must be an object, got {values!r}")
    return values


def plain(section: Any) -> dict[str, Any]:
    """A dataclass as JSON values: its ``name``, if its class has one, then its fields; sections within it likewise."""
    values: dict[str, Any] = {"name": section.name} if "name" in vars(type(section)) else {}
    for field in dataclasses.fields(section):
        value = getattr(section, field.name)
        value = plain(value) if dataclasses.is_dataclass(value) else value
        values[field.name] = list(value) if isinstance(value, tuple) else value
    return values


def brief(value: object) -> str:
    """``repr``, cut to 200 characters for an error message."""
    try:
        text = repr(value)
    except RecursionError:
        return "something nested too deeply"
    return text if len(text) <= 200 else text[:200] + " …"


@cache
def _hints(kind: Any) -> dict[str, Any]:
    """Types of the fields of a dataclass."""
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _fits(value: object, kind: Any) -> bool:
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if get_origin(kind) in (Union, UnionType):
        return any(_fits(value, choice) for choice in get_args(kind))
    if get_origin(kind) is tuple:
        return isinstance(value, tuple) and len(value) > 0 and all(_fits(entry, get_args(kind)[0]) for entry in value)
    if kind is float and type(value) in (int, float):
        return math.isfinite(value)  # type: ignore[arg-type]
    return type(value) is kind or (dataclasses.is_dataclass(value) and isinstance(value, kind))


def _words(kind: Any) -> str:
    if get_origin(kind) is tuple:
        return f"one or more, each {_words(get_args(kind)[0])}"
    if get_args(kind):
        between = (repr(k) if get_origin(kind) is Literal else _words(k) for k in get_args(kind))
        return " or ".join(between)
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", type(None): "null"}
    return names.get(kind) or f"a {kind.__name__}"
