"""The toy renderer: round strokes in pure NumPy.

The action space is that of the paint renderer, in grey and on a coarser grid. A curve is 2 discs per canvas pixel, with
soft edges one pixel wide; the darkest disc counts, so a stroke does not darken where it crosses itself. ``pressure`` is
opacity and changes linearly along the curve from its last value to the new one: hidden state that has to be saved.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from limner.actions import ActionSpace, FloatArray, IntArray, Part
from limner.worlds.validation import check_fields, require
from limner.worlds.world import Renderer, Settings

JUMP, PAINT = 0, 1
"""Values of the part ``flag``."""


@dataclass(frozen=True)
class ToySettings(Settings):
    """Everything that decides the pixels."""

    name: ClassVar[str] = "toy"
    canvas: int = 32
    """Height and width in pixels, 8 to 1024."""
    grid: int = 8
    """Rows and columns of the locations, 2 to ``canvas``."""
    sizes: tuple[float, ...] = (2.0, 4.0)
    """Radii in pixels of a 64-pixel canvas."""
    pressures: int = 4
    """Number of opacities, from ``1 / pressures`` to 1."""

    def __post_init__(self) -> None:
        ranges = {"canvas": (8, 1024), "grid": (2, 1024), "sizes": (0, 1000), "pressures": (1, 1000)}
        check_fields(self, "renderer.", within=ranges)
        require(self.grid <= self.canvas, f"renderer.grid is {self.grid}: must be at most the canvas, {self.canvas}")
        object.__setattr__(self, "sizes", tuple(float(size) for size in self.sizes))


def toy_actions(settings: ToySettings) -> ActionSpace:
    """``flag, end, control, size, pressure``, those of SPIRAL in grey: after a jump only the first two count."""
    grid, pressures = (settings.grid, settings.grid), settings.pressures
    opacities = tuple((i + 1) / pressures for i in range(pressures))
    return ActionSpace(
        (
            Part("flag", 2, verbs=("jump", "paint"), full=("paint",)),
            Part("end", settings.grid**2, grid),
            Part("control", settings.grid**2, grid, dependent=True),
            Part("size", len(settings.sizes), values=settings.sizes, dependent=True),
            Part("pressure", pressures, values=opacities, dependent=True),
        )
    )


class Toy(Renderer):
    """``batch`` grey canvases ``[canvas, canvas, 1]``, white at first, the pen at the upper left; one thread paints."""

    def __init__(self, settings: ToySettings = ToySettings(), batch: int = 1, threads: int = 1) -> None:
        super().__init__(settings, toy_actions(settings), 1, batch, threads)
        self._grid = settings.grid
        self._pen = np.empty((batch, 2), np.float32)
        self._pressure = np.empty(batch, np.float32)
        self.reset()

    def pen(self) -> FloatArray:
        """As ``Renderer.pen``."""
        return self._pen.copy()

    def _reset(self, rows: IntArray) -> None:
        self._canvas[rows], self._pen[rows], self._pressure[rows] = 255, 0, 0

    def _step(self, actions: IntArray) -> None:
        painting = np.flatnonzero(actions[:, self.actions.index("flag")] == PAINT)
        end = self._place(actions, "end")
        pressure = self.actions.values(actions, "pressure")
        self._paint(painting, actions[painting], end[painting], pressure[painting])
        self._pen = end
        self._pressure = np.zeros_like(pressure)  # 0 with the pen lifted
        self._pressure[painting] = pressure[painting]

    def _save(self, rows: IntArray) -> tuple[Any, ...]:
        return self._canvas[rows], self._pen[rows], self._pressure[rows]

    def _restore(self, rows: IntArray, parts: Any) -> None:
        self._canvas[rows], self._pen[rows], self._pressure[rows] = parts

    def _paint(self, rows: IntArray, actions: IntArray, end: FloatArray, pressure: FloatArray) -> None:
        """Lay the curves of ``actions`` over the canvases ``rows``."""
        size = self.shape[0]
        start, control, last = self._pen[rows], self._place(actions, "control"), self._pressure[rows]
        radius = self.actions.values(actions, "size")[:, None, None] * np.float32(size / 64)
        centres = (np.arange(size, dtype=np.float32) + np.float32(0.5)) / np.float32(size)
        darkness = np.zeros((len(rows), size, size), np.float32)
        for t in np.linspace(0, 1, 2 * size, dtype=np.float32):
            point = (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end
            x, y = ((centres - point[:, axis, None]) * np.float32(size) for axis in (0, 1))
            distance = np.sqrt((y * y)[:, :, None] + (x * x)[:, None, :])
            opacity = ((1 - t) * last + t * pressure)[:, None, None]
            np.maximum(darkness, np.clip(radius + np.float32(0.5) - distance, 0, 1) * opacity, out=darkness)
        self._canvas[rows] = np.rint(self._canvas[rows] * (1 - darkness[..., None])).astype(np.uint8)

    def _place(self, actions: IntArray, name: str) -> FloatArray:
        """Centres ``float32[M, 2]``, (x, y) in [0, 1], of the cells of a location."""
        return ((self.actions.cells(actions, name)[:, ::-1] + 0.5) / self._grid).astype(np.float32)
