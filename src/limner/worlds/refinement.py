"""Refinement: a finished program is changed here and there, and what brings the picture closer stays.

Notable choices:
- All programs of a batch have the same length and are refined side by side, in sweeps: perturbations of the first
  action are tried, the best is executed, then those of the second, and so on.
- A perturbation is scored by the finished picture. A sweep is kept only where the picture that was really painted has a
  better score than before.
- A budget is a number of sweeps, which repeats bit for bit, or a time.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import torch
from torch import Tensor

from limner.worlds import Renderer
from limner.worlds.simulator import Simulator, execute
from limner.worlds.variation import perturb


@dataclass(frozen=True)
class Budget:
    """What a search may spend: it ends with whichever comes first. None is no limit."""

    seconds: float | None = None
    sweeps: int | None = None

    def __post_init__(self) -> None:
        if self.seconds is None and self.sweeps is None:
            raise ValueError("a budget needs seconds or sweeps")


class Refinement:
    """Programs that get closer to their goals, ``uint8[B, H, W, C]``."""

    def __init__(self, renderer: Renderer, simulator: Simulator, goals: Tensor, actions: Tensor) -> None:
        """``actions`` int64[T, B, P] are canonical; ``renderer`` has a canvas for each of the B programs."""
        self.renderer, self.simulator, self.goals = renderer, simulator, goals
        self.actions = actions.clone()
        self.canvas = execute(renderer, self.actions)
        self.scores = simulator.objective(self.canvas, goals)

    def run(self, budget: Budget, generator: torch.Generator, stop: threading.Event | None = None) -> None:
        """Sweep as long as the budget allows, or until ``stop`` is set."""
        end = time.perf_counter() + budget.seconds if budget.seconds is not None else float("inf")
        done = 0
        while not self._over(end, done, budget.sweeps) and not (stop and stop.is_set()):
            self.sweep(generator, end)
            done += 1

    @torch.no_grad()
    def sweep(self, generator: torch.Generator, end: float = float("inf")) -> None:
        """Try as many candidates for every action as the simulator has; after ``end`` (clock) leave the rest."""
        actions = self.actions.clone()
        self._begin()
        self.renderer.reset()
        for t in range(len(actions)):
            if end == float("inf") or time.perf_counter() < end:
                actions[t] = self._choose(actions, t, generator)
            self.renderer.step(actions[t].numpy())
        self._accept(actions, torch.from_numpy(self.renderer.canvas()))

    def _begin(self) -> None:
        """Prepare a sweep."""

    def _choose(self, actions: Tensor, t: int, generator: torch.Generator) -> Tensor:
        """The best of action ``t`` of ``actions`` int64[T, B, P] and its perturbations, ``int64[B, P]``."""
        candidates = self._perturbed(actions[t], generator)
        candidates[:, 0] = actions[t]
        return self.simulator.best(self.renderer.save(), self.goals, candidates, list(actions[t + 1 :]))[0]

    def _perturbed(self, action: Tensor, generator: torch.Generator) -> Tensor:
        """Perturbations ``int64[B, candidates, P]`` of ``action`` int64[B, P]."""
        repeated = action.repeat_interleave(self.simulator.candidates, dim=0)
        return perturb(self.renderer.actions, repeated, generator).view(len(action), self.simulator.candidates, -1)

    def _accept(self, actions: Tensor, canvas: Tensor) -> Tensor:
        """Keep the programs whose ``canvas`` has a better score than before; which, ``bool[B]``."""
        scores = self.simulator.objective(canvas, self.goals)
        better = scores > self.scores
        self.actions = torch.where(better[:, None], actions, self.actions)
        self.canvas = torch.where(better[:, None, None, None], canvas, self.canvas)
        self.scores = torch.where(better, scores, self.scores)
        return better

    @staticmethod
    def _over(end: float, done: int, sweeps: int | None) -> bool:
        return (end != float("inf") and time.perf_counter() >= end) or (sweeps is not None and done >= sweeps)
