"""What renderers written in Python are given, checked: settings from JSON, canvas numbers, an array to write into."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

import numpy as np

from limner.actions import IntArray
from limner.worlds.world import Canvas

Settings = TypeVar("Settings")


def read_settings(kind: type[Settings], name: str, settings: dict[str, Any]) -> Settings:
    """Settings of the renderer ``name`` from JSON; ``ValueError`` naming an unknown or bad one."""
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(settings) - known):
        raise ValueError(f"{name} renderer: unknown setting {unknown[0]!r}, must be one of {sorted(known)}")
    if not isinstance(settings.get("sizes", ()), (list, tuple)):
        raise ValueError(f"{name} renderer: 'sizes' must be a list of radii, got {settings['sizes']!r}")
    return kind(**settings)


def chosen(indices: IntArray | None, batch: int) -> IntArray:
    """The canvases that ``indices`` name, all of them by default; ``ValueError`` when there is no such canvas."""
    if indices is None:
        return np.arange(batch)
    rows = np.asarray(indices)
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or ((rows < 0) | (rows >= batch)).any():
        raise ValueError(f"indices must be canvas numbers in 0 … {batch - 1}, got {indices!r}")
    return rows.astype(np.int64)


def hand_out(canvas: Canvas, out: Canvas | None) -> Canvas:
    """A copy of the pictures, or ``out`` after they were written into it; ``ValueError`` when they do not fit."""
    if out is None:
        return canvas.copy()
    if out.dtype != np.uint8 or out.shape != canvas.shape:
        raise ValueError(f"out must be uint8{list(canvas.shape)}, got {out.dtype}{list(out.shape)}")
    out[...] = canvas
    return out
