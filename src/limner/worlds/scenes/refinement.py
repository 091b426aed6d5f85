"""Refinement of programs that place objects.

The candidates for an object are: a skip; the few of all possible objects that would bring the picture closest to its
goal, given all other objects (``Scenes.additions``); the proposer's objects; perturbations of the object. At the end of
the program one more object is tried.

Before a sweep some objects of every second program are removed: several wrong objects that together explain a part of
the picture cannot be corrected one at a time. An object costs ``PRICE``, so that hidden ones go. A sweep is kept only
where the score less the costs is not worse than before. Once a picture is exact, a last sweep removes hidden objects,
and the program is finished.
"""

import math
import time
from threading import Event
from typing import Any

import torch
from torch import Generator, Tensor

from limner.actions import ActionSpace
from limner.worlds import make_renderer
from limner.worlds.budget import Budget, reached
from limner.worlds.observation import Observation, Targets, preprocess
from limner.worlds.proposals import Proposer
from limner.worlds.refinement import Refinement
from limner.worlds.scenes.renderer import Scenes
from limner.worlds.scenes.settings import PLACE, SKIP, objects
from limner.worlds.simulator import Simulator, execute, negative_mse

BEST = 4
"""How many of all possible objects are tried."""
EXACT = 1e-8
"""Largest mean squared error of an exact picture: a few bytes are off by one."""
PASSES = 2
"""Passes of a sweep."""
PRICE = 1e-6
"""Smallest gain in score for which an object is kept: one pixel of 64 × 64 that is off by 16 of 255."""


class ObjectRefinement(Refinement):
    """Programs of objects that get closer to their targets."""

    renderer: Scenes

    def __init__(
        self, renderer: Scenes, simulator: Simulator, targets: Targets, actions: Tensor, proposer: Proposer
    ) -> None:
        super().__init__(renderer, simulator, targets, settle(renderer.actions, actions), proposer)
        self.finished = torch.zeros(renderer.batch, dtype=torch.bool)
        self.op = renderer.actions.index("op")
        self.skip = torch.zeros(len(renderer.actions), dtype=torch.int64)
        self.skip[self.op] = SKIP

    def run(self, budget: Budget, generator: Generator, stop: Event | None = None) -> None:
        """As ``Refinement.run``, until all are finished; once half of the programs are, with the others alone."""
        end, done = budget.end(), 0
        while not budget.spent(end, done) and not (stop and stop.is_set()) and not self.finished.all():
            self.sweep(generator, end)
            done += 1
            left = (~self.finished).nonzero().flatten()
            if 0 < len(left) <= len(self.finished) // 2:
                seconds = None if budget.seconds is None else end - time.perf_counter()
                sweeps = None if budget.sweeps is None else budget.sweeps - done
                self._continue_with(left, Budget(seconds, sweeps), generator, stop)
                return

    def _continue_with(self, rows: Tensor, budget: Budget, generator: Generator, stop: Event | None) -> None:
        """Refine the programs ``rows`` int64[M] as a batch of their own."""
        renderer: Any = make_renderer(self.renderer.settings(), len(rows), self.simulator.threads)
        simulator = Simulator(renderer, self.simulator.candidates, self.simulator.threads, self.simulator.objective)
        others = ObjectRefinement(renderer, simulator, self.targets.take(rows), self.actions[:, rows], self.proposer)
        others.run(budget, generator, stop)
        self.actions[:, rows], self.canvas[rows], self.scores[rows] = others.actions, others.canvas, others.scores
        self.finished[rows] = others.finished

    @torch.no_grad()
    def sweep(self, generator: Generator, end: float = math.inf) -> None:
        """Try other objects for every object and one more, in ``PASSES`` passes; none after the time ``end``."""
        actions = self._without_some(generator)
        for _ in range(PASSES):
            before, actions = actions, self._choose_all(actions, generator, end)
            actions = settle(self.renderer.actions, actions)
        exact = self._exact(self.simulator.objective(execute(self.renderer, before), self.goals))
        actions = torch.where(self.finished[:, None], self.actions, actions)
        self._accept(actions, execute(self.renderer, actions))
        self.finished |= exact & self._exact(self.scores) & (not reached(end))

    def _exact(self, scores: Tensor) -> Tensor:
        """Which pictures equal their goals, ``bool[B]``; none unless the objective is the squared error alone."""
        return (scores > -EXACT) & (self.simulator.objective is negative_mse)

    def _better(self, scores: Tensor, actions: Tensor) -> Tensor:
        return self._worth(scores, actions) >= self._worth(self.scores, self.actions)

    def _worth(self, scores: Tensor, actions: Tensor) -> Tensor:
        """``scores`` float32[…] less the price of the objects of ``actions`` int64[T, …, P]."""
        return scores - PRICE * (actions[..., self.op] != SKIP).sum(0)

    def _without_some(self, generator: Generator) -> Tensor:
        """The programs, every second without some of its objects, any or neighbours; finished ones without all."""
        placed = self.actions[..., self.op] != SKIP
        count, random = placed.sum(0), torch.rand(3, *placed.shape, generator=generator)
        cells = torch.from_numpy(self.renderer.actions.cells(self.actions.numpy(), "location")).float()
        middle = cells[(random[0, 0] * count).long(), torch.arange(len(count))]
        rank = torch.where(random[1, 0] < 0.5, random[2], (cells - middle).norm(dim=2))
        rank = torch.where(placed, rank, torch.inf).argsort(0).argsort(0)
        number = ((2 * random[0, -1] - 1).clamp(min=0) * (count + 1)).long()
        gone = rank < torch.where(self.finished, count, number)
        return settle(self.renderer.actions, torch.where(gone[..., None], self.skip, self.actions))

    def _choose(self, actions: Tensor, t: int, generator: Generator) -> Tensor:
        """The best of action ``t`` of ``actions`` int64[T, B, P], a skip, proposed objects and perturbations.

        Of the skips that end a program only the first may become an object.
        """
        count, now = self.simulator.candidates, actions[t]
        over = self.finished | ((actions[max(t - 1, 0) :] == self.skip).all(2).all(0) & (t > 0))
        if over.all():
            return now
        before = self.renderer.save()
        for action in actions[t + 1 :]:
            self.renderer.step(action.numpy())
        canvas = torch.from_numpy(self.renderer.canvas())
        goals = torch.where(over[:, None, None, None], canvas, self.goals)  # without an error nothing is computed
        best = torch.from_numpy(self.renderer.additions(goals.numpy(), BEST))
        proposed = self._propose(actions, t, generator)
        self.renderer.restore(before)
        perturbed = self._perturbed(now, generator)
        half = (count - 2 - best.shape[1]) // 2
        rest = torch.where((now == self.skip).all(1)[:, None, None], proposed[:, half:], perturbed[:, half:])
        skip = self.skip.expand(len(now), 1, -1)
        tried = torch.cat([skip, now[:, None], best, proposed[:, :half], rest], dim=1)[:, :count]
        tried = torch.where(over[:, None, None], self.skip, tried)
        scores = self.simulator.scores(before, self.goals, tried, list(actions[t + 1 :]))
        highest = self._worth(scores, tried[None]).argmax(dim=1)
        return tried[torch.arange(len(tried)), highest]

    def _propose(self, actions: Tensor, t: int, generator: Generator) -> Tensor:
        """The proposer's objects after all actions but ``t``: ``int64[B, candidates, P]``."""
        others = torch.cat([actions[:t], actions[t + 1 :]])
        placed = others[..., self.op] != SKIP
        last = (placed * torch.arange(1, len(others) + 1)[:, None]).amax(0) if len(others) else placed.sum(0)
        previous = torch.cat([torch.zeros_like(actions[:1]), others])[last, torch.arange(len(last))]
        target = self.targets.target
        observation = Observation(
            canvas=preprocess(torch.from_numpy(self.renderer.canvas()), target.shape[-1]),
            target=target,
            pen=torch.from_numpy(self.renderer.pen()),
            step=placed.sum(0) / len(actions),
            previous=previous,
            noise=self.targets.noise,
        )
        count = self.simulator.candidates
        proposed = self.proposer.act(observation, None, generator, count=count, verb=PLACE).actions
        return proposed.view(len(last), count, -1)


def settle(space: ActionSpace, programs: Tensor) -> Tensor:
    """Programs ``int64[T, B, P]`` that place the final objects of ``programs`` first, then skip."""
    settled = torch.zeros_like(programs)
    settled[..., space.index("op")] = SKIP
    for row, program in enumerate(programs.transpose(0, 1).numpy()):
        left = objects(space, program)
        settled[: len(left), row] = torch.from_numpy(left)
    return settled
