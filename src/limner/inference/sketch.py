"""A drawing in progress: strokes in plain units, regions painted like a picture, undo, and a look at any time.

Whoever draws says what: a person, a program, a language model. A sketch finds the nearest action and says what it has
painted. Its canvas is a large one of an agent, so that a search can go on from any sketch, and a sketch from any
search.

Notable choices:
- The canvas has more radii, places and pressures than the agent's: what is asked for is then at most some 6 % away.
- What is refused changes nothing: all strokes of a call are checked before the first is painted.
- The last ``KEPT`` calls can be undone without painting anything anew.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from limner.actions import IntArray
from limner.agents.agent import Agent
from limner.inference.draw import DrawOptions, check_drawing
from limner.inference.mark import LONGEST, MOST_STROKES, NARROWEST_REGION, SHORTEST, Mark, Region, Units
from limner.inference.paint import DETAILS, Painting, PaintOptions, paint
from limner.programs.frame import Frame
from limner.programs.program import Program
from limner.worlds import make_renderer
from limner.worlds.colours import hexadecimal
from limner.worlds.validation import require, require_range
from limner.worlds.world import Canvas, Renderer, State

if TYPE_CHECKING:
    from PIL import Image

RATIO = 2 ** (1 / 6)
"""Of a radius to the next smaller one, at most."""
CELLS, PRESSURES = 1024, 20
"""Cells along each side of the grid, and pressures, at least."""
KEPT = 8
"""Calls that can be undone without painting anything anew."""


class Sketch:
    """A picture of ``width`` × ``height`` pixels that is being painted."""

    _actions: IntArray
    _saved: list[tuple[int, State]]
    """Numbers of strokes, and the canvas with so many."""

    def __init__(
        self, agent: Agent, width: int = 512, height: int = 512, brush: str | None = None, paper: str = "white"
    ) -> None:
        """A blank sketch, on ``paper`` (a name of CSS or ``#rrggbb``), with a ``brush`` or that of a search in colour.

        ``agent`` is one that can paint large pictures in colour. ``ValueError`` when it is none, there is no such brush
        or colour, or width or height are not in ``SHORTEST`` … ``LONGEST``.
        """
        for name, value in (("width", width), ("height", height)):
            require_range(name, value, SHORTEST, LONGEST, " pixels")
        check_drawing(agent)
        self.frame, self._agent = Frame(width, height), agent
        own, world = agent.config.renderer, agent.config.world
        self._detail = next((n for n in DETAILS if own.canvas * n >= max(width, height)), DETAILS[-1])
        self._style = world.style_type and world.style_type(brush=brush, paper=hexadecimal(paper))
        large = world.large_canvas(own, self._detail, self._style, None, True).renderer
        require(large.actions.coloured, f"agent {agent.name!r} paints in grey: name one that paints in colour")
        settings = large.settings()
        grid, pressures = settings["grid"], settings["pressures"]
        settings["sizes"] = _finer(settings["sizes"])
        settings["grid"] = grid * -(-CELLS // grid)
        settings["pressures"] = pressures * -(-PRESSURES // pressures)
        self._put(_blank(settings))

    def __len__(self) -> int:
        """Number of strokes."""
        return len(self._actions)

    @property
    def program(self) -> Program:
        """All strokes as a program."""
        return Program(self._renderer.settings(), self._actions, frame=self.frame)

    @property
    def marks(self) -> list[Mark]:
        """All strokes in plain units."""
        return self._units.marks(self._actions)

    @property
    def radii(self) -> tuple[float, float]:
        """Smallest and largest radius of a stroke, in pixels of the picture."""
        return self._units.radii

    def look(self, region: Region | None = None, size: int | None = None) -> Canvas:
        """The picture, or a ``region`` of it, ``uint8[H, W, 3]``: at the size of the canvas, or ``size`` pixels long.

        ``ValueError`` unless the region lies in the picture and ``size`` is in 1 … 4096.
        """
        from PIL import Image

        require_range("size", size, 1, 4096, " pixels")
        left, top, right, bottom = self._units.box(region)
        picture = self._renderer.canvas()[0, top:bottom, left:right]
        if size is None:
            return picture
        shape = Frame(right - left, bottom - top).size(size)
        return np.asarray(Image.fromarray(picture).resize(shape, Image.Resampling.LANCZOS))

    def add(self, marks: Sequence[Mark]) -> tuple[list[Mark], list[int]]:
        """Paint strokes on top; gives them as they were painted, and the numbers of those that change no pixel.

        ``ValueError`` naming the first that cannot be painted, or when there would be too many.
        """
        self._check_count(len(marks))
        actions = [self._units.action(mark, f"strokes[{i}]") for i, mark in enumerate(marks)]
        new = np.asarray(actions, np.int64).reshape(-1, len(self._renderer.actions))
        changed = self._extend(new)
        return self._units.marks(new), [i for i, change in enumerate(changed) if not change]

    def paint(
        self, picture: Image.Image, region: Region | None, strokes: int, options: DrawOptions, stretch: bool = False
    ) -> Iterator[Painting]:
        """Paint a region like ``picture``, ``L`` or ``RGB``, with so many ``strokes``; gives the painting as it grows.

        What of the picture does not fit into the shape of the region is cropped, evenly on both sides; with ``stretch``
        it is distorted instead. The sketch does not change until it is given a painting to ``take``: the last, or any
        other. ``ValueError`` as ``look``, when the region is too small, or there would be too many strokes.
        """
        from PIL import Image, ImageOps

        require_range("strokes", strokes, 1, MOST_STROKES)
        self._check_count(strokes)
        left, top, right, bottom = self._units.box(region, NARROWEST_REGION)
        shape, method = (right - left, bottom - top), Image.Resampling.BICUBIC
        picture = picture.convert("RGB")
        fitted = picture.resize(shape, method) if stretch else ImageOps.fit(picture, shape, method)
        goal = self._renderer.canvas()[0]
        weights = np.zeros(goal.shape[:2])
        goal[top:bottom, left:right] = np.asarray(fitted)
        weights[top:bottom, left:right] = 1
        total = len(self) + strokes
        asked = PaintOptions(strokes=total, style=self._style, weights=weights, frame=self.frame, start=self.program)
        return paint(self._agent, goal, self._detail, options, asked)

    def take(self, program: Program) -> None:
        """Go on with what ``paint`` has painted.

        ``ValueError`` when it is of another picture or has too many strokes.
        """
        shape = f"{self.frame.width} × {self.frame.height}"
        require(program.frame == self.frame, f"the program is not of a picture of {shape} pixels, as this sketch")
        require(len(program) <= MOST_STROKES, f"the program has {len(program)} strokes: at most {MOST_STROKES} fit")
        alike = program.renderer == self._renderer.settings()
        if not alike or not np.array_equal(program.actions[: len(self)], self._actions):
            self._put(_blank(program.renderer))
        self._extend(program.actions[len(self) :])

    def undo(self, count: int) -> None:
        """Take strokes away until the first ``count`` are left; ``ValueError`` when there are not so many."""
        require_range("the number of strokes to keep", count, 0, len(self))
        kept = [(number, state) for number, state in self._saved if number <= count]
        if kept:
            self._renderer.restore(kept[-1][1])
        else:
            self._renderer.reset()
        for action in self._actions[kept[-1][0] if kept else 0 : count]:
            self._renderer.step(action[None])
        self._saved, self._actions = kept, self._actions[:count]

    def _put(self, renderer: Renderer) -> None:
        """Start anew on the blank canvas of ``renderer``."""
        self._renderer, self._units = renderer, Units(self.frame, renderer)
        self._actions, self._saved = np.zeros((0, len(renderer.actions)), np.int64), []

    def _extend(self, actions: IntArray) -> list[bool]:
        """Paint ``actions`` int64[N, P], and say which of them change a pixel; on an error nothing is painted."""
        state, shown, changed = self._renderer.save(), self._renderer.canvas(), []
        try:
            for action in actions:
                self._renderer.step(action[None])
                before, shown = shown, self._renderer.canvas()
                changed.append(not np.array_equal(before, shown))
        except BaseException:
            self._renderer.restore(state)
            raise
        self._saved = [*self._saved, (len(self), state)][-KEPT:]
        self._actions = np.concatenate([self._actions, actions])
        return changed

    def _check_count(self, more: int) -> None:
        given = f"{more} more strokes are {len(self) + more} in all"
        require(len(self) + more <= MOST_STROKES, f"{given}: at most {MOST_STROKES} fit; ask for fewer, or undo some")


def _blank(settings: dict[str, Any]) -> Renderer:
    """A renderer with a blank canvas."""
    renderer = make_renderer(settings)
    renderer.reset()
    return renderer


def _finer(sizes: Sequence[float]) -> list[float]:
    """Radii, and others between them where one is more than ``RATIO`` times the last."""
    result = {*sizes}
    for low, high in pairwise(sizes):
        steps = math.ceil(math.log(high / low) / math.log(RATIO) - 1e-3)
        result |= {round(low * (high / low) ** (i / steps), 4) for i in range(1, steps)}
    return sorted(result)
