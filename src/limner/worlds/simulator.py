"""The simulator: tries actions on copies of canvases.

A renderer is cheap beside a network, and saved canvases hold all hidden state, so an action that is tried paints what
it would paint.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from limner.malloc import keep_freed_memory
from limner.worlds import Renderer, make_renderer
from limner.worlds.world import State

Objective = Callable[[Tensor, Tensor], Tensor]
"""Scores ``float32[N]``, higher is better, of canvases ``uint8[N, H, W, C]`` for goals ``uint8[N, H, W, C]``."""
Overlay = Callable[[Tensor], Tensor]
"""Puts a picture on top of M canvases of each of N, ``uint8[N, M, H, W, C]``."""


def squared_distance(pictures: Tensor, goals: Tensor) -> Tensor:
    """Mean squared difference ``float32[N]`` of ``uint8[N, H, W, C]``, pixel values scaled to [0, 1]."""
    return (pictures.float() - goals.float()).flatten(1).square_().mean(1) / 255**2


def negative_mse(canvases: Tensor, goals: Tensor) -> Tensor:
    """The default objective: minus the mean squared difference."""
    return -squared_distance(canvases, goals)


def execute(renderer: Renderer, actions: Tensor) -> Tensor:
    """The pictures ``uint8[B, H, W, C]`` after canonical ``actions`` int64[T, B, P] on blank canvases."""
    renderer.reset()
    for action in actions:
        renderer.step(action.numpy())
    return torch.from_numpy(renderer.canvas())


class Simulator:
    """Scores candidates for the next action on every canvas of a renderer, on ``candidates`` copies of each."""

    def __init__(self, renderer: Renderer, candidates: int, threads: int, objective: Objective = negative_mse) -> None:
        keep_freed_memory()
        self.renderer = make_renderer(renderer.settings(), renderer.batch * candidates, threads)
        self.candidates, self.threads, self.objective = candidates, threads, objective
        self.copies = np.repeat(np.arange(renderer.batch), candidates)

    def best(
        self, state: State, goals: Tensor, actions: Tensor, later: Sequence[Tensor] = (), above: Overlay | None = None
    ) -> Tensor:
        """The best of ``actions`` int64[N, candidates, P] on each saved canvas, ``int64[N, P]``: see ``scores``."""
        highest = self.scores(state, goals, actions, later, above).argmax(dim=1)
        return actions[torch.arange(len(actions)), highest]

    def scores(
        self, state: State, goals: Tensor, actions: Tensor, later: Sequence[Tensor] = (), above: Overlay | None = None
    ) -> Tensor:
        """Scores ``float32[N, candidates]`` of the pictures after each of ``actions`` int64[N, candidates, P].

        The actions ``later`` int64[N, P], the same for all candidates, are executed next; ``above`` is put on top.
        """
        self.renderer.restore(state.take(self.copies))
        self.renderer.step(actions.flatten(0, 1).numpy())
        for action in later:
            self.renderer.step(action.repeat_interleave(self.candidates, dim=0).numpy())
        canvases = torch.from_numpy(self.renderer.canvas())
        if above is not None:
            canvases = above(canvases.view(*actions.shape[:2], *canvases.shape[1:])).flatten(0, 1)
        return self.objective(canvases, goals[self.copies]).view(actions.shape[:2])
