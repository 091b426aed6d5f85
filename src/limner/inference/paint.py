"""Painting a large picture: by a search for all of it together, or coarse to fine, patch by patch.

Without a search, or where strokes are not layers, the square canvas is cut into 1, then 2 × 2, 4 × 4 … patches, and
each of them is a picture of its own for the agent, as large as the ones it has learned to draw. The result is one
program for all of the canvas.

Notable choices:
- A patch is drawn on what the canvas shows there, reduced to the agent's size: the policy sees the paint, and search
  improves on it. A patch that is close enough already is passed over; blank paper around a picture always is.
- Neighbours are never drawn at once. Patches in even and odd rows and columns make four phases, and each starts from
  what the last one has left.
- What a stroke of a patch is on the large canvas, and whether it stays, is known to the world (``World.large_canvas``),
  and so is the search for all of the painting together.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate, product, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limner.actions import IntArray
from limner.agents.agent import Agent
from limner.data import Pictures
from limner.data.resize import resize_square
from limner.inference.draw import DrawOptions, batch_size, check_drawing, draw_on
from limner.inference.patch_clock import PatchClock
from limner.metrics.reconstruction import squared_error
from limner.programs.frame import Frame
from limner.programs.notebook import animated_png
from limner.programs.program import Program
from limner.worlds import find_world, read_settings
from limner.worlds.budget import Budget
from limner.worlds.large_canvas import LargeCanvas
from limner.worlds.validation import require, require_range

DETAILS = (1, 2, 4, 8, 16)
"""Patches a side at the finest level."""
CLOSE = (3 / 255) ** 2
"""Mean squared error of a patch that is passed over."""
KEPT = 0.6
"""Share of the strokes of a patch that is likely to stay."""
MORE = 4
"""Times as many strokes as the agent alone would paint are searched for, as far as there is time."""
FEW = 0.01
"""Share of the strokes of a pass: where fewer bring the picture closer, all count in the next."""
MOST_STROKES = 20_000


@dataclass(frozen=True, kw_only=True)
class PaintOptions:
    """What is asked of a painting."""

    strokes: int | None = None
    """Number of strokes, 1 … 20,000, those of ``start`` included. None: as many as bring the picture closer, and as
    there is time and detail for."""
    style: Any = None
    """As the world of the agent has it, for example ``worlds.paint.style.Style``. None: the agent's own."""
    weights: NDArray[np.float64] | None = None
    """``float64[S, S]`` in [0, 1], as large as the picture: where it matters, in relation to the largest of them. Where
    the weight is 0 nothing is painted, but for what reaches there. None: 1 everywhere. A search counts errors by them;
    patch by patch, each is painted on the levels up to its largest weight times ``detail``."""
    frame: Frame | None = None
    """Where the picture lies on its square: what is painted beside it does not count. None: it is the square."""
    start: Program | None = None
    """A painting to go on from."""
    revise: bool = False
    """Whether a search may also change and replace the strokes of ``start``."""

    def check(self) -> None:
        """``ValueError`` naming the first option that is out of range."""
        require_range("strokes", self.strokes, 1, MOST_STROKES)
        least = 0 if self.start is None else len(self.start)
        enough = self.strokes is None or self.strokes >= least
        require(not self.revise or self.start is not None, "revise is for a painting to go on from: give start, too")
        require(enough or self.revise, f"strokes is {self.strokes}: the program to continue has {least} already")


NO_WISHES = PaintOptions()


@dataclass(frozen=True)
class Painting:
    """A picture on its way."""

    program: Program
    """Everything painted so far."""
    done: float
    """Share of the work that is done, 0 … 1, by strokes, sweeps or patches."""

    def _repr_png_(self) -> bytes:
        return animated_png(self.program)


def paint(
    agent: Agent,
    picture: Pictures,
    detail: int = 8,
    options: DrawOptions = DrawOptions(),
    wishes: PaintOptions = NO_WISHES,
) -> Iterator[Painting]:
    """Let ``agent`` paint ``picture`` ``uint8[S, S, C]``; gives the painting as it grows, at first blank.

    The picture is as large as the canvas (``canvas_shape``), ``detail`` times as wide and high as the agent's; so many
    patches a side has the finest level. ``options.seconds`` are for the whole picture: patch by patch, what is left of
    them is shared evenly by those to come. ``options.sweeps`` are for all of the painting, or for each patch. Without
    search, or with sweeps, the same seed paints the same program. With ``wishes.strokes`` the last painting has exactly
    so many strokes, and those before may have more.

    ``ValueError`` when the agent is unconditional or cannot paint large pictures; when ``detail`` is none of
    ``DETAILS`` or too fine for it; when an option is out of range or cannot be had; when the picture has another size
    or number of channels.
    """
    options.check()
    wishes.check()
    canvas = _large_canvas(agent, detail, wishes, options.searches)
    require(canvas.joint or not wishes.revise, "revise needs a search, and a brush whose strokes are layers")
    shape = canvas.renderer.shape
    if picture.dtype != np.uint8 or picture.shape != shape:
        raise ValueError(f"the picture is {picture.dtype}{list(picture.shape)}, the canvas is uint8{list(shape)}")
    weights = np.ones(shape[:2]) if wishes.weights is None else wishes.weights
    fits = weights.shape == shape[:2] and bool(((weights >= 0) & (weights <= 1)).all())
    require(fits, f"weights must be {list(shape[:2])} numbers in [0, 1], got {list(weights.shape)}")
    require(bool(weights.max() > 0), "the weights are 0 everywhere: nothing would be painted")
    canvas.goal = picture
    return _Painter(agent, canvas, detail, options, wishes, weights / weights.max()).run()


def searches_jointly(agent: Agent, detail: int, options: DrawOptions, wishes: PaintOptions = NO_WISHES) -> bool:
    """Whether ``paint`` searches for all of a painting together; ``ValueError`` as ``paint``."""
    return _large_canvas(agent, detail, wishes, options.searches).joint


def canvas_shape(agent: Agent, detail: int) -> tuple[int, int]:
    """Pixels a side and channels of the canvas that ``agent`` has with ``detail``; ``ValueError`` as ``paint``."""
    side, _, channels = _large_canvas(agent, detail, NO_WISHES, joint=False).renderer.shape
    return side, channels


def enough_detail(agent: Agent, strokes: int) -> int:
    """The smallest of ``DETAILS`` with which ``agent`` is likely to paint so many ``strokes``, or the largest."""
    tried = accumulate(agent.config.horizon * level**2 for level in DETAILS)
    return next((detail for detail, count in zip(DETAILS, tried, strict=True) if KEPT * count >= strokes), DETAILS[-1])


def _large_canvas(agent: Agent, detail: int, wishes: PaintOptions, joint: bool) -> LargeCanvas:
    check_drawing(agent)
    require(detail in DETAILS, f"detail is {detail}: must be one of {', '.join(map(str, DETAILS))}")
    settings, start = agent.config.renderer, wishes.start
    program = None if start is None else (read_settings(start.renderer), start.actions)
    try:
        return find_world(settings.name).large_canvas(settings, detail, wishes.style, program, joint)
    except ValueError as error:
        raise ValueError(f"agent {agent.name!r}: {error}") from None


class _Painter:
    """Paints a picture on a large canvas."""

    def __init__(
        self,
        agent: Agent,
        canvas: LargeCanvas,
        detail: int,
        options: DrawOptions,
        wishes: PaintOptions,
        weights: NDArray[np.float64],
    ) -> None:
        self.agent, self.canvas, self.detail, self.options, self.wishes = agent, canvas, detail, options, wishes
        self.weights, self.strokes = weights, wishes.strokes
        self.frame = wishes.frame or (wishes.start.frame if wishes.start else None)
        levels = [level for level in DETAILS if level <= detail]
        self.levels = levels if self.strokes is None else list(self._likely(self.strokes))
        self.done, self.total = 0, sum(level**2 for level in self.levels)
        self.clock = PatchClock(options.seconds)

    def run(self) -> Iterator[Painting]:
        """The painting as it grows."""
        yield self._painting(0.0)
        yield from self._search() if self.canvas.joint else self._draw_all()
        yield self._painting(1.0)

    def _search(self) -> Iterator[Painting]:
        """Search for all of the painting together. What is to be left alone counts as it is."""
        counted, painted = np.ones_like(self.weights), self.weights > 0
        if self.frame is not None:
            left, top, right, bottom = self.frame.box(len(counted))
            counted[:] = 0
            counted[top:bottom, left:right] = 1
        self.canvas.goal = np.where(painted[..., None], self.canvas.goal, self.canvas.renderer.canvas()[0])
        begun, share = len(self.canvas.program()), float((counted * painted).sum() / counted.sum())
        keep = 0 if self.wishes.revise else len(self.wishes.start or ())
        exact, options = self.strokes is not None, self.options
        room = KEPT * self.agent.config.horizon * sum(level**2 for level in self.levels)
        room = max(1, round(room if options.sweeps else MORE * room))
        count = self.strokes or (max(begun, room) if self.wishes.revise else keep + max(1, round(room * share)))
        budget = Budget(None if options.sweeps else options.seconds, options.sweeps)
        weights = np.where(painted, self.weights, 1.0) * counted
        for done in self.canvas.search(weights, keep, count, exact, budget, options.seed, options.threads):
            yield self._painting(done)

    def _draw_all(self) -> Iterator[Painting]:
        """Draw patches level by level, until all are done or there are as many strokes as are asked for."""
        count, every, fill = len(self.canvas.program()), self.wishes.start is None, False
        for level in self.levels if self.strokes is None else self._finer():
            if count == self.strokes:
                break
            self.canvas.mark()
            for phase in product(range(min(level, 2)), repeat=2):
                yield from self._draw(level, phase, every, fill)
            before, count = count, len(self.canvas.program())
            every = fill = level == self.detail and count - before < FEW * self.agent.config.horizon * level**2
            if self.strokes is not None and count > self.strokes:
                self.canvas.thin(self.strokes)
                count = self.strokes

    def _likely(self, strokes: int) -> Iterator[int]:
        """The levels that so many strokes are likely to take."""
        room: float = strokes - len(self.canvas.program())
        for level in self._finer():
            if room <= 0:
                break
            yield level
            room -= KEPT * self.agent.config.horizon * level**2

    def _finer(self) -> Iterator[int]:
        """All levels, and the finest again and again."""
        yield from (level for level in DETAILS if level < self.detail)
        yield from repeat(self.detail)

    def _draw(self, level: int, phase: tuple[int, ...], every: bool, fill: bool) -> Iterator[Painting]:
        """Draw every other patch of every other row, those first that ``phase`` says, and keep ``every`` stroke.

        To ``fill`` up the strokes that are asked for patches are drawn that are close enough already.
        """
        patches = np.asarray(list(product(range(phase[0], level, 2), range(phase[1], level, 2))))
        own = len(self.canvas.goal) // self.detail
        canvases, goals = (
            _cut(resize_square(pictures, own * level)[0], level, patches)
            for pictures in (self.canvas.renderer.canvas(), self.canvas.goal[None])
        )
        weights = self._weigh(level, patches)
        apart = np.flatnonzero((weights > 0) & (fill | (squared_error(canvases, goals) > CLOSE)))
        self.done += len(patches) - len(apart)
        for start in range(0, len(apart), batch_size(self.options)):
            rows = apart[start : start + batch_size(self.options)]
            self.total = max(self.total, self.done + len(rows))
            renderer = self.canvas.patch_renderer(level, canvases[rows], self.options.threads)
            share, lookahead = self.clock.share(self.total - self.done)
            asked = replace(self.options, seconds=share, seed=self.options.seed + self.done)
            drawn = draw_on(renderer, self._artist(), goals[rows], asked, lookahead=lookahead)
            self.clock.note(share, drawn.seconds / len(rows))
            actions = np.stack([program.actions for program in drawn.programs], axis=1)
            self.canvas.add(level, patches[rows], actions, weights[rows], every)
            self.done += len(rows)
            yield self._painting(min(1.0, self.done / self.total))

    def _artist(self) -> Agent:
        """The agent, which draws fewer strokes where not even a patch's are asked for."""
        config, room = self.agent.config, self.strokes
        if room is None or room >= config.horizon:
            return self.agent
        return replace(self.agent, config=replace(config, horizon=room))

    def _weigh(self, level: int, patches: IntArray) -> NDArray[np.float64]:
        """The largest weights ``float64[N]`` in patches of a level, 0 where they are not painted.

        That is where the level is too fine for them, or reaches beyond what is painted and is not the finest.
        """
        side = len(self.weights) // level
        weights = self.weights.reshape(level, side, level, side)
        largest, least = weights.max((1, 3)), weights.min((1, 3))
        painted = (level <= np.maximum(1, largest * self.detail)) & ((least > 0) | (level == self.detail))
        return np.where(painted, largest, 0.0)[patches[:, 0], patches[:, 1]]

    def _painting(self, done: float) -> Painting:
        settings = self.canvas.renderer.settings()
        program = Program(settings, self.canvas.program(), self.options.seed, self.agent.name, frame=self.frame)
        return Painting(program, done)


def _cut(picture: Pictures, level: int, patches: IntArray) -> Pictures:
    """``patches`` int64[N, 2] of ``level`` × ``level`` that make up a picture ``uint8[S, S, C]``."""
    side = len(picture) // level
    grid = picture.reshape(level, side, level, side, -1).swapaxes(1, 2)
    return np.ascontiguousarray(grid[patches[:, 0], patches[:, 1]])
