"""Refinement: a finished program is changed here and there, and changes that bring the picture closer are kept.

All programs of a batch have the same length and are refined side by side, in sweeps: perturbations of the first action
are tried and the best is executed, then those of the second, and so on. A candidate is scored by the finished picture,
and a sweep is kept only where the final score is better than before.
"""

import math
from threading import Event

import torch
from torch import Generator, Tensor

from limner.worlds import Renderer
from limner.worlds.budget import Budget, reached
from limner.worlds.observation import Targets
from limner.worlds.proposals import Proposer, perturb
from limner.worlds.simulator import Simulator, execute


class Refinement:
    """Programs that get closer to their targets."""

    def __init__(
        self, renderer: Renderer, simulator: Simulator, targets: Targets, actions: Tensor, proposer: Proposer
    ) -> None:
        """``actions`` int64[T, B, P] are canonical; ``renderer`` has a canvas for each of the B programs.

        Here perturbations are the only candidates; others may be the proposer's.
        """
        self.renderer, self.simulator, self.targets, self.proposer = renderer, simulator, targets, proposer
        self.goals, self.actions = targets.goal, actions.clone()
        self.canvas = execute(renderer, self.actions)
        self.scores = simulator.objective(self.canvas, self.goals)

    def run(self, budget: Budget, generator: Generator, stop: Event | None = None) -> None:
        """Sweep until the budget is spent or ``stop`` is set."""
        end, done = budget.end(), 0
        while not budget.spent(end, done) and not (stop and stop.is_set()):
            self.sweep(generator, end)
            done += 1

    @torch.no_grad()
    def sweep(self, generator: Generator, end: float = math.inf) -> None:
        """Try as many candidates for every action as the simulator has; none after the time ``end``."""
        actions = self._choose_all(self.actions, generator, end)
        self._accept(actions, torch.from_numpy(self.renderer.canvas()))

    def _choose_all(self, actions: Tensor, generator: Generator, end: float) -> Tensor:
        """``actions`` int64[T, B, P], each replaced by the best of its candidates, as executed on the renderer."""
        actions = actions.clone()
        self.renderer.reset()
        for t in range(len(actions)):
            if not reached(end):
                actions[t] = self._choose(actions, t, generator)
            self.renderer.step(actions[t].numpy())
        return actions

    def _choose(self, actions: Tensor, t: int, generator: Generator) -> Tensor:
        """The best of action ``t`` of ``actions`` int64[T, B, P] and its perturbations, ``int64[B, P]``."""
        candidates = self._perturbed(actions[t], generator)
        candidates[:, 0] = actions[t]
        return self.simulator.best(self.renderer.save(), self.goals, candidates, list(actions[t + 1 :]))

    def _perturbed(self, action: Tensor, generator: Generator) -> Tensor:
        """Perturbations ``int64[B, candidates, P]`` of ``action`` int64[B, P]."""
        repeated = action.repeat_interleave(self.simulator.candidates, dim=0)
        return perturb(self.renderer.actions, repeated, generator).view(len(action), self.simulator.candidates, -1)

    def _better(self, scores: Tensor, actions: Tensor) -> Tensor:
        """Which of ``actions`` int64[T, B, P], whose pictures have these scores, are to be kept: ``bool[B]``."""
        return scores > self.scores

    def _accept(self, actions: Tensor, canvas: Tensor) -> Tensor:
        """Keep the programs, which paint ``canvas``, where they are better than before; which, ``bool[B]``."""
        scores = self.simulator.objective(canvas, self.goals)
        better = self._better(scores, actions)
        self.actions = torch.where(better[:, None], actions, self.actions)
        self.canvas = torch.where(better[:, None, None, None], canvas, self.canvas)
        self.scores = torch.where(better, scores, self.scores)
        return better
