"""Drawing by search alone, without any learning: what every agent has to be better than.

    python experiments/random_search.py --data mnist --strokes 8 --candidates 32

Notable choices:
- Proposals are those of the world. Of the best of ``candidates`` as many perturbations are tried
  (``limner.search.lookahead``), and the best of all is painted.
- The loop is that of agents (``greedy_lookahead``); only the proposals are not learnt.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import torch
import tyro

from limner.agents.rollout import EpisodeBatch
from limner.data import load_dataset
from limner.data.resize import match_channels
from limner.metrics.reconstruction import squared_error, structural_similarity
from limner.search.lookahead import greedy_lookahead
from limner.training.presets import PRESETS
from limner.worlds.simulator import Simulator


@dataclass(frozen=True)
class RandomSearch:
    """What to draw, and how hard to try."""

    data: str = "mnist"
    preset: str = "mnist-reconstruct"
    """Whose renderer is used."""
    pictures: int = 100
    """Of the test set, spread evenly through it."""
    strokes: int = 8
    candidates: int = 32
    """Proposals for each stroke, and as many perturbations of the best."""
    threads: int = 1
    seed: int = 0


def main(arguments: RandomSearch) -> None:
    """Draw, and print one row of a table."""
    agent = replace(PRESETS[arguments.preset].config.agent, horizon=arguments.strokes)
    data = load_dataset(arguments.data, "test")
    renderer = agent.make_renderer(min(arguments.pictures, len(data)), arguments.threads)
    goals = match_channels(data.spread(renderer.batch).pictures(renderer.shape[0]), renderer.shape[2])
    episodes = EpisodeBatch.empty(agent, renderer)
    episodes.aim(torch.from_numpy(goals))
    generator = torch.Generator().manual_seed(arguments.seed)
    started = time.process_time()
    simulator = Simulator(renderer, arguments.candidates, arguments.threads)
    greedy_lookahead(renderer, simulator, agent.world.proposals(renderer.actions), episodes, generator)
    seconds = (time.process_time() - started) / renderer.batch
    drawn = renderer.canvas()
    print("| data | strokes | candidates | mse | ssim | CPU seconds a picture |\n|---|---|---|---|---|---|")
    figures = f"{squared_error(drawn, goals).mean():.4f} | {structural_similarity(drawn, goals).mean():.3f}"
    print(f"| {arguments.data} | {arguments.strokes} | {arguments.candidates} | {figures} | {seconds:.2f} |")


if __name__ == "__main__":
    main(tyro.cli(RandomSearch, description=__doc__))
