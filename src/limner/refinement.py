"""Refinement: a finished program is changed here and there, and what brings the picture closer stays.

Notable choices:
- All programs of a batch have the same length and are refined side by side, in sweeps: the first action of each is
  varied, the best variation done, then the second, and so on.
- A variation is judged by the finished picture. What comes after it is not painted again but laid over it, as layers,
  where these are exact but for rounding (``limner.layers``): the cost of a change does not grow with the program.
- A sweep counts only where the picture that it really painted is closer than before.
"""

from __future__ import annotations

import time

import torch
from torch import Tensor

from limner.layers import Layer, LayerPainter, paints_layers
from limner.renderers import Renderer
from limner.rollout import paint
from limner.search import Rehearsal, vary


class Refinement:
    """Programs that get closer to their goals, ``uint8[B, H, W, C]``, as long as there is time."""

    def __init__(self, stage: Renderer, rehearsal: Rehearsal, goals: Tensor, actions: Tensor, threads: int = 1) -> None:
        """``actions`` int64[T, B, P] are canonical; ``stage`` has a canvas for each of the B programs."""
        self.stage, self.rehearsal, self.goals = stage, rehearsal, goals
        self.actions = actions.clone()
        self.painter = LayerPainter(stage, threads) if paints_layers(stage) else None
        self.layers = [self.painter.paint(action) for action in actions] if self.painter else []
        self.canvas = paint(stage, actions)
        self.scores = rehearsal.score(self.canvas, goals)

    def run(self, seconds: float, generator: torch.Generator) -> None:
        """Try changes for about so many seconds."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            self.sweep(generator, end)

    @torch.no_grad()
    def sweep(self, generator: torch.Generator, end: float = float("inf")) -> None:
        """Try variations of every action once, as many as the rehearsal has copies; after ``end`` leave the rest."""
        tries, batch = self.rehearsal.tries, self.stage.batch
        actions, layers, above = self.actions.clone(), list(self.layers), self._above()
        self.stage.reset()
        for t in range(len(actions)):
            if time.perf_counter() < end:
                tried = actions[t].repeat_interleave(tries, dim=0)
                tried = vary(self.stage.actions, tried, generator).view(batch, tries, -1)
                tried[:, 0] = actions[t]
                later = () if self.painter else list(actions[t + 1 :])
                actions[t], _ = self.rehearsal.best(self.stage.save(), self.goals, tried, later, above[t])
                if self.painter:
                    layers[t] = self.painter.paint(actions[t])
            self.stage.step(actions[t].numpy())
        canvas = torch.from_numpy(self.stage.canvas())
        scores = self.rehearsal.score(canvas, self.goals)
        better = scores > self.scores
        self.actions = torch.where(better[:, None], actions, self.actions)
        self.layers = [new.where(better, old) for new, old in zip(layers, self.layers, strict=True)]
        self.canvas = torch.where(better[:, None, None, None], canvas, self.canvas)
        self.scores = torch.where(better, scores, self.scores)

    def _above(self) -> list[Layer | None]:
        """What lies above each action, as one layer; None where it has to be painted."""
        if not self.painter:
            return [None] * len(self.actions)
        above = [self.painter.nothing()]
        for layer in reversed(self.layers[1:]):
            above.append(layer.then(above[-1]))
        return list(reversed(above))
