"""``LargeCanvas``: what a world offers that lets agents paint pictures many times as large as their own."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from limner.actions import IntArray
from limner.worlds.budget import Budget
from limner.worlds.world import Canvas, Renderer


class LargeCanvas(Protocol):
    """A canvas many times as large as an agent's, painted patch by patch."""

    renderer: Renderer
    """Of the large canvas, a batch of one."""
    goal: Canvas
    """The picture to paint, ``uint8[S, S, C]``, as large as the canvas: to be set before strokes are added."""
    joint: bool
    """Whether there is a search for all of the painting together."""

    def program(self) -> IntArray:
        """All actions so far, ``int64[T, P]``."""

    def patch_renderer(self, level: int, pictures: Canvas, threads: int) -> Renderer:
        """The agent's renderer for patches of a level; a reset shows ``pictures`` uint8[N, H, W, C]."""

    def add(self, level: int, patches: IntArray, actions: IntArray, weights: NDArray[np.float64], every: bool) -> None:
        """Paint the ``actions`` int64[T, N, P] of ``patches`` int64[N, 2] (row, column), no two of them neighbours.

        Of strokes that count at all, with ``every``, or of those alone that bring the canvas closer. A patch whose
        weight float64[N] is larger counts more when strokes are chosen by ``thin``.
        """

    def search(
        self, weights: NDArray[np.float64], keep: int, count: int, exact: bool, budget: Budget, seed: int, threads: int
    ) -> Iterator[float]:
        """If ``joint``: paint until there are ``count`` strokes or no other brings the canvas closer, and improve them.

        The first ``keep`` stay as they are, others may be changed and replaced. If ``exact`` there are ``count`` in any
        case. A sweep of the budget is one over all strokes. Errors count by
        ``weights`` float64[S, S]. Gives the share of the work that is done, in [0, 1]. Meanwhile ``program`` is what
        was painted; ``renderer`` shows it at the end.
        """

    def mark(self) -> None:
        """From now on strokes may be taken away again."""

    def thin(self, count: int) -> None:
        """Take strokes that were added since ``mark`` away, those that bring the canvas least closer first.

        ``count`` are left in all.
        """
