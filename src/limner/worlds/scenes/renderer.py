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

from dataclasses import asdict, dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import ArrayLike, NDArray

from limner.actions import COLOURS, SKIP, ActionSpace, FloatArray, IntArray, Part
from limner.worlds.arguments import chosen, hand_out, read_settings
from limner.worlds.scenes.objects import build
from limner.worlds.world import Canvas, State

KINDS = ("box", "sphere", "cylinder", "capsule")
SHAPE = ("type", "location", "size")
"""The parts of an action that say what an object is, but for its colour."""
MAX_OBJECTS = 1000
"""Of one scene."""
NEARER = 1e-5
"""By how much an object is larger than it would be one cell before, so that it is settled where surfaces coincide."""
MATCHED = 2**24
"""Objects that there can be, regardless of colour, times the pixels of a picture: beyond it there are no templates."""


@dataclass(frozen=True)
class ScenesSettings:
    """Everything that decides the pixels."""

    canvas: int = 64
    """Height and width in pixels, 16 to 2048."""
    grid: int = 16
    """Rows and columns of the places on the platform, 2 to 64."""
    sizes: tuple[float, ...] = (0.14, 0.22, 0.34)
    """Radii of the objects, where the platform is 2 wide."""
    levels: int = 4
    """Number of values of red, green and blue, from 0 to 1."""

    def __post_init__(self) -> None:
        for name, low, high in (("canvas", 16, 2048), ("grid", 2, 64), ("levels", 2, 256)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ValueError(f"scenes renderer: {name!r} is {value!r}, must be a whole number in {low} … {high}")
        if isinstance(self.sizes, str) or not len(self.sizes):
            raise ValueError(f"scenes renderer: 'sizes' must be one or more radii, got {self.sizes!r}")
        for size in self.sizes:
            if type(size) not in (int, float) or not 0.01 <= size <= 1:
                raise ValueError(f"scenes renderer: 'sizes' has {size!r}, must be radii in 0.01 … 1")
        object.__setattr__(self, "sizes", tuple(float(size) for size in self.sizes))

    @classmethod
    def from_dict(cls, settings: dict[str, Any]) -> ScenesSettings:
        """Settings from JSON; ``ValueError`` naming an unknown or bad one."""
        return read_settings(cls, "scenes", settings)

    def to_dict(self) -> dict[str, Any]:
        """JSON values, from which ``make_renderer`` makes this renderer."""
        return {"name": "scenes", **asdict(self), "sizes": list(self.sizes)}


@cache
def scene_actions(settings: ScenesSettings) -> ActionSpace:
    """``op``, ``type``, ``location``, ``size``, ``red``, ``green``, ``blue``; in a skip only the first counts."""
    grid = (settings.grid, settings.grid)
    shades = tuple(i / (settings.levels - 1) for i in range(settings.levels))
    return ActionSpace(
        (
            Part("op", 3),
            Part("type", len(KINDS), dependent=True),
            Part("location", settings.grid**2, grid, dependent=True, sights=_sights(settings)),
            Part("size", len(settings.sizes), values=settings.sizes, dependent=True),
            *(Part(name, settings.levels, values=shades, dependent=True) for name in COLOURS),
        )
    )


def stand(cells: ArrayLike, size: ArrayLike, grid: int) -> NDArray[np.float64]:
    """Where objects of the radii ``size`` [n] stand in ``cells`` [n, 2]: ``float64[n, 2]``, x and y on the platform."""
    back, across = (1 - np.asarray(size)) * ((2 * np.asarray(cells) + 1) / grid - 1).T
    return np.column_stack([across, -back])


def place(settings: ScenesSettings, objects: IntArray) -> NDArray[np.float64]:
    """The actions ``int64[n, P]`` as ``camera.Objects``."""
    space = scene_actions(settings)
    size = space.values(objects, "size")
    colours = [space.values(objects, name) for name in COLOURS]
    places = stand(space.cells(objects, "location"), size, settings.grid)
    size = size * (1 + NEARER * objects[:, space.index("location")])
    return np.column_stack([objects[:, space.index("type")], places, size, *colours])


@cache
def _sights(settings: ScenesSettings) -> tuple[tuple[float, float], ...]:
    """Where the camera of ``scenes.xml`` sees the middle of an object of middling size in each cell."""
    camera = ElementTree.fromstring(files("limner.worlds.scenes").joinpath("scenes.xml").read_text()).find(".//camera")
    assert camera is not None
    eye, axes = (np.array(camera.get(name, "").split(), float) for name in ("pos", "xyaxes"))
    right, up = axes.reshape(2, 3)
    size = np.mean(settings.sizes)
    places = stand(np.stack(np.divmod(np.arange(settings.grid**2), settings.grid), axis=1), size, settings.grid)
    rays = np.column_stack([places, np.full(len(places), size)]) - eye
    half = rays @ np.cross(up, right) * np.tan(np.radians(float(camera.get("fovy", ""))) / 2)
    seen = np.column_stack([rays @ right, -rays @ up]) / half[:, None] / 2 + 0.5
    return tuple((float(x), float(y)) for x, y in seen)


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
        return self._settings.to_dict()

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
