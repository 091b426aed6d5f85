"""Documents as files: the program itself, pictures of any size."""

from __future__ import annotations

from collections.abc import Callable

from limner.export.animation import gif
from limner.export.picture import png
from limner.export.svg import svg
from limner.programs.execution import execute, snapshots
from limner.programs.program import Program

FRAMES = 60
"""Of an animation, at most."""
SMALL = 512
"""Pixels along the longer side of an animation, at most."""


def _json(program: Program, size: int) -> bytes:
    return program.to_json().encode()


def _png(program: Program, size: int) -> bytes:
    return png(execute(program, size))


def _svg(program: Program, size: int) -> bytes:
    return svg(program).encode()


def _gif(program: Program, size: int) -> bytes:
    counts = sorted({round(i * len(program) / FRAMES) for i in range(FRAMES + 1)})
    return gif(list(snapshots(program, counts, min(size, SMALL))), hold=3.0)


DOWNLOADS: dict[str, tuple[str, Callable[[Program, int], bytes]]] = {
    "json": ("application/json", _json),
    "png": ("image/png", _png),
    "svg": ("image/svg+xml", _svg),
    "gif": ("image/gif", _gif),
}
"""By ending: media type, and what makes a file of a program at a size."""
