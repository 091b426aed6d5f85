"""Programs of an agent's own canvas that joint search finds: what a policy can learn from."""

import numpy as np

from limner.actions import IntArray
from limner.worlds.budget import Budget
from limner.worlds.paint.brushes import independent_strokes, load_brush
from limner.worlds.paint.joint import JointSearch
from limner.worlds.paint.layers import SIDE, Stack
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.paint.windows import rounded
from limner.worlds.validation import require
from limner.worlds.world import Canvas


def check_joint(settings: PaintSettings) -> None:
    """``ValueError`` unless joint search finds programs of these settings."""
    times = settings.canvas / SIDE
    fits = settings.canvas % SIDE == 0 and times == 2 ** int(np.log2(times))
    require(fits, f"renderer.canvas is {settings.canvas}: joint search needs {SIDE} pixels, or 2, 4, 8 … times as many")
    own = f"renderer.space is {settings.space!r}, on {settings.ground} ground"
    require(settings.space == "stroke" and settings.ground == "white", f"{own}: joint search needs 'stroke', on white")
    layers = independent_strokes(load_brush(settings.brush, settings.opaque))
    name = f"renderer.brush is {settings.brush!r}"
    require(layers, f"{name}: joint search needs one whose strokes do not depend on what lies below")


def joint_programs(settings: PaintSettings, pictures: Canvas, steps: int, sweeps: int, seed: int) -> IntArray:
    """As ``World.joint_programs``. Where no more strokes bring a picture closer, those follow that do least harm."""
    check_joint(settings)
    programs = []
    for number, picture in enumerate(pictures):
        stack = Stack(picture, np.ones(picture.shape[:2]), np.full_like(picture, 255))
        search = JointSearch(stack, settings, rounded(settings), seed + number, threads=1)
        for _ in search.run(steps, True, Budget(None, sweeps)):
            pass
        programs.append(stack.actions(settings))
    return np.stack(programs, axis=1)
