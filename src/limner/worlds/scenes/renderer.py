"""The scenes renderer: coloured primitives on a platform, in MuJoCo (Ganin et al. 2018, section 4.2).

Notable choices:
- One action places an object, changes the one placed last, or does nothing. Rows of the platform are counted from the
  back, so that ``location`` lies in the picture much as a location of a painter does.
- Objects rest on the platform. They may overlap: nothing is moved, they pass through one another, and the nearest
  surface shows. Where surfaces coincide it is that of the later cell, in one cell the newer one's: so a scene is a set,
  and only of objects in one place the order counts. The places are so far from the wall that nothing stands in it.
- Changing the last object where there is none places one: every part of the action counts then, too.
- What decides a picture is its objects. A state is their actions and the picture itself, so restoring renders nothing.
- A picture is taken when somebody wants to see it, and kept until the scene changes: what is built in several steps and
  looked at in the end costs one, and a skip none. Until then neither MuJoCo nor OpenGL is needed (``ImportError``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from limner.actions import FloatArray, IntArray
from limner.worlds.scenes.objects import SKIP, build
from limner.worlds.scenes.settings import MAX_OBJECTS, SHAPE, ScenesSettings, place, scene_actions
from limner.worlds.validation import chosen, hand_out, plain
from limner.worlds.world import Canvas, State

MATCHED = 2**24
"""Objects that there can be, regardless of colour, times the pixels of a picture: beyond it there are no templates."""


@dataclass(frozen=True)
class ScenesState:
    """Saved canvases: the action behind each object, ``int64[objects, P]`` each, and pictures ``uint8[M, H, W, 3]``."""

    objects: tuple[IntArray, ...]
    canvas: Canvas

    def __len__(self) -> int:
        return len(self.objects)

    def take(self, rows: IntArray) -> ScenesState:
        """The saved canvases ``rows``, in that order."""
        return ScenesState(tuple(self.objects[row] for row in rows), self.canvas[rows])


class Scenes:
    """``batch`` scenes ``[canvas, canvas, 3]``, empty platforms at first; ``threads`` cameras share the work."""

    def __init__(self, settings: ScenesSettings = ScenesSettings(), batch: int = 1, threads: int = 1) -> None:
        if batch < 1 or threads < 1:
            raise ValueError(f"batch is {batch} and threads is {threads}, must be at least 1 each")
        self._settings = settings
        self.batch = batch
        self.shape = (settings.canvas, settings.canvas, 3)
        self.actions = scene_actions(settings)
        self._threads = min(threads, batch)
        self._nothing = np.empty((0, len(self.actions)), np.int64)
        self._canvas = np.empty((batch, *self.shape), np.uint8)
        self._objects = [self._nothing] * batch
        self._stale = np.ones(batch, np.bool_)

    def settings(self) -> dict[str, Any]:
        """What ``make_renderer`` rebuilds this renderer from."""
        return plain(self._settings)

    def reset(self, indices: IntArray | None = None) -> None:
        """Empty platforms: all of them, or ``indices``."""
        rows = chosen(indices, self.batch)
        for row in rows:
            self._objects[row] = self._nothing
        self._stale[rows] = True

    def step(self, actions: IntArray) -> None:
        """Execute one action on every scene, ``int64[N, P]``; ``ValueError`` on a bad one, nothing changed."""
        actions = self.actions.validate(actions)
        if actions.shape != (self.batch, len(self.actions)):
            raise ValueError(f"actions must be int64{[self.batch, len(self.actions)]}, got {list(actions.shape)}")
        changed = np.flatnonzero(actions[:, 0] != SKIP)
        after = [build(self._objects[row], actions[row], 0) for row in changed]
        for row, objects in zip(changed, after, strict=True):
            if len(objects) > MAX_OBJECTS:
                raise ValueError(f"scene {row} holds {MAX_OBJECTS} objects already, the most there can be")
        for row, objects in zip(changed, after, strict=True):
            self._objects[row] = objects
        self._stale[changed] = True

    def canvas(self, out: Canvas | None = None) -> Canvas:
        """The pictures ``uint8[N, H, W, 3]``, fresh or written into ``out``."""
        self._refresh()
        return hand_out(self._canvas, out)

    def pen(self) -> FloatArray:
        """Where the last object stands: ``float32[N, 2]``, (x, y) in [0, 1] from the back left; (0, 0) for none."""
        places = [
            self.actions.cells(objects[-1], "location") if len(objects) else (-0.5, -0.5) for objects in self._objects
        ]
        return ((np.asarray(places)[:, ::-1] + 0.5) / self._settings.grid).astype(np.float32)

    def save(self, indices: IntArray | None = None) -> ScenesState:
        """The state of all scenes, or of ``indices``."""
        rows = chosen(indices, self.batch)
        self._refresh()
        return ScenesState(tuple(self._objects), self._canvas).take(rows)

    def restore(self, state: State, indices: IntArray | None = None) -> None:
        """Put saved scene ``i`` into scene ``indices[i]``; ``ValueError`` when it does not fit."""
        rows = chosen(indices, self.batch)
        if not isinstance(state, ScenesState) or state.canvas.shape != (len(rows), *self.shape):
            raise ValueError(
                f"cannot restore {type(state).__name__} of {len(state)} canvases into {len(rows)} of {self.shape}"
            )
        self._canvas[rows], self._stale[rows] = state.canvas, False
        for row, objects in zip(rows, state.objects, strict=True):
            self._objects[row] = objects

    def additions(self, goals: Canvas, count: int) -> IntArray:
        """The ``count`` objects that would bring each scene closest to its goal in ``uint8[N, H, W, 3]``, in any order.

        ``int64[N, count, P]``; all that there can be are compared by mean squared error, see ``templates``. None of
        them, ``[N, 0, P]``, where these would be more than ``MATCHED``.
        """
        from limner.worlds.scenes.camera import borrow_cameras
        from limner.worlds.scenes.templates import templates

        settings = self._settings
        if np.prod([self.actions.sizes[self.actions.index(name)] for name in SHAPE]) * settings.canvas**2 > MATCHED:
            return np.empty((self.batch, 0, len(self.actions)), np.int64)
        known, pictures = templates(settings), self.canvas()
        with borrow_cameras(1, settings.canvas) as (camera,):
            seen = camera.look([place(settings, objects) for objects in self._objects], settings.canvas).result()
        return np.stack([known.match(*each, count) for each in zip(seen, pictures, goals, strict=True)])

    def _refresh(self) -> None:
        """Take new pictures of what has changed: one of all empty platforms, and of scenes that are alike."""
        rows = np.flatnonzero(self._stale)
        bare = np.asarray([len(self._objects[row]) == 0 for row in rows], np.bool_)
        if bare.any():
            self._canvas[rows[bare]] = self._empty
        if not bare.all():
            built = [self._objects[row] for row in rows[~bare]]
            keys = [objects.tobytes() for objects in built]
            unlike = dict(zip(keys, built, strict=True))
            pictures = dict(zip(unlike, self._shoot(list(unlike.values())), strict=True))
            self._canvas[rows[~bare]] = [pictures[key] for key in keys]
        self._stale[rows] = False

    @cached_property
    def _empty(self) -> Canvas:
        return self._shoot([self._nothing])

    def _shoot(self, scenes: list[IntArray]) -> Canvas:
        """Pictures of the objects behind actions ``int64[n, P]``, an equal share of them by each camera."""
        from limner.worlds.scenes.camera import borrow_cameras

        placed = place(self._settings, np.concatenate(scenes))
        each = np.split(placed, np.cumsum([len(objects) for objects in scenes[:-1]]))
        pictures = np.empty((len(scenes), *self.shape), np.uint8)
        size, cuts = self._settings.canvas, np.linspace(0, len(scenes), self._threads + 1).astype(int)
        parts = [part for part in map(slice, cuts, cuts[1:]) if part.start < part.stop]
        with borrow_cameras(len(parts), size) as cameras:
            shots = [
                camera.shoot(each[part], size, pictures[part]) for camera, part in zip(cameras, parts, strict=True)
            ]
            for shot in shots:
                shot.result()
        return pictures
