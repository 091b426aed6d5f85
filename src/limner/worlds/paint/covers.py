"""What a stroke covers of a canvas, whatever is there: it is painted alone, on a transparent ground.

Blending strokes by it one after the other differs from what the engine paints by rounding to 8 bits: by up to 2 of 255
after 3,000 strokes (``benchmarks/studio.py``).
"""

from collections import OrderedDict
from dataclasses import replace

import numpy as np
from PIL import Image

from limner.actions import COLOURS, IntArray
from limner.worlds.paint.brushes import independent_strokes, load_brush
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PaintSettings, paint_actions, standalone
from limner.worlds.stroke import Cover
from limner.worlds.world import Canvas

KEPT = 64 * 2**20
"""Bytes of covers that are remembered: a stroke in another colour is not painted again."""

Shape = tuple[tuple[int, int, int, int], Canvas] | None
"""Box and opacity; None where nothing is painted."""


class Covers:
    """Paints strokes alone."""

    def __init__(self, settings: PaintSettings) -> None:
        self._painter = Paint(replace(settings, ground="transparent", color=False, levels=2))
        self._parts = len(self._painter.actions)
        space = paint_actions(settings)
        self._colours = [space.index(name) for name in COLOURS if name in space]
        self._levels = settings.levels
        self._known: OrderedDict[bytes, Shape] = OrderedDict()
        self._bytes = 0

    def __call__(self, action: IntArray) -> Cover | None:
        """The cover of an action ``int64[P]``, None where it paints nothing."""
        shape = self._shape(action[: self._parts])
        if shape is None:
            return None
        colour = tuple(round(255 * int(action[i]) / (self._levels - 1)) for i in self._colours)
        return Cover(*shape, colour or (0,))

    def _shape(self, action: IntArray) -> Shape:
        key = action.tobytes()
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        self._painter.reset()
        self._painter.step(action[None])
        opacity = self._painter.canvas()[0, ..., -1]
        box = Image.fromarray(opacity).getbbox()
        shape = None if box is None else (box, np.ascontiguousarray(opacity[box[1] : box[3], box[0] : box[2]]))
        self._known[key] = shape
        self._bytes += 0 if shape is None else shape[1].size
        while self._bytes > KEPT:
            forgotten = self._known.popitem(last=False)[1]
            self._bytes -= 0 if forgotten is None else forgotten[1].size
        return shape


def find_covers(settings: PaintSettings) -> Covers | None:
    """The covers of strokes, where these are layers on an opaque ground; else None."""
    apart = standalone(paint_actions(settings)) and settings.ground != "transparent"
    return Covers(settings) if apart and independent_strokes(load_brush(settings.brush, settings.opaque)) else None
