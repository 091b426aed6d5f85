"""What search makes of a given time: lookahead, refinement, and both without an agent.

    OMP_NUM_THREADS=1 python experiments/search_budgets.py --agent runs/reconstruct --pictures 24 --budgets .1 .3 1

Notable choices:
- Seconds are of CPU time, so that other work on the machine does not change the table.
- Every row draws in batches of as many pictures as ``limner evaluate`` does, with as many candidates.
- "and refinement": a third of the time goes to lookahead, as with ``--plan greedy``.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
import tyro

from limner.agents.agent import Agent, load_agent
from limner.agents.rollout import EpisodeBatch, collect
from limner.data import Pictures, load_dataset
from limner.data.resize import match_channels
from limner.inference.draw import CANDIDATES, SEARCHED, look_ahead
from limner.metrics.reconstruction import squared_error
from limner.worlds.proposals import Proposer
from limner.worlds.refinement import Budget
from limner.worlds.simulator import Simulator


@dataclass(frozen=True)
class SearchBudgets:
    """What to draw, and how long."""

    agent: str
    """Name of an agent that comes with Limner, or folder of a run or checkpoint."""
    data: str = "mnist"
    pictures: int = 24
    """Of the test set, spread evenly through it."""
    budgets: tuple[float, ...] = (0.1, 0.3, 1.0)
    """CPU seconds for each picture."""
    seed: int = 0


@dataclass(frozen=True)
class Way:
    """A way to spend the time."""

    name: str
    ahead: float
    """Share of the time for lookahead; the rest is for refinement."""
    learnt: bool = True
    """Whether the agent proposes, or nothing that was learnt."""

    def draw(self, agent: Agent, goals: Pictures, seconds: float, seed: int) -> float:
        """The mean squared error of ``goals`` ``uint8[N, H, W, C]``, a batch, with so many seconds for all of them."""
        begun = time.process_time()
        world = agent.config.world
        renderer, generator = agent.config.make_renderer(len(goals)), torch.Generator().manual_seed(seed)
        episodes = EpisodeBatch.empty(agent.config, renderer)
        episodes.aim(torch.from_numpy(goals))
        proposer: Proposer = agent.policy if self.learnt else world.proposals(renderer.actions)
        if self.learnt:
            collect(renderer, agent.policy, episodes, generator, agent.config.temperature)
        else:
            episodes.canvas.fill_(255)  # worse than what any search finds
        simulator, actions = Simulator(renderer, CANDIDATES, 1), episodes.actions
        if self.ahead:
            actions = look_ahead(renderer, simulator, proposer, episodes, generator, self.ahead * seconds)
        refinement = world.refinement(renderer)(renderer, simulator, episodes.targets, actions, proposer)
        if self.ahead < 1:
            refinement.run(Budget(seconds - (time.process_time() - begun)), generator)
        return float(squared_error(refinement.canvas.numpy(), goals).mean())


WAYS = [
    Way("not learnt: lookahead", 1, learnt=False),
    Way("not learnt: lookahead and refinement", 1 / 3, learnt=False),
    Way("lookahead", 1),
    Way("refinement", 0),
    Way("lookahead and refinement", 1 / 3),
]


def main(arguments: SearchBudgets) -> None:
    """Print the table."""
    torch.set_num_threads(1)
    time.perf_counter = time.process_time
    agent, data = load_agent(arguments.agent), load_dataset(arguments.data, "test").spread(arguments.pictures)
    shape = agent.config.make_renderer(1).shape
    goals = match_channels(data.pictures(shape[0]), shape[2])
    batches = [np.ascontiguousarray(goals[i : i + SEARCHED]) for i in range(0, len(goals), SEARCHED)]
    print("| mean squared error after seconds a picture |", *(f" {budget:g} |" for budget in arguments.budgets), sep="")
    print("|---|" + "---|" * len(arguments.budgets))
    for way in WAYS:
        print(f"| {way.name} |", end="", flush=True)
        for budget in arguments.budgets:
            errors = [way.draw(agent, part, budget * len(part), arguments.seed + i) for i, part in enumerate(batches)]
            error = np.average(errors, weights=[len(part) for part in batches])
            print(f" {error:.4f} |", end="", flush=True)
        print()


if __name__ == "__main__":
    main(tyro.cli(SearchBudgets, description=__doc__))
