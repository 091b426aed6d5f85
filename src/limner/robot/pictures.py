"""Pictures of a drawing: the finished sheet, and a film of the arm while it draws.

On the sheet, whose upper edge is nearest to the robot, every step of the simulation in which the nib touches the paper
draws a disc. Its width grows with how far the spring is compressed, as with a soft tip. The film is by MuJoCo's
renderer, off screen, with the sheet as a texture.
"""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from limner.export.picture import Pixels
from limner.robot.arm import JOINTS, MILLIMETRE, Arm, Sheet
from limner.robot.drawing import Drawing
from limner.robot.path import DEEP
from limner.worlds.scenes.mujoco import mujoco, open_context

FINEST, LARGEST = 4, 4096  # supersampling of the sheet along each axis, up to a number of pixels a side
THIN = 0.4  # width of a line without pressure, as a fraction of its width at full pressure
WIDTH, HEIGHT = 400, 440  # of the film
SAMPLES = 2  # supersampling of the film along each axis
DISTANCE = 0.72  # metres from the camera to the point that it looks at, between robot and sheet


class Ink:
    """The picture of a drawing as it grows over time."""

    def __init__(self, drawing: Drawing, sheet: Sheet, nib: float, size: int) -> None:
        """``nib`` is the width of the line at full pressure in millimetres, ``size`` that of the picture in pixels."""
        self._factor = max(1, min(FINEST, LARGEST // size))
        side = self._factor * size
        self._image = Image.new("L", (side, side), 255)
        self._pen = ImageDraw.Draw(self._image)
        pressed = np.clip(drawing.pressed / DEEP, 0, 1)
        radii = nib / 2 * (THIN + (1 - THIN) * pressed) / sheet.size * side
        places = sheet.shares(drawing.nib) * side
        self._discs = np.column_stack([places - radii[:, None], places + radii[:, None]])
        self._touching = drawing.touching
        self._done = 0

    def until(self, step: int) -> Pixels:
        """The picture ``uint8[size, size, 1]`` after ``step`` steps, which may not decrease between calls."""
        for i in np.flatnonzero(self._touching[self._done : step]) + self._done:
            self._pen.ellipse(self._discs[i].tolist(), fill=0)
        self._done = max(self._done, step)
        return np.asarray(self._image.reduce(self._factor))[..., None]


def picture(drawing: Drawing, sheet: Sheet, nib: float, size: int) -> Pixels:
    """The finished drawing, ``uint8[size, size, 1]``: black on white."""
    return Ink(drawing, sheet, nib, size).until(len(drawing))


class Film:
    """A camera in front of an arm, and the OpenGL context of this thread."""

    def __init__(self, arm: Arm) -> None:
        """``ImportError`` when OpenGL cannot start."""
        self._model, self._data = arm.model, mujoco.MjData(arm.model)
        self._sheet = arm.sheet
        try:
            self._gl, self._context = open_context(self._model, SAMPLES * WIDTH, SAMPLES * HEIGHT)
        except ImportError as error:
            raise ImportError(f"{error}, or do without the film: --no-video") from None
        self._scene = mujoco.MjvScene(self._model, maxgeom=200)
        self._option = mujoco.MjvOption()
        self._camera = mujoco.MjvCamera()
        self._camera.azimuth, self._camera.elevation, self._camera.distance = 198, -34, DISTANCE
        self._camera.lookat[:] = MILLIMETRE * 0.66 * self._sheet.x, MILLIMETRE * 0.66 * self._sheet.y, 0.165
        self._paper = self._model.texture("paper")

    def shoot(
        self, drawing: Drawing, nib: float, count: int, report: Callable[[int, int], None] = lambda done, total: None
    ) -> Pixels:
        """``count`` frames ``uint8[count, HEIGHT, WIDTH, 3]``, evenly spaced in the time of ``drawing``."""
        frames = np.empty((count, HEIGHT, WIDTH, 3), np.uint8)
        ink = Ink(drawing, self._sheet, nib, int(self._paper.width[0]))
        for i, step in enumerate(np.linspace(0, len(drawing) - 1, count).round().astype(int).tolist()):
            self._upload(ink.until(step + 1))
            self._data.qpos[:JOINTS], self._data.qpos[JOINTS] = drawing.joints[step], drawing.pressed[step]
            frames[i] = self._render()
            report(i + 1, count)
        return frames

    def close(self) -> None:
        """Free the OpenGL context."""
        self._context.free()
        self._gl.free()

    def _upload(self, drawing: Pixels) -> None:
        """Make ``drawing`` the texture of the sheet, whose rows run along the sheet's x, its columns along y."""
        pixels = self._model.tex_data[self._paper.adr[0] :][: drawing.size * 3]
        pixels[:] = np.repeat(drawing.transpose(1, 0, 2)[::-1], 3, axis=-1).ravel()
        mujoco.mjr_uploadTexture(self._model, self._context, self._paper.id)

    def _render(self) -> Pixels:
        mujoco.mj_forward(self._model, self._data)
        everything = mujoco.mjtCatBit.mjCAT_ALL
        mujoco.mjv_updateScene(self._model, self._data, self._option, None, self._camera, everything, self._scene)
        size = mujoco.MjrRect(0, 0, SAMPLES * WIDTH, SAMPLES * HEIGHT)
        mujoco.mjr_render(size, self._scene, self._context)
        pixels = np.empty((SAMPLES * HEIGHT, SAMPLES * WIDTH, 3), np.uint8)
        mujoco.mjr_readPixels(pixels, None, size, self._context)
        blocks = pixels.reshape(HEIGHT, SAMPLES, WIDTH, SAMPLES, 3).mean((1, 3))
        frame: Pixels = blocks[::-1].round().astype(np.uint8)
        return frame
