"""Drawing what is seen: an agent with targets writes the program of a picture, with search if it is given time.

Notable choices:
- Pictures are drawn in batches that share the network's work; the time for search is per picture all the same. With
  search, as many batches are drawn at a time as there are threads, each on one: that is faster than splitting the work
  on one batch.
- That time goes to refining what the policy draws. A third of it can go to looking ahead at every action first, at
  least once: see ``Plan``. Refinement gains more (docs/experiments.md, "what to do with time for search").
- A batch draws its noise and its actions from one seed. So without search a drawing depends on the seed, on how many
  pictures its batch has and on its place among them, but not on what the others show.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from limner.agents.agent import Agent
from limner.agents.rollout import EpisodeBatch, collect
from limner.data import Pictures
from limner.programs.program import Program
from limner.search.lookahead import Proposer, Score, Simulator, greedy_lookahead, likeness
from limner.worlds.proposals import MixedProposals
from limner.worlds.scenes.refinement import prepare, refine
from limner.worlds.world import Canvas, Renderer

BATCH = 64
"""Pictures drawn at a time by the policy alone."""
SEARCHED = 8
"""Pictures drawn at a time with search."""
TRIES = 16
LOST = 0.05
"""Share of the error of the canvas that it began with, above which a policy has lost its way."""

Plan = Literal["refine", "greedy"]
"""How to search: only refine what the policy draws, looking ahead once before if it has lost its way; or look ahead
before that, one action at a time, again and again with other chances; or look once in this way and then as far as a
tree search gets. Half of what looking ahead tries is proposed by chance (``limner.worlds.proposals``)."""

Batch = tuple[Pictures, int]
"""Pictures that are drawn together, and their seed."""


@dataclass(frozen=True)
class Drawings:
    """Pictures as an agent draws them."""

    canvases: Canvas
    """``uint8[N, H, W, C]``."""
    programs: list[Program]
    seconds: float
    """Spent on all of them."""


def draw(
    agent: Agent,
    goals: Pictures,
    search: float = 0.0,
    seed: int = 0,
    threads: int = 1,
    temperature: float | None = None,
    plan: Plan = "refine",
    score: Score = likeness,
) -> Iterator[Drawings]:
    """Let ``agent`` draw ``goals`` ``uint8[N, S, S, C]``, as large as its canvas; gives batches of them, in order.

    ``search`` is in seconds a picture; with 0 the policy draws alone, and the same ``seed`` draws the same. A batch of
    ``batch_size(search)`` pictures that starts at ``goals[i]`` is drawn with ``seed + i``, which its programs name.
    Search prefers drawings with a high ``score``.
    ``ValueError`` when the agent has no targets, or pictures of another size or number of channels.
    """
    check_drawing(agent, search, seed)
    shape = agent.config.make_renderer(1).shape
    if goals.dtype != np.uint8 or goals.shape[1:] != shape:
        raise ValueError(
            f"pictures are {goals.dtype}{list(goals.shape[1:])}, the canvas of {agent.name!r} is uint8{list(shape)}"
        )
    size = batch_size(search)
    batches = [(goals[start : start + size], seed + start) for start in range(0, len(goals), size)]
    abreast = threads if search and plan == "refine" else 1

    def draw_one(batch: Batch, count: int, stop: threading.Event) -> Drawings:
        """One of ``count`` batches that are drawn at the same time: in the time of all, on its share of the threads."""
        pictures, number = batch
        share = threads // count
        renderer = agent.config.make_renderer(len(pictures), share)
        return draw_on(renderer, agent, pictures, search * count, number, share, temperature, plan, score, stop)

    rows = (batches[start : start + abreast] for start in range(0, len(batches), abreast))
    return itertools.chain.from_iterable(_side_by_side(draw_one, row) for row in rows)


def _side_by_side(draw_one: Callable[[Batch, int, threading.Event], Drawings], batches: list[Batch]) -> list[Drawings]:
    """Draw ``batches``: several at the same time, each on a thread; the seconds are shared out evenly."""
    count, stop = len(batches), threading.Event()
    if count == 1:
        return [draw_one(batches[0], 1, stop)]
    started = time.perf_counter()
    with ThreadPoolExecutor(count, initializer=partial(torch.set_num_threads, 1)) as pool:
        try:
            drawn = list(pool.map(lambda batch: draw_one(batch, count, stop), batches))
        finally:
            stop.set()  # Ctrl-C does not reach the threads
    seconds = (time.perf_counter() - started) / count
    return [replace(drawings, seconds=seconds) for drawings in drawn]


def check_drawing(agent: Agent, search: float = 0.0, seed: int = 0) -> None:
    """``ValueError`` when ``agent`` has no targets, or when the others are out of range."""
    if not agent.config.conditional:
        raise ValueError(f"agent {agent.name!r} draws what it likes: use limner sample, or name an agent with targets")
    if not 0 <= search <= 3600:
        raise ValueError(f"search is {search}: must be in 0 … 3600 seconds a picture")
    if not 0 <= seed < 2**62:
        raise ValueError(f"seed is {seed}: must be in 0 … 2^62 − 1")


def batch_size(search: float) -> int:
    """How many pictures are drawn at a time."""
    return SEARCHED if search else BATCH


def draw_on(
    renderer: Renderer,
    agent: Agent,
    goals: Pictures,
    search: float = 0.0,
    seed: int = 0,
    threads: int = 1,
    temperature: float | None = None,
    plan: Plan = "refine",
    score: Score = likeness,
    stop: threading.Event | None = None,
) -> Drawings:
    """As ``draw``, but one batch with ``seed`` itself, on the canvases of ``renderer`` as they are after its ``reset``.

    Once ``stop`` is set, refinement ends with the sweep that it is in.
    """
    if search:
        prepare(renderer)
    started = time.perf_counter()
    episodes = EpisodeBatch.empty(agent.config, renderer)
    episodes.aim(torch.from_numpy(np.array(goals, order="C")))
    generator = torch.Generator().manual_seed(seed)
    temperature = agent.config.temperature if temperature is None else temperature
    collect(renderer, agent.policy, episodes, generator, temperature)
    if search:
        simulator = Simulator(renderer, TRIES, threads, score)
        best, proposer = episodes.actions, MixedProposals(agent.policy, renderer.actions)
        if plan != "refine" or episodes.distance[-1].mean() > LOST * episodes.distance[0].mean():
            seconds = 0 if plan == "refine" else search * len(goals) / 3
            best = look_ahead(renderer, simulator, proposer, episodes, generator, seconds, plan)
        refinement = refine(renderer, simulator, episodes, best, proposer, threads)
        refinement.run(search * len(goals) - (time.perf_counter() - started), generator, stop)
        episodes.actions.copy_(refinement.actions)
        episodes.canvas.copy_(refinement.canvas)
    settings = renderer.settings()
    programs = [Program(settings, actions, seed, agent.name) for actions in np.swapaxes(episodes.actions.numpy(), 0, 1)]
    return Drawings(episodes.canvas.numpy(), programs, time.perf_counter() - started)


def look_ahead(
    renderer: Renderer,
    simulator: Simulator,
    proposer: Proposer,
    episodes: EpisodeBatch,
    generator: torch.Generator,
    seconds: float,
    plan: Plan,
) -> Tensor:
    """The best programs ``int64[T, B, P]`` of looking ahead for about so many seconds, but at least once.

    They are better than those in ``episodes``, which are overwritten, or the same.
    """
    best, highest = episodes.actions.clone(), simulator.score(episodes.canvas, episodes.goal)
    until = time.perf_counter() + seconds
    while True:
        begun = time.perf_counter()
        greedy_lookahead(renderer, simulator, proposer, episodes, generator)
        scores = simulator.score(episodes.canvas, episodes.goal)
        best = torch.where((scores > highest)[None, :, None], episodes.actions, best)
        highest = torch.maximum(scores, highest)
        if 2 * time.perf_counter() - begun > until:  # another look would take too long
            break
    return best
