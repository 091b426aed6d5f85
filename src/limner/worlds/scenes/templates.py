"""Templates: every possible object rendered alone, to find the objects that a picture lacks.

Depth alone decides what is visible, without shadows and reflections. So the picture with one more object follows from
the samples of template and scene, and nothing is rendered. Channels are independent: the best colour of a template is
the best shade of each.
"""

from functools import cache
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limner.actions import COLOURS, IntArray
from limner.worlds.scenes._scenes import match
from limner.worlds.scenes.camera import Samples, borrow_cameras
from limner.worlds.scenes.settings import SHAPE, ScenesSettings, place, scene_actions
from limner.worlds.world import Canvas

GREY = 0.75
"""Brightness of templates when they are rendered: in full light white would exceed a byte by up to 4/3."""
SHADES = 4
"""Largest number of shades of a channel that are matched, evenly spread."""
CHUNK = 256
"""Objects that are rendered at a time: their samples are 30 MB."""


class Templates:
    """Every possible object in scenes of ``settings``, regardless of colour, rendered once."""

    def __init__(self, settings: ScenesSettings) -> None:
        self.space = scene_actions(settings)
        shape = [self.space.index(name) for name in SHAPE]
        sizes = [self.space.sizes[part] for part in shape]
        self.objects = np.zeros((np.prod(sizes), len(self.space)), np.int64)
        self.objects[:, shape] = np.indices(sizes).reshape(3, -1).T
        levels = self.space.sizes[self.space.index(COLOURS[0])]
        self.levels = np.linspace(0, levels - 1, min(levels, SHADES)).round().astype(np.int64)
        shades = self.levels[:, None] / (levels - 1) * np.arange(256) / GREY
        self._table = shades.round().clip(0, 255).astype(np.uint8)
        scenes = place(settings, self.objects)
        scenes[:, -3:] = GREY
        with borrow_cameras(1, settings.canvas) as (camera,):
            (ground,) = camera.sample([scenes[:0]], settings.canvas).result()
            found = []
            for start in range(0, len(scenes), CHUNK):
                chunk = [scene[None] for scene in scenes[start : start + CHUNK]]
                found += [_shown(alone, ground) for alone in camera.sample(chunk, settings.canvas).result()]
        pixels, depths, bright = zip(*found, strict=True)
        self._starts = np.cumsum([0, *map(len, pixels)], dtype=np.int32)
        self._pixels, self._depths, self._bright = map(np.concatenate, (pixels, depths, bright))

    def match(self, scene: Samples, picture: Canvas, goal: Canvas, count: int) -> IntArray:
        """The ``count`` objects that would bring a scene closest to its goal, by squared error: ``int64[count, P]``.

        ``scene`` are the samples of its ``picture`` uint8[H, W, 3].
        """
        errors = np.subtract(picture, goal, dtype=np.int16).reshape(-1, 3)
        growth = np.empty((len(self.objects), 3, len(self.levels)), np.int64)
        match(self._starts, self._pixels, self._depths, self._bright, self._table, *scene, errors, growth)
        best = np.argpartition(growth.min(2).sum(1), count)[:count]
        found = self.objects[best]
        found[:, [self.space.index(name) for name in COLOURS]] = self.levels[growth[best].argmin(2)]
        return found


def _shown(alone: Samples, ground: Samples) -> tuple[NDArray[Any], ...]:
    """The pixels in which an object is visible, and the depths and brightness of their samples."""
    shows = alone.depths < ground.depths
    pixels = np.flatnonzero(shows.any(1))
    depths = np.where(shows, alone.depths, np.inf)[pixels]
    return pixels.astype(np.int32), depths, alone.colours[pixels, :, 0]


_making = Lock()
_made = cache(Templates)


def templates(settings: ScenesSettings) -> Templates:
    """The templates of ``settings``, made once in a process: by default 3,072 renders, a second or two, 20 MB."""
    with _making:
        return _made(settings)
