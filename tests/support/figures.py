"""Figures of updates, but for those that depend on the clock."""

from collections.abc import Iterable, Mapping
from typing import Any


def untimed(records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Figures of updates, or lines of a log, without shares of time."""
    return [{name: value for name, value in record.items() if not name.startswith("time/")} for record in records]
