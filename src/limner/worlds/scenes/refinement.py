"""ObjectRefinement: the refinement of programs that place objects.

Notable choices:
- What is tried for an object is to leave it out; the few of all objects that there can be with which the picture would
  be closest, if all others stood there already (``Scenes.additions``); what a proposer would place there; and
  variations of the object. In the end one more object is tried.
- From every second program some of the objects are taken away before a sweep: what is explained by several wrong
  objects cannot be mended one by one. It has two passes to get better than it was.
- An object has a small price, so that none stands where it does not show. A sweep counts only where the picture, less
  that, is not worse than before. All that is judged is rendered. Once a picture is perfect, a last sweep leaves out
  what nobody sees. Then it takes no more time: its program is empty in sweeps, and soon the others go on alone.
"""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import torch
from torch import Tensor

from limner.actions import PLACE, SKIP, ActionSpace
from limner.agents.rollout import EpisodeBatch, paint
from limner.search.lookahead import Proposer, Simulator, likeness, vary
from limner.worlds.observation import Observation, preprocess
from limner.worlds.paint.refinement import Refinement
from limner.worlds.scenes.objects import objects
from limner.worlds.scenes.renderer import Scenes
from limner.worlds.world import Renderer, make_renderer

BEST = 4
"""Of all objects that there can be, that are tried."""
EXACT = 1e-8
"""Mean squared error of a perfect picture at most: a few bytes are off by one."""
PASSES = 2
"""In which a program has to get better."""
PRICE = 1e-6
"""What an object has to gain in score to be worth its place: a pixel that is off by 16 of 255, of 64 × 64."""


class ObjectRefinement(Refinement):
    """Programs of objects that get closer to the goals of ``batch``, as long as there is time."""

    renderer: Scenes

    def __init__(
        self,
        renderer: Scenes,
        simulator: Simulator,
        batch: EpisodeBatch,
        actions: Tensor,
        proposer: Proposer,
        threads: int = 1,
    ) -> None:
        """``actions`` int64[T, B, P] are canonical; ``renderer`` has a canvas for each of the B programs."""
        super().__init__(renderer, simulator, batch.goal, settle(renderer.actions, actions))
        self.batch, self.proposer, self.threads = batch, proposer, threads
        self.finished = torch.zeros(renderer.batch, dtype=torch.bool)
        self.op = renderer.actions.index("op")
        self.skip = torch.zeros(len(renderer.actions), dtype=torch.int64)
        self.skip[self.op] = SKIP

    def run(self, seconds: float, generator: torch.Generator, stop: threading.Event | None = None) -> None:
        """As ``Refinement.run``, until all is finished; once half of the pictures are, with the others alone."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end and not (stop and stop.is_set()) and not self.finished.all():
            self.sweep(generator, end)
            left = (~self.finished).nonzero().flatten()
            if 0 < len(left) <= len(self.finished) // 2:
                self._go_on_with(left, end - time.perf_counter(), generator, stop)
                return

    def _go_on_with(
        self, rows: Tensor, seconds: float, generator: torch.Generator, stop: threading.Event | None
    ) -> None:
        renderer = make_renderer(self.renderer.settings(), len(rows), self.threads)
        assert isinstance(renderer, Scenes)
        simulator = Simulator(renderer, self.simulator.tries, self.threads, self.simulator.score)
        given = self.batch
        batch = replace(given, goal=given.goal[rows], target=given.target[rows], noise=given.noise[rows])
        others = ObjectRefinement(renderer, simulator, batch, self.actions[:, rows], self.proposer, self.threads)
        others.run(seconds, generator, stop)
        self.actions[:, rows], self.canvas[rows], self.scores[rows] = others.actions, others.canvas, others.scores
        self.finished[rows] = others.finished

    @torch.no_grad()
    def sweep(self, generator: torch.Generator, end: float = float("inf")) -> None:
        """Try other objects for every object and one more, in a few passes; after ``end`` leave the rest."""
        actions = self._without_some(generator)
        for _ in range(PASSES):
            before, actions = actions, actions.clone()
            self.renderer.reset()
            for t in range(len(actions)):
                if time.perf_counter() < end:
                    actions[t] = self._choose_object(actions, t, generator)
                self.renderer.step(actions[t].numpy())
            actions = settle(self.renderer.actions, actions)
        perfect = self._perfect(self.simulator.score(paint(self.renderer, before), self.goals))
        self._accept(actions)
        self.finished |= perfect & self._perfect(self.scores) & (time.perf_counter() < end)

    def _perfect(self, scores: Tensor) -> Tensor:
        """Which pictures are like their goals, if that is what counts: ``bool[B]``."""
        return (scores > -EXACT) & (self.simulator.score is likeness)

    def _accept(self, actions: Tensor) -> None:
        """Keep programs that are worth no less than before."""
        actions = torch.where(self.finished[:, None], self.actions, actions)
        canvas = paint(self.renderer, actions)
        scores = self.simulator.score(canvas, self.goals)
        better = self._worth(scores, actions) >= self._worth(self.scores, self.actions)
        self.actions = torch.where(better[:, None], actions, self.actions)
        self.canvas = torch.where(better[:, None, None, None], canvas, self.canvas)
        self.scores = torch.where(better, scores, self.scores)

    def _worth(self, scores: Tensor, actions: Tensor) -> Tensor:
        """``scores`` float32[…] less the price of the objects of ``actions`` int64[T, …, P]."""
        return scores - PRICE * (actions[..., self.op] != SKIP).sum(0)

    def _without_some(self, generator: torch.Generator) -> Tensor:
        """The programs, every second without some objects, any or those near one; the finished ones without any."""
        placed = self.actions[..., self.op] != SKIP
        count, random = placed.sum(0), torch.rand(3, *placed.shape, generator=generator)
        cells = torch.from_numpy(self.renderer.actions.cells(self.actions.numpy(), "location")).float()
        middle = cells[(random[0, 0] * count).long(), torch.arange(len(count))]
        rank = torch.where(random[1, 0] < 0.5, random[2], (cells - middle).norm(dim=2))
        rank = torch.where(placed, rank, torch.inf).argsort(0).argsort(0)
        number = ((2 * random[0, -1] - 1).clamp(min=0) * (count + 1)).long()
        gone = rank < torch.where(self.finished, count, number)
        return settle(self.renderer.actions, torch.where(gone[..., None], self.skip, self.actions))

    def _choose_object(self, actions: Tensor, t: int, generator: torch.Generator) -> Tensor:
        """The best of action ``t`` of ``actions`` int64[T, B, P], to skip, what is proposed, and variations.

        Of the skips that end a program only the first may become an object.
        """
        tries, now = self.simulator.tries, actions[t]
        over = self.finished | ((actions[max(t - 1, 0) :] == self.skip).all(2).all(0) & (t > 0))
        if over.all():
            return now
        before = self.renderer.save()
        for action in actions[t + 1 :]:
            self.renderer.step(action.numpy())
        best, proposed = self._best(over), self._propose(actions, t, generator)
        self.renderer.restore(before)
        varied = vary(self.renderer.actions, now.repeat_interleave(tries, dim=0), generator).view_as(proposed)
        half = (tries - 2 - best.shape[1]) // 2
        rest = torch.where((now == self.skip).all(1)[:, None, None], proposed[:, half:], varied[:, half:])
        skip = self.skip.expand(len(now), 1, -1)
        tried = torch.cat([skip, now[:, None], best, proposed[:, :half], rest], dim=1)[:, :tries]
        tried = torch.where(over[:, None, None], self.skip, tried)
        scores = self.simulator.scores(before, self.goals, tried, list(actions[t + 1 :]))
        highest = self._worth(scores, tried[None]).argmax(dim=1)
        return tried[torch.arange(len(tried)), highest]

    def _best(self, over: Tensor) -> Tensor:
        """The few objects that would bring the renderer closest to the goals: ``int64[B, BEST or 0, P]``."""
        canvas = torch.from_numpy(self.renderer.canvas())
        goals = torch.where(over[:, None, None, None], canvas, self.goals)  # where all is well, that is known at once
        return torch.from_numpy(self.renderer.additions(goals.numpy(), BEST))

    def _propose(self, actions: Tensor, t: int, generator: torch.Generator) -> Tensor:
        """What the proposer would place where all but action ``t`` are done: ``int64[B, tries, P]``."""
        others = torch.cat([actions[:t], actions[t + 1 :]])
        placed = others[..., self.op] != SKIP
        last = (placed * torch.arange(1, len(others) + 1)[:, None]).amax(0) if len(others) else placed.sum(0)
        previous = torch.cat([torch.zeros_like(actions[:1]), others])[last, torch.arange(len(last))]
        batch = self.batch
        observation = Observation(
            ink=preprocess(torch.from_numpy(self.renderer.canvas()), batch.ink.shape[-1]),
            target=batch.target,
            pen=torch.from_numpy(self.renderer.pen()),
            step=placed.sum(0) / batch.steps,
            previous=previous,
            noise=batch.noise,
        )
        tries = self.simulator.tries
        proposed = self.proposer.act(observation, None, generator, count=tries, verb=PLACE).actions
        return proposed.view(len(last), tries, -1)


def refine(
    renderer: Renderer,
    simulator: Simulator,
    batch: EpisodeBatch,
    actions: Tensor,
    proposer: Proposer,
    threads: int = 1,
) -> Refinement:
    """A refinement of canonical ``actions`` int64[T, B, P], of strokes or of objects, for the goals of ``batch``.

    ``proposer`` is asked for objects only.
    """
    if isinstance(renderer, Scenes):
        return ObjectRefinement(renderer, simulator, batch, actions, proposer, threads)
    return Refinement(renderer, simulator, batch.goal, actions, threads)


def prepare(renderer: Renderer) -> None:
    """What the first refinement in a process would have to make: the templates of ``renderer``, if it shows scenes."""
    if isinstance(renderer, Scenes):
        renderer.additions(renderer.canvas(), 1)


def settle(space: ActionSpace, programs: Tensor) -> Tensor:
    """Programs ``int64[T, B, P]`` that place the same objects at once, and skip from then on."""
    settled = torch.zeros_like(programs)
    settled[..., space.index("op")] = SKIP
    for row, program in enumerate(programs.transpose(0, 1).numpy()):
        left = objects(space, program)
        settled[: len(left), row] = torch.from_numpy(left)
    return settled
