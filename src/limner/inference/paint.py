"""Painting a large picture: coarse to fine, patch by patch, on what is already there.

The square canvas is cut into 1, then 2 × 2, 4 × 4 … patches, and each of them is a picture of its own for the agent, as
large as the ones it has learned to draw. The result is one program for all of the canvas.

Notable choices:
- A patch is drawn on what the canvas shows there, reduced to the agent's size: the policy sees the paint, and search
  improves on it. A patch that is close enough already is passed over; blank paper around a picture always is.
- Neighbours are never drawn at once. Patches in even and odd rows and columns make four phases, and each starts from
  what the last one has left.
- What a stroke of a patch is on the large canvas, and whether it stays, is known to the world (``World.large_canvas``).
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from limner.actions import IntArray
from limner.agents.agent import Agent
from limner.data import Pictures
from limner.data.resize import resize_square
from limner.inference.draw import DrawOptions, batch_size, check_drawing, draw_on
from limner.metrics.reconstruction import squared_error
from limner.programs.program import Program
from limner.worlds import find_world
from limner.worlds.validation import require
from limner.worlds.world import LargeCanvas

DETAILS = (1, 2, 4, 8, 16)
"""Patches a side at the finest level."""
CLOSE = (3 / 255) ** 2
"""Mean squared error of a patch that is passed over."""


@dataclass(frozen=True)
class Painting:
    """A picture on its way."""

    program: Program
    """Everything painted so far."""
    done: int
    """Patches drawn or passed over."""
    total: int
    """Patches in all."""


def paint(agent: Agent, picture: Pictures, detail: int = 8, options: DrawOptions = DrawOptions()) -> Iterator[Painting]:
    """Let ``agent`` paint ``picture`` ``uint8[S, S, C]``; gives the painting as it grows, at first blank.

    The picture is as large as the canvas (``canvas_shape``), ``detail`` times as wide and high as the agent's; so many
    patches a side has the finest level. ``options.seconds`` are for the whole picture: what is left of them is shared
    evenly by the patches to come. ``options.sweeps`` are for each patch. Without search, or with sweeps, the same seed
    paints the same program.

    ``ValueError`` when the agent is unconditional or cannot paint large pictures; when ``detail`` is none of
    ``DETAILS`` or too fine for it; when an option is out of range, or the picture has another size or number of
    channels.
    """
    options.check()
    canvas = _large_canvas(agent, detail)
    shape = canvas.renderer.shape
    if picture.dtype != np.uint8 or picture.shape != shape:
        raise ValueError(f"the picture is {picture.dtype}{list(picture.shape)}, the canvas is uint8{list(shape)}")
    canvas.goal = picture
    return _paint(agent, canvas, detail, options)


def canvas_shape(agent: Agent, detail: int) -> tuple[int, int]:
    """Pixels a side and channels of the canvas that ``agent`` has with ``detail``; ``ValueError`` as ``paint``."""
    side, _, channels = _large_canvas(agent, detail).renderer.shape
    return side, channels


def _large_canvas(agent: Agent, detail: int) -> LargeCanvas:
    check_drawing(agent)
    require(detail in DETAILS, f"detail is {detail}: must be one of {', '.join(map(str, DETAILS))}")
    settings = agent.config.renderer
    try:
        return find_world(settings.name).large_canvas(settings, detail)
    except ValueError as error:
        raise ValueError(f"agent {agent.name!r}: {error}") from None


def _paint(agent: Agent, canvas: LargeCanvas, detail: int, options: DrawOptions) -> Iterator[Painting]:
    levels = [level for level in DETAILS if level <= detail]
    own = len(canvas.goal) // detail
    done, total = 0, sum(level**2 for level in levels)
    clock = _Clock(options.seconds)

    def painting() -> Painting:
        program = Program(canvas.renderer.settings(), canvas.program(), options.seed, agent.name)
        return Painting(program, done, total)

    yield painting()
    for level in levels:
        for phase in product(range(min(level, 2)), repeat=2):
            patches = np.asarray(list(product(range(phase[0], level, 2), range(phase[1], level, 2))))
            canvases, goals = (
                _cut(resize_square(pictures, own * level)[0], level, patches)
                for pictures in (canvas.renderer.canvas(), canvas.goal[None])
            )
            apart = np.flatnonzero(squared_error(canvases, goals) > CLOSE)
            done += len(patches) - len(apart)
            for start in range(0, len(apart), batch_size(options)):
                rows = apart[start : start + batch_size(options)]
                renderer = canvas.patch_renderer(level, canvases[rows], options.threads)
                share, lookahead = clock.share(total - done)
                asked = replace(options, seconds=share, seed=options.seed + done)
                drawn = draw_on(renderer, agent, goals[rows], asked, lookahead=lookahead)
                clock.note(share, drawn.seconds / len(rows))
                canvas.add(level, patches[rows], np.stack([program.actions for program in drawn.programs], axis=1))
                done += len(rows)
                yield painting()
    yield painting()


class _Clock:
    """Shares out the seconds of a search among patches.

    A patch that takes longer than its share has been looked ahead in: from then on this is what a lookahead takes, and
    patches with a smaller share do without.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.perf_counter() + seconds if seconds else -math.inf
        self._lookahead = 0.0

    def share(self, patches: int) -> tuple[float, bool]:
        """Seconds for each of the ``patches`` to come, and whether a lookahead fits into them."""
        share = max(0.0, self._end - time.perf_counter()) / patches
        return share, share >= self._lookahead

    def note(self, share: float, seconds: float) -> None:
        """A patch that was to take ``share`` has taken ``seconds``."""
        if 0 < share < seconds:
            self._lookahead = max(self._lookahead, seconds)


def _cut(picture: Pictures, level: int, patches: IntArray) -> Pictures:
    """``patches`` int64[N, 2] of ``level`` × ``level`` that make up a picture ``uint8[S, S, C]``."""
    side = len(picture) // level
    grid = picture.reshape(level, side, level, side, -1).swapaxes(1, 2)
    return np.ascontiguousarray(grid[patches[:, 0], patches[:, 1]])
