"""A camera in a MuJoCo world: pictures of objects that stand on the platform of ``scenes.xml``.

Notable choices:
- Physics is not used. The world without objects is laid out once; for a picture its list of geometries is followed by
  one for each object. That is less work than editing a model, and any number of objects fits.
- Pictures are rendered at twice their size and averaged, without multisampling: smoother, and a third of the time.
  Round objects have few facets where the picture is small (``scenes.xml``): corners cost as much as pixels.
- Mesa renders on a processor, in the calling thread (``LP_NUM_THREADS=0``): its own threads cost more than they bring
  on small pictures.
- An OpenGL context belongs to a thread, so a camera has one; it is made when it is first needed and kept, and renderers
  share it. A child process that was forked off makes its own.
- Importing this module imports MuJoCo, with EGL unless ``MUJOCO_GL`` says otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from PIL import Image

os.environ.setdefault("MUJOCO_GL", "egl")
os.environ.setdefault("LP_NUM_THREADS", "0")

try:
    import mujoco
except ModuleNotFoundError as error:
    raise ImportError(f'scenes need MuJoCo ({error}): pip install "limner[scenes]"') from None

from limner.renderers.scenes import KINDS, MAX_OBJECTS

SAMPLES = 2
"""Pixels rendered for one of the picture, along each axis."""
SMALL = 128
"""Largest picture of which few facets suffice."""
NO_GL = "MuJoCo cannot render here ({}): apt-get install libegl1 libgl1 libgl1-mesa-dri, or choose another MUJOCO_GL"

Objects = NDArray[np.float64]
"""``float64[n, 7]``: kind, x and y on the platform in [−1, 1], radius, red, green, blue in [0, 1]."""
Pictures = NDArray[np.uint8]

GEOMS = [getattr(mujoco.mjtGeom, f"mjGEOM_{kind.upper()}") for kind in KINDS]
EXTENTS = [(1, 1, 1), (1, 1, 1), (1, 1, 1), (0.7, 0.7, 0.6)]
"""For each kind half the width and depth and half the height (of a capsule: of its straight part), in radii."""
CAPSULE = KINDS.index("capsule")
EFFECTS = [getattr(mujoco.mjtRndFlag, f"mjRND_{name}") for name in ("SHADOW", "REFLECTION", "SKYBOX", "FOG", "HAZE")]
"""What is switched off."""
_UPRIGHT = np.eye(3).ravel()
_NEWER = 1e-3
"""By how much each object is larger than the one before it: where two surfaces coincide, the newer shows."""


class Camera:
    """An OpenGL context and the thread that it belongs to; ``ImportError`` naming what is missing where none starts."""

    def __init__(self, fine: bool) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="camera")
        self._thread.submit(self._open, fine).result()

    def shoot(self, scenes: Sequence[Objects], size: int, out: Pictures) -> Future[None]:
        """Write pictures of ``scenes`` into ``out``, ``uint8[len(scenes), size, size, 3]``; done when the future is."""
        return self._thread.submit(self._shoot, scenes, size, out)

    def _open(self, fine: bool) -> None:
        model = mujoco.MjModel.from_xml_string(files("limner.renderers").joinpath("scenes.xml").read_text())
        if fine:
            model.vis.quality.numslices, model.vis.quality.numstacks = 64, 32
        data = mujoco.MjData(model)
        mujoco.mj_forward(model, data)
        try:
            self._gl = mujoco.GLContext(64, 64)
            self._gl.make_current()
            self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_50)
        except Exception as error:  # each of the ways to fail has an exception of its own
            raise ImportError(NO_GL.format(" ".join(str(error).split()) or type(error).__name__)) from None
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._scene = mujoco.MjvScene(model, maxgeom=MAX_OBJECTS + 16)
        camera = mujoco.MjvCamera()
        camera.type, camera.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED, 0
        everything = mujoco.mjtCatBit.mjCAT_ALL
        mujoco.mjv_updateScene(model, data, mujoco.MjvOption(), None, camera, everything, self._scene)
        for effect in EFFECTS:
            self._scene.flags[effect] = 0
        self._platform = self._scene.ngeom
        self._buffer = np.empty((0, 0, 3), np.uint8)

    def _shoot(self, scenes: Sequence[Objects], size: int, out: Pictures) -> None:
        side = SAMPLES * size
        if len(self._buffer) != side:
            mujoco.mjr_resizeOffscreen(side, side, self._context)
            self._buffer = np.empty((side, side, 3), np.uint8)
        frame = mujoco.MjrRect(0, 0, side, side)
        for objects, picture in zip(scenes, out, strict=True):
            self._stand(objects)
            mujoco.mjr_render(frame, self._scene, self._context)
            mujoco.mjr_readPixels(self._buffer, None, frame, self._context)
            upright = Image.frombuffer("RGB", (side, side), self._buffer, "raw", "RGB", 0, -1)
            picture[...] = np.asarray(upright.reduce(SAMPLES))

    def _stand(self, objects: Objects) -> None:
        """Put the objects on the platform, each on its lowest point."""
        for i, (kind, x, y, radius, *colour) in enumerate(objects.tolist()):
            width, depth, height = EXTENTS[int(kind)]
            radius *= 1 + _NEWER * i
            top = height + (width if kind == CAPSULE else 0)
            mujoco.mjv_initGeom(
                self._scene.geoms[self._platform + i],
                GEOMS[int(kind)],
                np.asarray((width * radius, depth * radius, height * radius)),
                np.asarray((x, y, top * radius)),
                _UPRIGHT,
                np.asarray((*colour, 1), np.float32),
            )
        self._scene.ngeom = self._platform + len(objects)


def camera(index: int, size: int) -> Camera:
    """The ``index``-th camera of this process for pictures of ``size`` pixels a side."""
    return _camera(index, size > SMALL, os.getpid())


@cache
def _camera(index: int, fine: bool, process: int) -> Camera:
    return Camera(fine)
