"""The scenes renderer: coloured primitives on a platform, in MuJoCo (Ganin et al. 2018, section 4.2).

One action places an object, changes the one placed last, or does nothing. A change without an object places one.
Objects may overlap: nothing is moved, and the nearest surface shows. Where surfaces coincide it is that of the later
cell, in one cell that of the newer object. So order matters only among objects in one place. A picture is rendered when
it is read, and kept until the scene changes: several steps cost one picture, a skip none. Until then neither MuJoCo nor
OpenGL is needed (``ImportError``).
"""

from functools import cached_property
from typing import Any

import numpy as np

from limner.actions import FloatArray, IntArray
from limner.worlds.scenes.settings import MAX_OBJECTS, SHAPE, SKIP, ScenesSettings, build, place, scene_actions
from limner.worlds.validation import require
from limner.worlds.world import Canvas, Renderer

MATCHED = 2**24
"""Limit of templates: possible objects, regardless of colour, times the pixels of a picture."""


class Scenes(Renderer):
    """``batch`` scenes ``[canvas, canvas, 3]``, empty platforms at first; ``threads`` cameras share the work."""

    _settings: ScenesSettings

    def __init__(self, settings: ScenesSettings = ScenesSettings(), batch: int = 1, threads: int = 1) -> None:
        super().__init__(settings, scene_actions(settings), 3, batch, threads)
        self._threads = min(threads, batch)
        self._nothing = np.empty((0, len(self.actions)), np.int64)
        self._objects = np.empty(batch, np.object_)  # of each scene the actions behind its objects, int64[objects, P]
        self._stale = np.empty(batch, np.bool_)
        self.reset()

    def canvas(self, out: Canvas | None = None) -> Canvas:
        """As ``Renderer.canvas``."""
        self._refresh()
        return super().canvas(out)

    def pen(self) -> FloatArray:
        """Where the last object stands: ``float32[N, 2]``, (x, y) in [0, 1] from the back left; (0, 0) for none."""
        last = [objects[-1] if len(objects) else None for objects in self._objects]
        places = [(-0.5, -0.5) if action is None else self.actions.cells(action, "location") for action in last]
        return ((np.asarray(places)[:, ::-1] + 0.5) / self._settings.grid).astype(np.float32)

    def _reset(self, rows: IntArray) -> None:
        for row in rows:
            self._objects[row] = self._nothing
        self._stale[rows] = True

    def _step(self, actions: IntArray) -> None:
        changed = np.flatnonzero(actions[:, 0] != SKIP)
        after = {row: build(self._objects[row], actions[row], 0) for row in changed}
        for row, objects in after.items():
            require(len(objects) <= MAX_OBJECTS, f"scene {row} holds {MAX_OBJECTS} objects already, the largest number")
        for row, objects in after.items():
            self._objects[row] = objects
        self._stale[changed] = True

    def _save(self, rows: IntArray) -> tuple[Any, ...]:
        self._refresh()
        return self._objects[rows], self._canvas[rows]

    def _restore(self, rows: IntArray, parts: Any) -> None:
        self._objects[rows], self._canvas[rows] = parts
        self._stale[rows] = False

    def additions(self, goals: Canvas, count: int) -> IntArray:
        """The ``count`` objects ``int64[N, count, P]`` that would bring each scene closest to its goal, in any order.

        ``goals`` are ``uint8[N, H, W, 3]``. All possible objects are compared by mean squared error (``templates``);
        where these are too many (``MATCHED``) the result is ``[N, 0, P]``.
        """
        from limner.worlds.scenes.camera import borrow_cameras
        from limner.worlds.scenes.templates import templates

        settings = self._settings
        if np.prod([self.actions.sizes[self.actions.index(name)] for name in SHAPE]) * settings.canvas**2 > MATCHED:
            return np.empty((self.batch, 0, len(self.actions)), np.int64)
        with borrow_cameras(1, settings.canvas) as (camera,):
            samples = camera.sample([place(settings, objects) for objects in self._objects], settings.canvas).result()
        scenes = zip(samples, self.canvas(), goals, strict=True)
        return np.stack([templates(settings).match(*scene, count) for scene in scenes])

    def _refresh(self) -> None:
        """Render scenes that have changed, equal ones only once."""
        rows = np.flatnonzero(self._stale)
        bare = np.asarray([len(self._objects[row]) == 0 for row in rows], np.bool_)
        if bare.any():
            self._canvas[rows[bare]] = self._empty
        if not bare.all():
            built = [self._objects[row] for row in rows[~bare]]
            keys = [objects.tobytes() for objects in built]
            unlike = dict(zip(keys, built, strict=True))
            pictures = dict(zip(unlike, self._render(list(unlike.values())), strict=True))
            self._canvas[rows[~bare]] = [pictures[key] for key in keys]
        self._stale[rows] = False

    @cached_property
    def _empty(self) -> Canvas:
        return self._render([self._nothing])

    def _render(self, scenes: list[IntArray]) -> Canvas:
        """Pictures of scenes given by their actions ``int64[n, P]``, an equal share of them by each camera."""
        from limner.worlds.scenes.camera import borrow_cameras

        placed = place(self._settings, np.concatenate(scenes))
        each = np.split(placed, np.cumsum([len(objects) for objects in scenes[:-1]]))
        pictures = np.empty((len(scenes), *self.shape), np.uint8)
        size, cuts = self._settings.canvas, np.linspace(0, len(scenes), self._threads + 1).astype(int)
        parts = [part for part in map(slice, cuts, cuts[1:]) if part.start < part.stop]
        with borrow_cameras(len(parts), size) as cameras:
            jobs = zip(cameras, parts, strict=True)
            futures = [camera.render(each[part], size, pictures[part]) for camera, part in jobs]
            for future in futures:
                future.result()
        return pictures
