"""A film of the arm while it draws: MuJoCo's renderer, off screen. The drawing is a texture of the sheet."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from limner.robot.arm import JOINTS, MILLIMETRE, Arm
from limner.robot.drawing import Drawing
from limner.robot.ink import Ink
from limner.worlds.scenes.mujoco import mujoco, open_context

WIDTH, HEIGHT = 400, 440
SAMPLES = 2  # supersampling along each axis
DISTANCE = 0.72  # metres from the camera to the point that it looks at, between robot and sheet


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
        self, drawing: Drawing, nib: float, count: int, report: Callable[[int, int], None] | None = None
    ) -> NDArray[np.uint8]:
        """``count`` frames ``uint8[count, HEIGHT, WIDTH, 3]``, evenly spaced in the time of ``drawing``."""
        frames = np.empty((count, HEIGHT, WIDTH, 3), np.uint8)
        ink = Ink(drawing, self._sheet, nib, int(self._paper.width[0]))
        for i, step in enumerate(np.linspace(0, len(drawing) - 1, count).round().astype(int).tolist()):
            self._upload(ink.until(step + 1))
            self._data.qpos[:JOINTS], self._data.qpos[JOINTS] = drawing.joints[step], drawing.pressed[step]
            frames[i] = self._render()
            if report:
                report(i + 1, count)
        return frames

    def close(self) -> None:
        """Free the OpenGL context."""
        self._context.free()
        self._gl.free()

    def _upload(self, drawing: NDArray[np.uint8]) -> None:
        """Make ``drawing`` the texture of the sheet, whose rows run along the sheet's x, its columns along y."""
        pixels = self._model.tex_data[self._paper.adr[0] :][: drawing.size * 3]
        pixels[:] = np.repeat(drawing.transpose(1, 0, 2)[::-1], 3, axis=-1).ravel()
        mujoco.mjr_uploadTexture(self._model, self._context, self._paper.id)

    def _render(self) -> NDArray[np.uint8]:
        mujoco.mj_forward(self._model, self._data)
        categories = mujoco.mjtCatBit.mjCAT_ALL
        mujoco.mjv_updateScene(self._model, self._data, self._option, None, self._camera, categories, self._scene)
        size = mujoco.MjrRect(0, 0, SAMPLES * WIDTH, SAMPLES * HEIGHT)
        mujoco.mjr_render(size, self._scene, self._context)
        pixels = np.empty((SAMPLES * HEIGHT, SAMPLES * WIDTH, 3), np.uint8)
        mujoco.mjr_readPixels(pixels, None, size, self._context)
        blocks = pixels.reshape(HEIGHT, SAMPLES, WIDTH, SAMPLES, 3).mean((1, 3))
        picture: NDArray[np.uint8] = blocks[::-1].round().astype(np.uint8)
        return picture
