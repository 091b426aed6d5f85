"""A camera in a MuJoCo world: pictures of objects that stand on the platform of ``scenes.xml``.

Physics is not used. The world without objects is laid out once, and for a picture one geometry for each object is
appended: less work than editing a model. Pictures are rendered at twice their size and averaged, without multisampling:
smoother, and a third of the time. An OpenGL context belongs to a thread, so every camera has a thread. Cameras are made
when none is free, and are kept for the next renderer. A forked child process makes its own.
"""

import os
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from importlib.resources import files
from itertools import islice, repeat
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from limner.worlds.scenes._scenes import halve
from limner.worlds.scenes.mujoco import mujoco, open_context
from limner.worlds.scenes.settings import KINDS, MAX_OBJECTS
from limner.worlds.world import Canvas

SMALL = 128
"""Largest picture for which few facets suffice."""

Objects = NDArray[np.float64]
"""``float64[n, 7]``: kind, x and y on the platform in [−1, 1], radius, red, green, blue in [0, 1]."""
GEOMS = [getattr(mujoco.mjtGeom, f"mjGEOM_{kind.upper()}") for kind in KINDS]
EXTENTS = np.array([(1, 1, 1), (1, 1, 1), (1, 1, 1), (0.7, 0.7, 0.6)])
"""For each kind half the width and depth and half the height (of a capsule: of its straight part), in radii."""
CAPSULE = KINDS.index("capsule")
EFFECTS = [getattr(mujoco.mjtRndFlag, f"mjRND_{name}") for name in ("SHADOW", "REFLECTION", "SKYBOX", "FOG", "HAZE")]
"""Effects that are switched off."""
_UPRIGHT = np.eye(3).ravel()
_NEWER = 3e-6
"""Relative growth of an object over one placed before it in the same place, so that the newer one shows."""


Solid = tuple[int, NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float32]]
"""Type, size, place, orientation and colour, as ``mjv_initGeom`` takes them."""


class Samples(NamedTuple):
    """The four samples of each pixel of a picture of P pixels, from the upper left on."""

    depths: NDArray[np.float32]
    """``float32[P, 4]`` in [0, 1], the nearest the lowest."""
    colours: NDArray[np.uint8]
    """``uint8[P, 4, 3]``."""


class Camera:
    """An OpenGL context and its thread; ``ImportError`` naming what is missing if OpenGL does not start."""

    def __init__(self, fine: bool) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="camera")
        self._thread.submit(self._open, fine).result()

    def render(self, scenes: Sequence[Objects], size: int, out: Canvas) -> Future[None]:
        """Write pictures of ``scenes`` into ``out``, ``uint8[len(scenes), size, size, 3]``, when the future is done."""
        return self._thread.submit(self._render, scenes, size, out)

    def sample(self, scenes: Sequence[Objects], size: int) -> Future[list[Samples]]:
        """The samples that ``render`` averages to pictures of ``scenes``."""
        return self._thread.submit(self._sample, scenes, size)

    def _open(self, fine: bool) -> None:
        model = mujoco.MjModel.from_xml_string(files("limner.worlds.scenes").joinpath("scenes.xml").read_text())
        if fine:
            model.vis.quality.numslices, model.vis.quality.numstacks = 64, 32
        data = mujoco.MjData(model)
        mujoco.mj_forward(model, data)
        self._gl, self._context = open_context(model, 64, 64)
        self._scene = mujoco.MjvScene(model, maxgeom=MAX_OBJECTS + 16)
        camera = mujoco.MjvCamera()
        camera.type, camera.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED, 0
        everything = mujoco.mjtCatBit.mjCAT_ALL
        mujoco.mjv_updateScene(model, data, mujoco.MjvOption(), None, camera, everything, self._scene)
        for effect in EFFECTS:
            self._scene.flags[effect] = 0
        self._platform = self._scene.ngeom
        self._geoms = self._scene.geoms[self._platform :]
        self._buffer = np.empty((0, 0, 3), np.uint8)

    def _render(self, scenes: Sequence[Objects], size: int, out: Canvas) -> None:
        self._prepare(size)
        for solids, picture in zip(_solids(scenes), out, strict=True):
            self._draw(solids, None)
            halve(self._buffer[None], self._half[None])
            picture[...] = self._half[::-1]

    def _sample(self, scenes: Sequence[Objects], size: int) -> list[Samples]:
        self._prepare(size)
        depths = np.empty((2 * size, 2 * size), np.float32)
        samples = []
        for solids in _solids(scenes):
            self._draw(solids, depths)
            samples.append(Samples(_by_pixel(depths), _by_pixel(self._buffer)))
        return samples

    def _prepare(self, size: int) -> None:
        if len(self._buffer) != 2 * size:
            mujoco.mjr_resizeOffscreen(2 * size, 2 * size, self._context)
            self._frame = mujoco.MjrRect(0, 0, 2 * size, 2 * size)
            self._buffer = np.empty((2 * size, 2 * size, 3), np.uint8)
            self._half = np.empty((size, size, 3), np.uint8)

    def _draw(self, solids: Sequence[Solid], depths: NDArray[np.float32] | None) -> None:
        """Fill the buffer, and ``depths``, from the lowest row to the highest."""
        for geom, solid in zip(self._geoms, solids, strict=False):
            mujoco.mjv_initGeom(geom, *solid)
        self._scene.ngeom = self._platform + len(solids)
        mujoco.mjr_render(self._frame, self._scene, self._context)
        mujoco.mjr_readPixels(self._buffer, depths, self._frame, self._context)


def _solids(scenes: Sequence[Objects]) -> Iterator[list[Solid]]:
    """For each scene its objects, standing on the platform."""
    objects = np.concatenate(scenes)
    numbers = np.repeat(np.arange(len(scenes)), [len(scene) for scene in scenes])
    ages = _ages(objects[:, 1] + 4 * numbers + 1j * objects[:, 2])
    kinds = objects[:, 0].astype(int)
    sizes = EXTENTS[kinds] * (objects[:, 3] * (1 + _NEWER * ages))[:, None]
    heights = sizes[:, 2] + np.where(kinds == CAPSULE, sizes[:, 0], 0)
    places = np.column_stack([objects[:, 1:3], heights])
    colours = np.column_stack([objects[:, 4:], np.ones(len(objects))]).astype(np.float32)
    solids = zip((GEOMS[kind] for kind in kinds), sizes, places, repeat(_UPRIGHT), colours, strict=False)
    for scene in scenes:
        yield list(islice(solids, len(scene)))


def _by_pixel(samples: NDArray[Any]) -> NDArray[Any]:
    """``[2 S, 2 S, …]``, lowest row first, to ``[S², 4, …]``, highest row first."""
    size, rest = len(samples) // 2, samples.shape[2:]
    blocks = samples[::-1].reshape(size, 2, size, 2, *rest).swapaxes(1, 2)
    return np.ascontiguousarray(blocks).reshape(size * size, 4, *rest)


def _ages(places: NDArray[np.complex128]) -> NDArray[np.int64]:
    """For each of ``places`` [n] the number of equal ones before it."""
    order, rank = places.argsort(kind="stable"), np.arange(len(places))
    first = np.diff(places[order], prepend=np.nan) != 0
    ages = np.empty(len(places), np.int64)
    ages[order] = rank - np.maximum.accumulate(np.where(first, rank, 0))
    return ages


_free: defaultdict[tuple[bool, int], deque[Camera]] = defaultdict(deque)


@contextmanager
def borrow_cameras(count: int, size: int) -> Iterator[list[Camera]]:
    """``count`` cameras for pictures of ``size`` pixels a side, for exclusive use in the context."""
    fine = size > SMALL
    free = _free[fine, os.getpid()]
    cameras: list[Camera] = []
    try:
        while len(cameras) < count:
            try:
                cameras.append(free.pop())
            except IndexError:
                cameras.append(Camera(fine))
        yield cameras
    finally:
        free.extend(cameras)
