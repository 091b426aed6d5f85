"""How fast this machine paints.

Notable choices:
- What is painted is random strokes, no jumps, on a batch of canvases for a fixed time; decoding the actions and reading
  the canvases are included, as in training.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import Any

import numpy as np

from limner.renderers.paint import Paint, PaintSettings

BRUSHES = ("classic/pen", "classic/calligraphy", "classic/dry_brush")


def bench() -> dict[str, Any]:
    """All measurements, as JSON-able values."""
    return {"cores": len(os.sched_getaffinity(0)), "painting, strokes/s": painting()}


def painting_speed(settings: PaintSettings, threads: int, seconds: float = 1.0, batch: int = 64) -> float:
    """Strokes per second: ``batch`` canvases at a time, ``threads`` painting, for about ``seconds``."""
    renderer = Paint(settings, batch, threads)
    actions = renderer.actions.sample(np.random.default_rng(0), (20, batch))
    actions[..., renderer.actions.index("flag")] = 1
    canvas = renderer.canvas()
    strokes = 0
    start = time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds or strokes == 0:
        renderer.reset()
        for action in actions:
            renderer.step(action)
            renderer.canvas(canvas)
        strokes += actions.shape[0] * batch
    return strokes / elapsed


def painting(seconds: float = 1.0) -> dict[str, float]:
    """Strokes per second of ``BRUSHES`` at 64 × 64, 50 events a stroke, on one thread and on two."""
    return {
        f"{brush}, {threads} threads": round(painting_speed(replace(PaintSettings(), brush=brush), threads, seconds))
        for brush in BRUSHES
        for threads in (1, 2)
    }
