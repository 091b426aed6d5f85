"""Painting a large picture: coarse to fine, patch by patch, on what is already there.

The square canvas is cut into 1, then 2 × 2, 4 × 4 … patches, and each of them is a picture of its own for the agent,
as large as the one it has learned to draw. What comes out is one program for all of the canvas.

Notable choices:
- A patch is drawn on what the canvas shows there, reduced to the agent's size: the policy sees the paint, and search
  improves on it. A patch that is close enough already is passed over; blank paper around a picture always is.
- Strokes are not cut off at the edge of a patch, so there is nothing to see of it. What they do beyond it counts: of
  the strokes of a patch only those stay that bring the canvas closer around it, as far as half way into the next ones.
- Neighbours are never drawn at once. Patches in even and odd rows and columns make four phases, and each starts from
  what the last one has left.
- The large canvas has the agent's grid for each of the smallest patches, and its radii divided by each level.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from limner.actions import IntArray
from limner.agents.agent import Agent
from limner.data import Pictures
from limner.data.resize import prepare
from limner.inference.draw import batch_size, check_drawing, draw_on
from limner.inference.evaluate import squared_error
from limner.programs.program import Program
from limner.worlds.paint.renderer import Paint, PaintSettings
from limner.worlds.world import Canvas

DETAILS = (1, 2, 4, 8, 16)
"""Patches a side at the finest level."""
CLOSE = (3 / 255) ** 2
"""Mean squared error of a patch that is passed over."""
WIDEST = 15.6
"""Largest radius in pixels of a 64-pixel canvas: 500 of 2048, which pressure may widen (see ``PaintSettings``)."""


@dataclass(frozen=True)
class Painting:
    """A picture on its way."""

    program: Program
    """Everything painted so far."""
    done: int
    """Patches drawn or passed over."""
    total: int
    """Patches in all."""


def paint(
    agent: Agent, picture: Pictures, detail: int = 8, search: float = 0.0, seed: int = 0, threads: int = 1
) -> Iterator[Painting]:
    """Let ``agent`` paint ``picture`` ``uint8[S, S, C]``; gives the painting as it grows, at first blank.

    The picture is as large as the canvas (``canvas_shape``), ``detail`` times as wide and high as the agent's; so many
    patches a side has the finest level. ``search`` is in seconds for the whole picture, shared evenly by the patches
    that are drawn; how it is spent says ``drawing.Plan``. With 0 the policy paints alone, and the same ``seed`` paints
    the same.

    ``ValueError`` when the agent has no targets, paints other strokes than standalone ones or not on white; when
    ``detail`` is none of ``DETAILS`` or too fine for it; when ``search`` or ``seed`` are out of range, or the picture
    has another size or number of channels.
    """
    check_drawing(agent, search, seed)
    side, channels = canvas_shape(agent, detail)
    if picture.dtype != np.uint8 or picture.shape != (side, side, channels):
        raise ValueError(
            f"the picture is {picture.dtype}{list(picture.shape)}, the canvas is uint8{[side, side, channels]}"
        )
    return _paint(agent, _Easel(_own_settings(agent), picture, detail), detail, search, seed, threads)


def canvas_shape(agent: Agent, detail: int) -> tuple[int, int]:
    """Pixels a side and channels of the canvas that ``agent`` has with ``detail``; ``ValueError`` as ``paint``."""
    own = _own_settings(agent)
    if detail not in DETAILS:
        raise ValueError(f"detail is {detail}: must be one of {', '.join(map(str, DETAILS))}")
    if own.canvas * detail > 4096 or own.grid * detail > 4096 or min(own.sizes) / detail < 0.05:
        raise ValueError(
            f"detail is {detail}: too fine for agent {agent.name!r}, whose canvas has {own.canvas} pixels and whose "
            f"smallest radius is {min(own.sizes)}; choose a smaller one"
        )
    return own.canvas * detail, 3 if own.color else 1


def _own_settings(agent: Agent) -> PaintSettings:
    """Those of an agent that can paint large pictures; ``ValueError`` when it cannot."""
    check_drawing(agent)
    own = agent.config.renderer
    if not isinstance(own, PaintSettings):
        raise ValueError(f"agent {agent.name!r} builds scenes: a large picture needs one that paints")
    if own.space != "stroke" or own.ground != "white":
        raise ValueError(
            f"agent {agent.name!r} paints in the space {own.space!r} on {own.ground} ground: a large picture needs one "
            "with the space 'stroke' on white"
        )
    return own


def _paint(agent: Agent, easel: _Easel, detail: int, search: float, seed: int, threads: int) -> Iterator[Painting]:
    levels = [level for level in DETAILS if level <= detail]
    done, total, left = 0, sum(level**2 for level in levels), search

    def painting() -> Painting:
        settings = easel.renderer.settings()
        return Painting(Program(settings, easel.program(), seed, agent.name), done, total)

    yield painting()
    for level in levels:
        for phase in product(range(min(level, 2)), repeat=2):
            patches = np.asarray(list(product(range(phase[0], level, 2), range(phase[1], level, 2))))
            canvases, goals = easel.patches(level, patches)
            apart = np.flatnonzero(squared_error(canvases, goals) > CLOSE)
            done += len(patches) - len(apart)
            for start in range(0, len(apart), batch_size(search)):
                rows = apart[start : start + batch_size(search)]
                renderer = _Sketch(easel.patch_settings(level), canvases[rows], threads)
                share = left / (total - done)
                drawn = draw_on(renderer, agent, goals[rows], share, seed + done, threads)
                easel.add(level, patches[rows], np.stack([program.actions for program in drawn.programs], axis=1))
                done, left = done + len(rows), left - share * len(rows)
                yield painting()
    yield painting()


class _Sketch(Paint):
    """Canvases that start from pictures in the place of blank paper."""

    def __init__(self, settings: PaintSettings, pictures: Canvas, threads: int) -> None:
        self._pictures = pictures
        super().__init__(settings, len(pictures), threads)

    def reset(self, indices: IntArray | None = None) -> None:
        """As ``Paint.reset``, to these pictures."""
        self.load(self._pictures if indices is None else self._pictures[indices], indices)


class _Easel:
    """The large canvas and what it is to show."""

    def __init__(self, own: PaintSettings, picture: Pictures, detail: int) -> None:
        self.own, self.detail, self.goal = own, detail, picture
        radii = {radius for level in DETAILS if level <= detail for radius in self._radii(level)}
        size = own.canvas * detail
        settings = replace(own, canvas=size, grid=own.grid * detail, sizes=tuple(sorted(radii)))
        self.sizes = settings.sizes
        self.renderer = Paint(settings)
        self.strokes: list[IntArray] = []

    def program(self) -> IntArray:
        """All strokes, ``int64[T, P]``."""
        return np.asarray(self.strokes, np.int64).reshape(-1, len(self.renderer.actions))

    def patch_settings(self, level: int) -> PaintSettings:
        """How the agent paints a patch of a level."""
        return replace(self.own, sizes=tuple(radius * level for radius in self._radii(level)))

    def patches(self, level: int, patches: IntArray) -> tuple[Canvas, Pictures]:
        """What ``patches`` int64[N, 2] (row, column) show and are to show, ``uint8[N, H, W, C]`` as the canvas."""
        shown = _cut(prepare(self.renderer.canvas(), self.own.canvas * level)[0], level, patches)
        return shown, _cut(prepare(self.goal[None], self.own.canvas * level)[0], level, patches)

    def add(self, level: int, patches: IntArray, actions: IntArray) -> None:
        """Paint the ``actions`` int64[T, N, P] of ``patches`` int64[N, 2], of which none are neighbours.

        Only strokes that bring the canvas closer stay; on the first level all do.
        """
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
        """What ``actions`` int64[T, N, P] of patches are on the large canvas."""
        space, cells = self.renderer.actions, self.detail // level  # cells here for each of the patch
        radii = np.searchsorted(self.sizes, self._radii(level))
        result = actions.copy()
        for name in ("start", "control", "end"):
            place = np.stack(np.divmod(actions[..., space.index(name)], self.own.grid), axis=-1)
            place = (patches * self.own.grid + place) * cells + cells // 2
            result[..., space.index(name)] = place[..., 0] * (self.own.grid * self.detail) + place[..., 1]
        result[..., space.index("size")] = radii[actions[..., space.index("size")]]
        return result

    def _error(self, level: int, patches: IntArray) -> NDArray[np.float64]:
        """Squared error ``float64[N]`` of what is nearer to a patch than to any other of its phase."""
        half = len(self.goal) // (2 * level)  # of the side of a patch
        difference = self.renderer.canvas()[0].astype(np.float32) - self.goal
        error = np.square(difference).sum(-1, dtype=np.float32).reshape(2 * level, half, 2 * level, half)
        halves = np.pad(error.sum((1, 3), dtype=np.float64), 1)
        return np.asarray([halves[2 * row : 2 * row + 4, 2 * column : 2 * column + 4].sum() for row, column in patches])


def _cut(picture: Pictures, level: int, patches: IntArray) -> Pictures:
    """``patches`` int64[N, 2] of ``level`` × ``level`` that make up a picture ``uint8[S, S, C]``."""
    side = len(picture) // level
    grid = picture.reshape(level, side, level, side, -1).swapaxes(1, 2)
    return np.ascontiguousarray(grid[patches[:, 0], patches[:, 1]])
