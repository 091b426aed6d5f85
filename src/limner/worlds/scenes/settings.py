"""Settings and action space of scenes, and the objects that actions place.

Rows of the platform are counted from the back, so that ``location`` lies in the picture much as in a painting;
``Part.sights`` says where the camera sees each cell. No object extends beyond the edge of the platform.
"""

from dataclasses import dataclass
from functools import cache, reduce
from importlib.resources import files
from typing import ClassVar
from xml.etree import ElementTree

import numpy as np
from numpy.typing import ArrayLike, NDArray

from limner.actions import COLOURS, ActionSpace, IntArray, Part
from limner.worlds.validation import check_fields
from limner.worlds.world import Settings

PLACE, CHANGE, SKIP = 0, 1, 2
"""Values of the part ``op``: place a new object, change the one placed last, or do nothing."""
KINDS = ("box", "sphere", "cylinder", "capsule")
SHAPE = ("type", "location", "size")
"""The parts of an action that say what an object is, but for its colour."""
MAX_OBJECTS = 1000
"""Of one scene."""
NEARER = 1e-5
"""Relative growth of an object from cell to cell, so that no two surfaces coincide."""


@dataclass(frozen=True)
class ScenesSettings(Settings):
    """Canvas and platform, and the objects that there can be."""

    name: ClassVar[str] = "scenes"
    canvas: int = 64
    """Height and width in pixels, 16 to 2048."""
    grid: int = 16
    """Rows and columns of the places on the platform, 2 to 64."""
    sizes: tuple[float, ...] = (0.14, 0.22, 0.34)
    """Radii of the objects, 0.01 to 1; the platform is 2 wide."""
    levels: int = 4
    """Number of values of red, green and blue, from 0 to 1."""

    def __post_init__(self) -> None:
        ranges = {"canvas": (16, 2048), "grid": (2, 64), "levels": (2, 256), "sizes": (0.01, 1)}
        check_fields(self, "renderer.", within=ranges)
        object.__setattr__(self, "sizes", tuple(float(size) for size in self.sizes))


@cache
def scene_actions(settings: ScenesSettings) -> ActionSpace:
    """``op``, ``type``, ``location``, ``size``, ``red``, ``green``, ``blue``; in a skip only the first counts."""
    grid = (settings.grid, settings.grid)
    shades = tuple(i / (settings.levels - 1) for i in range(settings.levels))
    return ActionSpace(
        (
            Part("op", 3, verbs=("place", "change", "skip"), full=("place", "change")),
            Part("type", len(KINDS), dependent=True),
            Part("location", settings.grid**2, grid, dependent=True, sights=_sights(settings)),
            Part("size", len(settings.sizes), values=settings.sizes, dependent=True),
            *(Part(name, settings.levels, values=shades, dependent=True) for name in COLOURS),
        )
    )


def objects(space: ActionSpace, actions: IntArray) -> IntArray:
    """The objects after canonical ``actions`` int64[T, P], in the order in which they were placed: ``int64[n, P]``.

    Each is the action that places it, with all later changes.
    """
    op = space.index("op")
    return reduce(lambda before, action: build(before, action, op), actions, np.empty((0, len(space)), np.int64))


def build(before: IntArray, action: IntArray, op: int) -> IntArray:
    """The objects ``before``, int64[n, P], after one ``action`` int64[P], whose verb is part ``op``."""
    if action[op] == SKIP:
        return before
    kept = before[:-1] if action[op] == CHANGE else before
    built = np.concatenate([kept, action[None]])
    built[-1, op] = PLACE
    return built


def stand(cells: ArrayLike, size: ArrayLike, grid: int) -> NDArray[np.float64]:
    """Places ``float64[n, 2]``, x and y on the platform, of objects of radii ``size`` [n] in ``cells`` [n, 2]."""
    back, across = (1 - np.asarray(size)) * ((2 * np.asarray(cells) + 1) / grid - 1).T
    return np.column_stack([across, -back])


def place(settings: ScenesSettings, objects: IntArray) -> NDArray[np.float64]:
    """The objects of actions ``int64[n, P]`` as ``camera.Objects``."""
    space = scene_actions(settings)
    size = space.values(objects, "size")
    colours = [space.values(objects, name) for name in COLOURS]
    places = stand(space.cells(objects, "location"), size, settings.grid)
    size = size * (1 + NEARER * objects[:, space.index("location")])
    return np.column_stack([objects[:, space.index("type")], places, size, *colours])


@cache
def _sights(settings: ScenesSettings) -> tuple[tuple[float, float], ...]:
    """Where the camera of ``scenes.xml`` sees the middle of an object of mean size in each cell."""
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
