"""Fields of configurations: checked when a section is made, and read back from plain values."""

from __future__ import annotations

import dataclasses
import math
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

Section = TypeVar("Section")


def require(ok: bool, message: str) -> None:
    """``ValueError`` with ``message`` unless ``ok``."""
    if not ok:
        raise ValueError(message)


def check_fields(section: object, prefix: str, positive: str = "", not_negative: str = "", share: str = "") -> None:
    """``ValueError`` naming the first field of another type than declared, or of those listed, out of its range.

    The lists are names separated by spaces; a ``share`` is in [0, 1]. None, where it is allowed, is in every range.
    """
    for name, kind in get_type_hints(type(section)).items():
        value = getattr(section, name)
        require(_fits(value, kind), f"{prefix}{name} is {value!r}: must be {_words(kind)}")
    for names, low, high, need in (
        (positive, math.ulp(0), math.inf, "positive"),
        (not_negative, 0, math.inf, "0 or more"),
        (share, 0, 1, "in [0, 1]"),
    ):
        for name in names.split():
            value = getattr(section, name)
            require(value is None or low <= value <= high, f"{prefix}{name} is {value!r}: must be {need}")


def _fits(value: object, kind: Any) -> bool:
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if get_origin(kind) in (Union, UnionType):
        return any(_fits(value, choice) for choice in get_args(kind))
    if kind is float and type(value) in (int, float):
        return math.isfinite(value)  # type: ignore[arg-type]
    return type(value) is kind


def _words(kind: Any) -> str:
    if get_args(kind):
        between = (repr(k) if get_origin(kind) is Literal else _words(k) for k in get_args(kind))
        return " or ".join(between)
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", type(None): "null"}
    return names.get(kind) or f"a {kind.__name__}"


def read_section(kind: type[Section], values: Any, prefix: str) -> Section:
    """One dataclass from its fields. What an older version did not know yet takes its default."""
    unknown = expect_object(values, prefix).keys() - {f.name for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    if unknown:
        raise ValueError(f"configuration: unknown field {prefix}{min(unknown)}")
    return kind(**values)


def expect_object(values: Any, prefix: str) -> dict[str, Any]:
    """``values``, or ``ValueError`` unless it is a JSON object."""
    if not isinstance(values, dict):
        raise ValueError(f"configuration: {prefix.rstrip('.') or 'it'} must be an object, got {values!r}")
    return values
