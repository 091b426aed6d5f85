"""A large canvas for an agent that paints small ones: its patches, and the agent's strokes on the large canvas.

Strokes are not clipped to their patch, so its edge does not show. Of the strokes of a patch only those are kept that
bring the canvas closer to its goal in the patch and half way into the next ones.

Where strokes are layers, search is for all of the painting together (``JointSearch``): the large canvas has radii by
thirds of an octave, and finer places, pressures and colours than the agent. Else it has the agent's grid for each of
the finest patches, and the agent's radii divided by each level.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from limner.actions import COLOURS, IntArray
from limner.worlds.budget import Budget
from limner.worlds.paint.brushes import brush_names, independent_strokes, load_brush
from limner.worlds.paint.joint import JointSearch
from limner.worlds.paint.layers import Stack
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.paint.style import EXACT, Style
from limner.worlds.paint.windows import rounded
from limner.worlds.validation import require
from limner.worlds.world import Canvas, Renderer, State

WIDEST = 15.6
"""Largest radius in pixels of a 64-pixel canvas: 500 of 2048. libmypaint's limit is 1000, and pressure widens."""
BRUSH = "experimental/basic"
"""Of a joint search in colour, if no other is asked for: round, and as opaque as it is pressed. The colours of a
palette it would mix."""
NARROWEST = 0.75
"""Smallest radius of a joint search, in pixels of the finest patches."""
OCTAVE = 3
"""Radii of a joint search to each octave."""
FINER = 4
"""Cells of its grid along each side of one of the agent's."""
PRESSURES = 8
"""Pressures that it has at least: of many brushes they are opacities."""


class PatchRenderer(Paint):
    """Canvases that a reset sets to given pictures instead of white."""

    def __init__(self, settings: PaintSettings, pictures: Canvas, threads: int) -> None:
        self._pictures = pictures
        super().__init__(settings, len(pictures), threads)

    def _blank(self, rows: IntArray) -> Canvas:
        return self._pictures[rows]


class LargePainting:
    """Implements ``worlds.large_canvas.LargeCanvas``. Level n, a power of two up to ``detail``, has n × n patches."""

    def __init__(
        self,
        settings: PaintSettings,
        detail: int,
        style: Style | None = None,
        start: tuple[PaintSettings, IntArray] | None = None,
        joint: bool = False,
    ) -> None:
        """On top of the strokes of a program ``start``, of settings and actions ``int64[T, P]``.

        ``joint`` asks for a search for all of the painting together, which there is where strokes are layers.

        ``ValueError`` unless strokes are standalone, on paper and not too fine; when the style cannot be had, or the
        program is of another canvas.
        """
        if settings.space != "stroke" or settings.ground == "transparent":
            given = f"it paints in the space {settings.space!r} on {settings.ground} ground"
            raise ValueError(f"{given}: a large picture needs the space 'stroke' on white")
        if settings.canvas * detail > 4096 or settings.grid * detail > 4096 or min(settings.sizes) / detail < 0.05:
            given = f"a canvas of {settings.canvas} pixels with a smallest radius of {min(settings.sizes)}"
            raise ValueError(f"detail is {detail}: too fine for {given}; choose a smaller one")
        self.style = style or Style()
        if start is not None:
            settings = replace(settings, brush=start[0].brush)
        elif joint and settings.color and not self.style.palette and BRUSH in brush_names():
            settings = replace(settings, brush=BRUSH)
        self.own, self.detail = self.style.settings(settings), detail
        self.joint = joint and independent_strokes(load_brush(self.own.brush, self.own.opaque))
        large = self._joint_settings() if self.joint else self._patch_settings()
        self.strokes: list[IntArray] = []
        self._gains: list[float] = []
        self._marked: tuple[int, State] | None = None
        self._goal: Canvas | None = None
        if start is not None:
            large = self._like(large, start[0])
        self.sizes = np.asarray(large.sizes)
        self.renderer: Renderer = Paint(large)
        self._large = large
        if start is not None:
            self._continue(*start)

    def _patch_settings(self) -> PaintSettings:
        """Of a canvas for the agent's strokes."""
        levels = [2**i for i in range(self.detail.bit_length())]
        sizes = {radius for level in levels for radius in self._radii(level)}
        return replace(
            self.own,
            canvas=self.own.canvas * self.detail,
            grid=self.own.grid * self.detail,
            sizes=tuple(sorted(sizes)),
            levels=EXACT if self.style.limited else self.own.levels,
        )

    def _joint_settings(self) -> PaintSettings:
        """Of a canvas for joint search."""
        own, least = self.own, max(NARROWEST / self.detail, 0.05)
        low, high = self.style.radii or (least, WIDEST)
        low, high = max(low, min(least, high)), min(high, WIDEST)
        count = int(OCTAVE * np.log2(high / low) + 1e-9)
        finer = min(FINER, 4096 // (own.grid * self.detail))
        return replace(
            own,
            canvas=own.canvas * self.detail,
            grid=own.grid * self.detail * finer,
            sizes=tuple((high * 2.0 ** (-np.arange(count, -1, -1) / OCTAVE)).round(4).tolist()),
            pressures=own.pressures * -(-PRESSURES // own.pressures),
            levels=EXACT,
        )

    @property
    def goal(self) -> Canvas:
        """The picture to paint."""
        assert self._goal is not None, "the goal is set before strokes are added"
        return self._goal

    @goal.setter
    def goal(self, picture: Canvas) -> None:
        self._goal = self.style.goal(picture)

    def program(self) -> IntArray:
        """All strokes, ``int64[T, P]``."""
        return np.asarray(self.strokes, np.int64).reshape(-1, len(self.renderer.actions))

    def patch_renderer(self, level: int, pictures: Canvas, threads: int) -> PatchRenderer:
        """As ``LargeCanvas.patch_renderer``."""
        sizes = tuple(radius * level for radius in self._radii(level))
        return PatchRenderer(replace(self.own, sizes=sizes), pictures, threads)

    def add(self, level: int, patches: IntArray, actions: IntArray, weights: NDArray[np.float64], every: bool) -> None:
        """As ``LargeCanvas.add``: unless ``every`` stroke is to be kept, those that bring the canvas closer are."""
        error = self._error(level, patches)
        for strokes in self._on_canvas(level, patches, actions):
            before = self.renderer.save()
            self._step(strokes)
            now = self._error(level, patches)
            closer = now < error
            if not every and not closer.all():
                self.renderer.restore(before)
                strokes, now = strokes[closer], np.where(closer, now, error)
                self._step(strokes)
            self.strokes += list(strokes)
            self._gains += (weights * (error - now))[closer | every].tolist()
            error = now

    def search(
        self, weights: NDArray[np.float64], keep: int, count: int, exact: bool, budget: Budget, seed: int, threads: int
    ) -> Iterator[float]:
        """As ``LargeCanvas.search``."""
        kept, others = self.strokes[:keep], self.program()[keep:]
        self.renderer.reset()
        self._step(self.program()[:keep])
        stack = Stack(self.goal, weights, self.renderer.canvas()[0])
        found = JointSearch(stack, self._large, self._allowed, seed, threads)
        for done in found.run(count - keep, exact, budget, others):
            self.strokes = kept + list(stack.actions(self._large))
            yield done
        self.strokes = kept + list(stack.actions(self._large))
        self._gains = [np.inf] * len(self.strokes)
        self._step(self.program()[keep:])

    def mark(self) -> None:
        """As ``LargeCanvas.mark``."""
        self._marked = len(self.strokes), self.renderer.save()

    def thin(self, count: int) -> None:
        """As ``LargeCanvas.thin``."""
        assert self._marked is not None, "mark comes first"
        first, state = self._marked
        gains = np.asarray(self._gains[first:])
        kept = first + np.sort(np.argsort(-gains, kind="stable")[: count - first])
        strokes, gains = [self.strokes[i] for i in kept], np.asarray(self._gains)[kept]
        self.renderer.restore(state)
        self.strokes[first:], self._gains[first:] = strokes, gains.tolist()
        self._step(np.asarray(strokes, np.int64).reshape(-1, len(self.renderer.actions)))

    def _like(self, large: PaintSettings, given: PaintSettings) -> PaintSettings:
        """Settings of a canvas on which a program of ``given`` settings goes on; ``ValueError`` where it cannot."""
        for name in ("canvas", "brush", "color", "ground", "opaque", "space", "events"):
            asked, its = getattr(large, name), getattr(given, name)
            require(asked == its, f"the program to continue has renderer.{name} {its!r}, this painting {asked!r}")
        for name, least in (("grid", self.own.grid * self.detail), ("pressures", self.own.pressures)):
            its, words = getattr(given, name), f"this painting needs a multiple of {least}"
            require(its % least == 0, f"the program to continue has renderer.{name} {its!r}, {words}")
        levels = f"the program to continue has {given.levels} levels of colour: a palette or greys need {EXACT}"
        require(not self.style.limited or given.levels == EXACT, levels)
        sizes = tuple(sorted({*large.sizes, *given.sizes}))
        return replace(large, sizes=sizes, levels=given.levels, grid=given.grid, pressures=given.pressures)

    def _continue(self, settings: PaintSettings, actions: IntArray) -> None:
        actions = actions.copy()
        size = self.renderer.actions.index("size")
        actions[:, size] = self._nearest(settings.sizes)[actions[:, size]]
        self._step(actions)
        self.strokes, self._gains = list(actions), [np.inf] * len(actions)

    def _allowed(self, colours: NDArray[np.float32]) -> NDArray[np.float32]:
        """What strokes may have in place of ``colours`` float32[N, C], 0 … 255."""
        if self.own.color and self.style.limited:
            return (self.style.colours(colours / 255) * 255).astype(np.float32)
        return rounded(self._large)(colours)

    def _step(self, strokes: IntArray) -> None:
        for stroke in strokes:
            self.renderer.step(stroke[None])

    def _nearest(self, radii: Sequence[float]) -> IntArray:
        """The sizes of the large canvas that are nearest to ``radii``."""
        apart = np.abs(np.log(self.sizes)[:, None] - np.log(radii))
        nearest: IntArray = apart.argmin(0)
        return nearest

    def _radii(self, level: int) -> list[float]:
        return [min(self.style.radius(radius / level), WIDEST) for radius in self.own.sizes]

    def _on_canvas(self, level: int, patches: IntArray, actions: IntArray) -> IntArray:
        """The actions of the large canvas that paint ``actions`` int64[T, N, P] of patches."""
        space, grid = self.renderer.actions, self._large.grid
        cells = grid // (self.own.grid * level)  # of the large grid for one of the patch
        radii = self._nearest(self._radii(level))
        result = actions.copy()
        for name in ("start", "control", "end"):
            place = np.stack(np.divmod(actions[..., space.index(name)], self.own.grid), axis=-1)
            place = (patches * self.own.grid + place) * cells + cells // 2
            result[..., space.index(name)] = place[..., 0] * grid + place[..., 1]
        result[..., space.index("size")] = radii[actions[..., space.index("size")]]
        pressures = self._large.pressures // self.own.pressures
        result[..., space.index("pressure")] = (actions[..., space.index("pressure")] + 1) * pressures - 1
        if space.coloured:
            self._recolour(result)
        return result

    def _recolour(self, actions: IntArray) -> None:
        """Give ``actions`` int64[..., P], which have the agent's levels of colour, those of the large canvas."""
        channels = [self.renderer.actions.index(name) for name in COLOURS]
        levels = self.renderer.actions.sizes[channels[0]]
        if levels != self.own.levels or self.style.limited:
            colours = actions[..., channels] / (self.own.levels - 1)
            allowed = self.style.colours(colours.reshape(-1, 3)).reshape(colours.shape)
            actions[..., channels] = (allowed * (levels - 1)).round().astype(np.int64)

    def _error(self, level: int, patches: IntArray) -> NDArray[np.float64]:
        """Squared error ``float64[N]`` of the pixels of each patch and of half of the patches around it."""
        half = len(self.goal) // (2 * level)  # of the side of a patch
        difference = self.renderer.canvas()[0].astype(np.float32) - self.goal
        error = np.square(difference).sum(-1, dtype=np.float32).reshape(2 * level, half, 2 * level, half)
        halves = np.pad(error.sum((1, 3), dtype=np.float64), 1)
        return np.asarray([halves[2 * row : 2 * row + 4, 2 * column : 2 * column + 4].sum() for row, column in patches])
