"""Programs for tests of the robot."""

from __future__ import annotations

import numpy as np

from limner.programs.program import Program
from limner.worlds import make_renderer

SETTINGS = {"name": "paint", "space": "stroke", "grid": 16, "pressures": 4, "brush": "deevad/fill"}
"""With a brush that paints while at rest, so that a dot is a stroke."""


def make_program(*strokes: tuple[int, int, int, int, int, int, int]) -> Program:
    """Strokes as (column, row) of start, control and end on a grid of 16 × 16, and a pressure of 0 … 3."""
    renderer = make_renderer(SETTINGS)
    rows = np.zeros((len(strokes), len(renderer.actions)), np.int64)
    for row, stroke in zip(rows, strokes, strict=True):
        for i, name in enumerate(("start", "control", "end")):
            row[renderer.actions.index(name)] = stroke[2 * i + 1] * 16 + stroke[2 * i]
        row[renderer.actions.index("pressure")] = stroke[6]
    return Program(renderer.settings(), rows)
