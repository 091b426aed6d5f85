"""Refinement: a finished program is changed here and there, and a change that brings the picture closer stays.

Notable choices:
- All programs of a batch have the same length and are refined side by side, the same action of each at a time.
- A change of action t leaves the canvas before it as it was: that canvas is kept, and painting goes on from there.
"""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import Tensor

from limner.renderers import Renderer, State
from limner.search import Rehearsal, vary


class Refinement:
    """Programs that get closer to their goals, ``uint8[B, H, W, C]``, as long as there is time."""

    def __init__(self, stage: Renderer, rehearsal: Rehearsal, goals: Tensor, actions: Tensor) -> None:
        """``actions`` int64[T, B, P] are canonical; ``stage`` has a canvas for each of the B programs."""
        self.stage, self.rehearsal, self.goals = stage, rehearsal, goals
        self.actions = actions.clone()
        self.before: list[State] = []
        stage.reset()
        self._paint_from(0)
        self.scores = rehearsal.score(torch.from_numpy(stage.canvas()), goals)

    def run(self, seconds: float, generator: torch.Generator) -> None:
        """Try changes for about so many seconds."""
        end = time.perf_counter() + seconds
        steps = len(self.actions)
        while time.perf_counter() < end:
            for t in torch.randperm(steps, generator=generator).tolist():
                self.change(t, generator)
                if time.perf_counter() >= end:
                    break

    @torch.no_grad()
    def change(self, t: int, generator: torch.Generator) -> None:
        """Try as many variations of action ``t`` as the rehearsal has copies, and keep the best if it is better."""
        tries, batch = self.rehearsal.tries, self.stage.batch
        varied = vary(self.stage.actions, self.actions[t].repeat_interleave(tries, dim=0), generator)
        tried = varied.view(batch, tries, -1)
        found, scores = self.rehearsal.best(self.before[t], self.goals, tried, list(self.actions[t + 1 :]))
        better = scores > self.scores
        if not better.any():
            return
        self.actions[t] = torch.where(better[:, None], found, self.actions[t])
        self.scores = torch.where(better, scores, self.scores)
        self.stage.restore(self.before[t])
        self._paint_from(t)

    def _paint_from(self, t: int) -> None:
        """Paint actions t … T − 1 on the stage, keeping the canvases before each."""
        del self.before[t:]
        for action in self.actions[t:]:
            self.before.append(self.stage.save())
            self.stage.step(np.ascontiguousarray(action.numpy()))
