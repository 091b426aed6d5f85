"""Templates: what every object shows where it stands alone, to find the one that a picture lacks.

Notable choices:
- What shows in a picture of a scene is decided by depth alone: nothing throws a shadow, nothing is reflected. So what
  an object would add follows from what it shows alone and from how deep the scene is there, and nothing is rendered.
- That is counted in the samples that the camera averages to pixels. So it is what the camera would take, but for
  rounding.
- Channels do not mix: a template is matched in each shade of each, and its best colour is the best shade of each.
"""

from __future__ import annotations

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
"""Of a template while it is measured: white paint is up to 4/3 as bright as a byte can say."""
SHADES = 4
"""Of a channel that are matched at most, evenly spread."""
CHUNK = 256
"""Of the objects that are looked at at a time: their samples are 30 MB."""


class Templates:
    """Every object that there can be in scenes of ``settings``, but for its colour; all are rendered once."""

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
            (ground,) = camera.look([scenes[:0]], settings.canvas).result()
            found = []
            for start in range(0, len(scenes), CHUNK):
                chunk = [scene[None] for scene in scenes[start : start + CHUNK]]
                found += [_shown(alone, ground) for alone in camera.look(chunk, settings.canvas).result()]
        pixels, depths, bright = zip(*found, strict=True)
        self._starts = np.cumsum([0, *map(len, pixels)], dtype=np.int32)
        self._pixels, self._depths, self._bright = map(np.concatenate, (pixels, depths, bright))

    def match(self, scene: Samples, picture: Canvas, goal: Canvas, count: int) -> IntArray:
        """The ``count`` objects with which a scene would be closest to its goal: actions ``int64[count, P]``.

        ``scene`` is what the camera sees, ``picture`` uint8[H, W, 3] what it makes of it. By mean squared error.
        """
        errors = np.subtract(picture, goal, dtype=np.int16).reshape(-1, 3)
        growth = np.empty((len(self.objects), 3, len(self.levels)), np.int64)
        match(self._starts, self._pixels, self._depths, self._bright, self._table, *scene, errors, growth)
        best = np.argpartition(growth.min(2).sum(1), count)[:count]
        found = self.objects[best]
        found[:, [self.space.index(name) for name in COLOURS]] = self.levels[growth[best].argmin(2)]
        return found


def _shown(alone: Samples, ground: Samples) -> tuple[NDArray[Any], ...]:
    """The pixels in which an object shows, and the depths and brightness of their samples."""
    shows = alone.depths < ground.depths
    pixels = np.flatnonzero(shows.any(1))
    depths = np.where(shows, alone.depths, np.inf)[pixels]
    return pixels.astype(np.int32), depths, alone.colours[pixels, :, 0]


_making = Lock()


def templates(settings: ScenesSettings) -> Templates:
    """The templates of ``settings``, made once: 3,072 renders of the usual scenes, a second or two, 20 MB."""
    with _making:
        return _made(settings)


_made = cache(Templates)
