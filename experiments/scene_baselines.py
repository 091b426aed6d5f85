"""An agent beside what parses scenes without learning: Metropolis-Hastings and random search, at equal renders.

    python experiments/scene_baselines.py --threads 2

- ``metropolis-hastings``: the baseline of Ganin et al. 2018 (section 5.4). The state is a scene of up to five objects;
  a proposal draws all parts of one object anew, whether there is one included (a block), and is accepted with the
  ratio of Gaussian likelihoods of the picture, variance 0.25 for each value in [0, 1]. The prior is uniform.
- ``greedy``: the same proposals, accepted when the picture is closer.
- ``random``: scenes drawn independently; the closest counts.
- ``agent``: what an agent draws, refined (``limner.worlds.scenes.refinement``).
- ``residual``: the same refinement of nothing, with residual proposals: what is left without what was learnt.

All see the same pictures, the first of the test scenes (``limner data make scenes`` makes the same ones, but is not
needed), and begin with the empty platform. The table gives the mean squared error, of the last state for the first way
and of the best for the others, after so many renders of each picture. The agent's are a mean (it spends none on what is
perfect), after the last sweep that was complete; looks at a scene and templates are renders too.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
import tyro

from limner.actions import IntArray
from limner.agents.agent import load_agent
from limner.agents.rollout import EpisodeBatch, collect
from limner.data.generated import SHARD
from limner.inference.draw import CANDIDATES
from limner.worlds import find_world
from limner.worlds.proposals import MixedProposals
from limner.worlds.scenes.examples import MOST, scatter, show, visible_scenes
from limner.worlds.scenes.refinement import ObjectRefinement
from limner.worlds.scenes.renderer import Scenes
from limner.worlds.scenes.settings import PLACE, SKIP, ScenesSettings
from limner.worlds.scenes.templates import templates
from limner.worlds.simulator import Simulator
from limner.worlds.world import Canvas

VARIANCE = 0.25
SHOWN = (100, 1_000, 3_000, 10_000)
"""Renders after which the error is noted."""
Way = Literal["agent", "residual", "metropolis-hastings", "greedy", "random"]


@dataclass(frozen=True)
class Baselines:
    """Which, and for how long."""

    ways: tuple[Way, ...] = get_args(Way)
    scenes: int = 100
    renders: int = 10_000
    seed: int = 0
    threads: int = 2
    agent: str = "scenes"


def squared_error(pictures: Canvas, goals: Canvas) -> np.ndarray:
    """Sum over all values in [0, 1]: ``float64[N]``."""
    apart = (pictures.astype(np.float32) - goals) / 255
    total: np.ndarray = np.square(apart).sum((1, 2, 3), np.float64)
    return total


def propose(rng: np.random.Generator, scenes: IntArray, renderer: Scenes) -> IntArray:
    """The scenes, one object of each drawn anew."""
    proposed = scenes.copy()
    objects = rng.integers(0, renderer.actions.sizes, (len(scenes), len(renderer.actions)))
    objects[:, 0] = np.where(rng.random(len(scenes)) < 0.5, PLACE, SKIP)
    proposed[np.arange(len(scenes)), rng.integers(0, MOST, len(scenes))] = objects
    return proposed


def search(way: Way, goals: Canvas, given: Baselines) -> list[tuple[int, float]]:
    """Mean squared error after so many renders, at a few times."""
    rng = np.random.default_rng(given.seed)
    renderer = Scenes(batch=len(goals), threads=given.threads)
    scenes = np.zeros((len(goals), MOST, len(renderer.actions)), np.int64)
    scenes[..., 0] = SKIP
    error = squared_error(show(renderer, scenes), goals)
    curve = []
    for render in range(1, given.renders + 1):
        objects = rng.integers(1, MOST + 1, len(goals))
        proposed = scatter(rng, objects) if way == "random" else propose(rng, scenes, renderer)
        now = squared_error(show(renderer, proposed), goals)
        gain = (error - now) / (2 * VARIANCE)
        taken = np.log(rng.random(len(goals))) < gain if way == "metropolis-hastings" else gain > 0
        scenes, error = np.where(taken[:, None, None], proposed, scenes), np.where(taken, now, error)
        if render in (*SHOWN, given.renders):
            curve.append((render, float(error.mean() / goals[0].size)))
    return curve


class CountedScenes(Scenes):
    """Scenes that count the pictures taken of all of them."""

    taken = 0

    def _render(self, scenes: list[IntArray]) -> Canvas:
        CountedScenes.taken += len(scenes)
        return super()._render(scenes)

    def additions(self, goals: Canvas, count: int) -> IntArray:
        """A look at each is a render."""
        CountedScenes.taken += len(goals)
        return super().additions(goals, count)


def parse(way: Way, goals: Canvas, given: Baselines) -> list[tuple[int, float]]:
    """The same for the agent, or for residual proposals in its place."""
    agent, generator = load_agent(given.agent), torch.Generator().manual_seed(given.seed)
    CountedScenes.taken = 0
    renderer = CountedScenes(batch=len(goals), threads=given.threads)
    episodes = EpisodeBatch.empty(agent.config, renderer)
    episodes.aim(torch.from_numpy(goals))
    collect(renderer, agent.policy, episodes, generator, agent.config.temperature)
    curve = [(CountedScenes.taken // len(goals), episodes.distance[-1].mean().item())]
    residual = find_world("scenes").proposals(renderer.actions)
    actions, proposer = episodes.actions, residual
    if way == "agent":
        proposer = MixedProposals(agent.policy, residual)
    else:
        actions[:] = torch.tensor([SKIP, *[0] * (len(renderer.actions) - 1)])
        curve = []
    CountedScenes.taken += len(templates(ScenesSettings()).objects)
    simulator = Simulator(renderer, CANDIDATES, given.threads)
    simulator.renderer = CountedScenes(batch=CANDIDATES * len(goals), threads=given.threads)
    refinement = ObjectRefinement(renderer, simulator, episodes.targets, actions, proposer)
    for limit in (renders for renders in SHOWN if renders <= given.renders):
        while True:
            before = CountedScenes.taken / len(goals), abs(refinement.scores.mean().item())
            if refinement.finished.all():
                break
            refinement.sweep(generator)
            if CountedScenes.taken > limit * len(goals):
                break
        curve.append((int(before[0]), before[1]))
    return curve


def main(given: Baselines) -> None:
    """Print the table."""
    rng = np.random.default_rng([0, 1, 0])
    goals = visible_scenes(rng, SHARD, given.threads)[0][: given.scenes]
    empty = squared_error(Scenes(batch=len(goals)).canvas(), goals).mean()
    print(f"{given.scenes} scenes, the empty platform is at {empty / goals[0].size:.5f}")
    for way in given.ways:
        start = time.perf_counter()
        curve = (parse if way in ("agent", "residual") else search)(way, goals, given)
        figures = ", ".join(f"{error:.5f} after {renders:,}" for renders, error in curve)
        print(f"{way}: {figures} ({time.perf_counter() - start:.0f} s)", flush=True)


if __name__ == "__main__":
    main(tyro.cli(Baselines, description=__doc__))
