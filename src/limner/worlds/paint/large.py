"""A large canvas for an agent that paints small ones: its patches, and the agent's strokes on the large canvas.

Strokes are not clipped to their patch, so its edge does not show. Of the strokes of a patch only those are kept that
bring the canvas closer to its goal in the patch and half way into the next ones. The large canvas has the agent's grid
for each of the finest patches, and its radii divided by each level.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from limner.actions import IntArray
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.world import Canvas, Renderer

WIDEST = 15.6
"""Largest radius in pixels of a 64-pixel canvas: 500 of 2048. libmypaint's limit is 1000, and pressure widens."""


class PatchRenderer(Paint):
    """Canvases that a reset sets to given pictures instead of white."""

    def __init__(self, settings: PaintSettings, pictures: Canvas, threads: int) -> None:
        self._pictures = pictures
        super().__init__(settings, len(pictures), threads)

    def _reset(self, rows: IntArray) -> None:
        self.load(self._pictures[rows], rows)


class LargePainting:
    """Implements ``worlds.world.LargeCanvas``. Level n, a power of two up to ``detail``, has n × n patches."""

    goal: Canvas

    def __init__(self, settings: PaintSettings, detail: int) -> None:
        """``ValueError`` unless strokes are standalone, on white, and not too fine."""
        if settings.space != "stroke" or settings.ground != "white":
            given = f"it paints in the space {settings.space!r} on {settings.ground} ground"
            raise ValueError(f"{given}: a large picture needs the space 'stroke' on white")
        if settings.canvas * detail > 4096 or settings.grid * detail > 4096 or min(settings.sizes) / detail < 0.05:
            given = f"a canvas of {settings.canvas} pixels with a smallest radius of {min(settings.sizes)}"
            raise ValueError(f"detail is {detail}: too fine for {given}; choose a smaller one")
        self.own, self.detail = settings, detail
        levels = [2**i for i in range(detail.bit_length())]
        self.sizes = tuple(sorted({radius for level in levels for radius in self._radii(level)}))
        large = replace(settings, canvas=settings.canvas * detail, grid=settings.grid * detail, sizes=self.sizes)
        self.renderer: Renderer = Paint(large)
        self.strokes: list[IntArray] = []

    def program(self) -> IntArray:
        """All strokes, ``int64[T, P]``."""
        return np.asarray(self.strokes, np.int64).reshape(-1, len(self.renderer.actions))

    def patch_renderer(self, level: int, pictures: Canvas, threads: int) -> PatchRenderer:
        """As ``LargeCanvas.patch_renderer``."""
        sizes = tuple(radius * level for radius in self._radii(level))
        return PatchRenderer(replace(self.own, sizes=sizes), pictures, threads)

    def add(self, level: int, patches: IntArray, actions: IntArray) -> None:
        """As ``LargeCanvas.add``: only strokes that bring the canvas closer are kept; on the first level all are."""
        error = self._error(level, patches)
        for strokes in self._on_canvas(level, patches, actions):
            before = self.renderer.save()
            self._step(strokes)
            now = self._error(level, patches)
            closer = now < error
            if level > 1 and not closer.all():
                self.renderer.restore(before)
                strokes, now = strokes[closer], np.where(closer, now, error)
                self._step(strokes)
            self.strokes += list(strokes)
            error = now

    def _step(self, strokes: IntArray) -> None:
        for stroke in strokes:
            self.renderer.step(stroke[None])

    def _radii(self, level: int) -> list[float]:
        return [min(radius / level, WIDEST) for radius in self.own.sizes]

    def _on_canvas(self, level: int, patches: IntArray, actions: IntArray) -> IntArray:
        """The actions of the large canvas that paint ``actions`` int64[T, N, P] of patches."""
        space, cells = self.renderer.actions, self.detail // level  # cells of the large grid for one of the patch
        radii = np.searchsorted(self.sizes, self._radii(level))
        result = actions.copy()
        for name in ("start", "control", "end"):
            place = np.stack(np.divmod(actions[..., space.index(name)], self.own.grid), axis=-1)
            place = (patches * self.own.grid + place) * cells + cells // 2
            result[..., space.index(name)] = place[..., 0] * (self.own.grid * self.detail) + place[..., 1]
        result[..., space.index("size")] = radii[actions[..., space.index("size")]]
        return result

    def _error(self, level: int, patches: IntArray) -> NDArray[np.float64]:
        """Squared error ``float64[N]`` of the pixels of each patch and of half of the patches around it."""
        half = len(self.goal) // (2 * level)  # of the side of a patch
        difference = self.renderer.canvas()[0].astype(np.float32) - self.goal
        error = np.square(difference).sum(-1, dtype=np.float32).reshape(2 * level, half, 2 * level, half)
        halves = np.pad(error.sum((1, 3), dtype=np.float64), 1)
        return np.asarray([halves[2 * row : 2 * row + 4, 2 * column : 2 * column + 4].sum() for row, column in patches])
