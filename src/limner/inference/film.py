"""Painting a film: each frame goes on from the program of the last one.

Strokes are kept where the film has not changed, so that the painting does not flicker with what is new in every frame:
the noise of a camera, and the choices of a search.

Notable choices:
- A patch has changed when the mean of one of its ``CELLS`` × ``CELLS`` cells differs by more than ``CHANGE`` levels
  from what it was when the patch was last painted. Noise is averaged away, slow changes add up.
- A search for all of the painting together goes on from all strokes: in patches that have changed it may change and
  replace any of them, elsewhere what is painted counts as what is wanted.
- Patch by patch, strokes that lie wholly in patches that have changed, and are no wider than these, are taken away and
  painted anew, on what is left; so are patches where that bares what was painted over. Other strokes stay.
- What is painted anew is kept only where it is closer to the frame than what was there. A patch that stays far from it,
  as seen from the first frame, is painted again in the next.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from limner.agents.agent import Agent
from limner.data import Pictures
from limner.data.resize import resize_square
from limner.inference.draw import DrawOptions
from limner.inference.paint import NO_WISHES, PaintOptions, paint, searches_jointly
from limner.programs.execution import execute
from limner.programs.program import Program

CELLS = 8
"""Cells along a side of a patch."""
FIRST = 30
"""How much longer the first frame is searched for."""
FAR = 3.0
"""A patch is far from its frame with so many times the error that it, or the mean patch, had in the first frame."""
CHANGE = 4.0
"""Levels, of 255, by which the mean of a cell in a patch that has changed differs at least."""


class _Painted:
    """A program, executed once."""

    def __init__(self, program: Program) -> None:
        self.program, self._picture = program, execute(replace(program, frame=None)).astype(np.float64)

    def errors(self, frame: Pictures, detail: int) -> NDArray[np.float64]:
        """Sums of squared differences ``float64[detail, detail]`` of patches between what is painted and ``frame``."""
        side = len(frame) // detail
        squares = np.square(self._picture - frame)
        sums: NDArray[np.float64] = squares.reshape(detail, side, detail, side, -1).sum((1, 3, 4))
        return sums


def paint_film(
    agent: Agent,
    frames: Iterable[Pictures],
    detail: int = 4,
    options: DrawOptions = DrawOptions(),
    wishes: PaintOptions = NO_WISHES,
) -> Iterator[Program]:
    """Let ``agent`` paint ``frames`` ``uint8[S, S, C]``, one after the other: the program of each.

    They are as ``paint`` makes them; ``options`` and ``wishes`` are for each frame, but the first, of which everything
    is new, has ``FIRST`` times the seconds. ``ValueError`` as ``paint``.
    """
    painted, shown, far = None, None, np.zeros(0)
    for frame in frames:
        if painted is None or shown is None:
            more = replace(options, seconds=min(FIRST * options.seconds, 3600.0))
            painted, shown = _paint(agent, frame, detail, more, wishes), frame.copy()
            errors = painted.errors(frame, detail)
            far = FAR * np.maximum(errors, errors.mean())
        else:
            changed = changed_patches(shown, frame, detail) | (painted.errors(frame, detail) > far)
            if changed.any():
                painted = _follow(agent, painted, frame, changed, options, wishes)
                there = _pixels(changed, len(frame))
                shown[there] = frame[there]
        yield painted.program


def changed_patches(before: Pictures, now: Pictures, detail: int) -> NDArray[np.bool_]:
    """Which patches differ between two frames ``uint8[S, S, C]``: ``bool[detail, detail]``."""
    side = CELLS * detail
    means = resize_square(np.stack([before, now]), side).astype(np.float64)
    far = np.abs(means[1] - means[0]).mean(-1) > CHANGE
    patches: NDArray[np.bool_] = far.reshape(detail, CELLS, detail, CELLS).any((1, 3))
    return patches


def _follow(
    agent: Agent,
    painted: _Painted,
    frame: Pictures,
    changed: NDArray[np.bool_],
    options: DrawOptions,
    wishes: PaintOptions,
) -> _Painted:
    """The program with strokes anew in patches that have ``changed``, if that is closer to ``frame``."""
    detail, program, before = len(changed), painted.program, painted.errors(frame, len(changed))
    if searches_jointly(agent, detail, options, replace(wishes, start=program)):
        asked = replace(wishes, start=program, revise=True, weights=_pixels(changed, len(frame)).astype(np.float64))
        found = _paint(agent, frame, detail, options, asked)
        return found if found.errors(frame, detail).sum() < before.sum() else painted
    kept = _Painted(replace(program, actions=program.actions[~_within(program, changed)]))
    bared = kept.errors(frame, detail) > before  # beside the strokes that are taken away
    weights = _pixels(changed | bared, len(frame)).astype(np.float64)
    found = _paint(agent, frame, detail, options, replace(wishes, start=kept.program, weights=weights))
    return found if found.errors(frame, detail).sum() < before.sum() else painted


def _pixels(patches: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    """Which pixels of a frame of ``size`` lie in ``patches`` bool[detail, detail]: ``bool[size, size]``."""
    side = size // len(patches)
    return patches.repeat(side, 0).repeat(side, 1)


def _within(program: Program, changed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which strokes lie in patches that have ``changed``, and are no wider than these: ``bool[T]``."""
    space, detail = program.space, len(changed)
    within: NDArray[np.bool_] = space.values(program.actions, "size") <= 32 / detail  # of a 64-pixel canvas
    for point in ("start", "control", "end"):
        rows, columns = np.moveaxis(space.cells(program.actions, point), -1, 0) * detail // program.renderer["grid"]
        within &= changed[rows, columns]
    return within


def _paint(agent: Agent, frame: Pictures, detail: int, options: DrawOptions, wishes: PaintOptions) -> _Painted:
    *_, painting = paint(agent, frame, detail, options, wishes)
    return _Painted(painting.program)
