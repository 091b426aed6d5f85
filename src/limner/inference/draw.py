"""Drawing a picture: a conditional agent writes its program, with search if it is given a budget.

Notable choices:
- Pictures are drawn in batches that share the network's work; a budget for search is per picture all the same. With
  search, as many batches are drawn at a time as there are threads, each on one: that is faster than splitting the work
  on one batch.
- A budget in sweeps uses no clock: the same seed draws the same programs, bit for bit, on any number of threads.
- Search refines what the policy draws. With the plan "greedy" a third of the time goes to lookahead first; with
  "refine" one lookahead comes first only where the policy leaves more than ``LOST`` of the error. Refinement gains
  more (docs/log.md, "what to do with time for search").
- A batch draws its noise and its actions from one seed. So without search a drawing depends on the seed, on how many
  pictures its batch has and on its place among them, but not on what the others show.
"""

import itertools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from limner.agents.agent import Agent
from limner.agents.rollout import EpisodeBatch, collect
from limner.data import Pictures
from limner.programs.program import Program
from limner.search.lookahead import greedy_lookahead
from limner.worlds.budget import Budget
from limner.worlds.proposals import MixedProposals, Proposer
from limner.worlds.simulator import Objective, Simulator, negative_mse
from limner.worlds.validation import require, require_range
from limner.worlds.world import Canvas, Renderer

BATCH = 64
"""Pictures drawn at a time by the policy alone."""
SEARCHED = 8
"""Pictures drawn at a time with search."""
CANDIDATES = 16
"""Actions that search tries at a time."""
LOST = 0.05
"""Share of the error of the empty canvas above which one lookahead comes before refinement."""

Plan = Literal["refine", "greedy"]
"""What search does: refine the policy's drawing, or look ahead greedily before that."""
Batch = tuple[Pictures, int]
"""Pictures that are drawn together, and their seed."""


@dataclass(frozen=True, kw_only=True)
class DrawOptions:
    """How pictures are drawn."""

    seconds: float = 0.0
    """Of search for each picture; 0 lets the policy draw alone."""
    sweeps: int | None = None
    """Of refinement for each picture, in place of seconds: a budget that repeats bit for bit."""
    plan: Plan = "refine"
    """What search does."""
    objective: Objective = negative_mse
    """What search maximises."""
    temperature: float | None = None
    """None: that of the agent."""
    seed: int = 0
    threads: int = 1

    @property
    def searches(self) -> bool:
        """Whether there is a budget for search."""
        return self.seconds > 0 or bool(self.sweeps)

    def check(self) -> None:
        """``ValueError`` naming the first option that is out of range, as its flag is named."""
        require_range("search", self.seconds, 0, 3600, " seconds")
        require_range("sweeps", self.sweeps, 0, 100_000)
        budgets = f"search is {self.seconds} seconds and sweeps is {self.sweeps}"
        require(self.sweeps is None or not self.seconds, f"{budgets}: give one of the two")
        plans = get_args(Plan)
        require(self.plan in plans, f"plan is {self.plan!r}: must be {' or '.join(map(repr, plans))}")
        require_range("temperature", self.temperature, 0, 10)
        require_range("seed", self.seed, 0, 2**62 - 1)
        require_range("threads", self.threads, 1, 1024)


@dataclass(frozen=True)
class Drawings:
    """Pictures as an agent draws them."""

    canvases: Canvas
    """``uint8[N, H, W, C]``."""
    programs: list[Program]
    seconds: float
    """Spent on all of them."""


def draw(agent: Agent, goals: Pictures, options: DrawOptions = DrawOptions()) -> Iterator[Drawings]:
    """Let ``agent`` draw ``goals`` ``uint8[N, S, S, C]``, as large as its canvas; gives batches of them, in order.

    A batch of ``batch_size(options)`` pictures that starts at ``goals[i]`` is drawn with ``options.seed + i``, which
    its programs name. ``ValueError`` when the agent is unconditional, an option is out of range, or pictures have
    another size or number of channels.
    """
    check_drawing(agent)
    options.check()
    shape = agent.config.make_renderer(1).shape
    if goals.dtype != np.uint8 or goals.shape[1:] != shape:
        raise ValueError(
            f"pictures are {goals.dtype}{list(goals.shape[1:])}, the canvas of {agent.name!r} is uint8{list(shape)}"
        )
    size = batch_size(options)
    batches = [(goals[start : start + size], options.seed + start) for start in range(0, len(goals), size)]
    abreast = options.threads if options.searches and options.plan == "refine" else 1
    rows = (batches[start : start + abreast] for start in range(0, len(batches), abreast))
    return itertools.chain.from_iterable(_draw_side_by_side(agent, row, options) for row in rows)


def _draw_side_by_side(agent: Agent, batches: list[Batch], options: DrawOptions) -> list[Drawings]:
    """Draw ``batches`` at the same time, each on a thread, in the time of all; seconds are shared out evenly."""
    count, stop = len(batches), threading.Event()

    def draw_one(batch: Batch) -> Drawings:
        pictures, seed = batch
        share = replace(options, seconds=options.seconds * count, seed=seed, threads=max(1, options.threads // count))
        renderer = agent.config.make_renderer(len(pictures), share.threads)
        return draw_on(renderer, agent, pictures, share, stop)

    if not options.searches:
        return [draw_one(batch) for batch in batches]
    started = time.perf_counter()
    with ThreadPoolExecutor(count, initializer=partial(torch.set_num_threads, 1)) as pool:
        try:
            drawn = list(pool.map(draw_one, batches))
        finally:
            stop.set()  # Ctrl-C does not reach the threads
    seconds = (time.perf_counter() - started) / count
    return [replace(drawings, seconds=seconds) for drawings in drawn]


def check_drawing(agent: Agent) -> None:
    """``ValueError`` when ``agent`` is unconditional."""
    if not agent.config.conditional:
        raise ValueError(
            f"agent {agent.name!r} is unconditional: use limner sample, or name an agent that is given pictures"
        )


def batch_size(options: DrawOptions) -> int:
    """How many pictures are drawn at a time."""
    return SEARCHED if options.searches else BATCH


def draw_on(
    renderer: Renderer,
    agent: Agent,
    goals: Pictures,
    options: DrawOptions = DrawOptions(),
    stop: threading.Event | None = None,
    lookahead: bool = True,
) -> Drawings:
    """As ``draw``, but one batch with the seed itself, on the canvases of ``renderer`` as they are after its ``reset``.

    Once ``stop`` is set, refinement ends with the sweep that it is in. Without ``lookahead``, which takes as long as it
    takes, a search only refines.
    """
    world = agent.config.world
    if options.searches:
        world.warm_up(renderer)
    started = time.perf_counter()
    episodes = EpisodeBatch.empty(agent.config, renderer)
    episodes.aim(torch.from_numpy(np.array(goals, order="C")))
    generator = torch.Generator().manual_seed(options.seed)
    temperature = agent.config.temperature if options.temperature is None else options.temperature
    collect(renderer, agent.policy, episodes, generator, temperature)
    if options.searches:
        simulator = Simulator(renderer, CANDIDATES, options.threads, options.objective)
        best, proposer = episodes.actions, MixedProposals(agent.policy, world.proposals(renderer.actions))
        lost = options.plan != "refine" or episodes.distance[-1].mean() > LOST * episodes.distance[0].mean()
        if lookahead and lost:
            seconds = 0 if options.plan == "refine" else options.seconds * len(goals) / 3
            best = look_ahead(renderer, simulator, proposer, episodes, generator, seconds)
        refinement = world.refinement(renderer)(renderer, simulator, episodes.targets, best, proposer)
        left = None if options.sweeps else options.seconds * len(goals) - (time.perf_counter() - started)
        refinement.run(Budget(left, options.sweeps), generator, stop)
        episodes.actions.copy_(refinement.actions)
        episodes.canvas.copy_(refinement.canvas)
    settings, seed = renderer.settings(), options.seed
    programs = [Program(settings, actions, seed, agent.name) for actions in np.swapaxes(episodes.actions.numpy(), 0, 1)]
    return Drawings(episodes.canvas.numpy(), programs, time.perf_counter() - started)


def look_ahead(
    renderer: Renderer,
    simulator: Simulator,
    proposer: Proposer,
    episodes: EpisodeBatch,
    generator: torch.Generator,
    seconds: float,
) -> Tensor:
    """The best programs ``int64[T, B, P]`` of greedy lookahead for about so many seconds, but at least once.

    They are better than those in ``episodes``, which are overwritten, or the same.
    """
    best, highest = episodes.actions.clone(), simulator.objective(episodes.canvas, episodes.goal)
    until = time.perf_counter() + seconds
    while True:
        begun = time.perf_counter()
        greedy_lookahead(renderer, simulator, proposer, episodes, generator)
        scores = simulator.objective(episodes.canvas, episodes.goal)
        best = torch.where((scores > highest)[None, :, None], episodes.actions, best)
        highest = torch.maximum(scores, highest)
        if not seconds or 2 * time.perf_counter() - begun > until:  # another lookahead would take too long
            break
    return best
