"""Long episodes: a critic's score of every canvas as reward, or of the finished picture alone.

    python experiments/long_episodes.py --horizon 100 --frames 300000 --threads 1 --out runs/long-episodes

- ``differences``: an action is paid what it adds to the score of the canvas (Mellor et al. 2019, section 3.2, "temporal
  credit assignment"), with the discount of the preset ``omniglot-spiral``.
- ``final``: the score of the finished picture, not discounted (Ganin et al. 2018, section 3.1).

The second is said to teach only the last 15 to 60 actions of an episode. The table shows after how many actions the
drawings are how far from their targets: mean squared error of the averaged policy on test pictures. Every run is an
ordinary run folder; what is complete is not run again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
import tyro

from limner.agents.agent import load_agent
from limner.agents.rollout import collect
from limner.data import load_dataset
from limner.training.evaluation import ReconstructionEvaluation
from limner.training.presets import PRESETS
from limner.training.progress import watch
from limner.training.run import train_once
from limner.training.spiral.config import SpiralConfig

Way = Literal["differences", "final"]
COUNTS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
"""Of actions, in the table, beside none and all."""


@dataclass(frozen=True)
class Comparison:
    """Which ways, from which seeds, and how long."""

    ways: tuple[Way, ...] = ("differences", "final")
    seeds: tuple[int, ...] = (0,)
    horizon: int = 100
    episodes: int = 16
    """Per update."""
    frames: int = 300_000
    data: str = "omniglot"
    threads: int = 2
    pictures: int = 256
    """Of the test set."""
    out: Path = Path("runs/long-episodes")

    def config(self, way: Way, seed: int) -> SpiralConfig:
        """The run of a way."""
        config = PRESETS["omniglot-spiral"].config
        assert isinstance(config, SpiralConfig)
        run = replace(
            config.run, data=self.data, seed=seed, episodes=self.episodes, frames=self.frames, threads=self.threads
        )
        config = replace(config, agent=replace(config.agent, horizon=self.horizon), run=run)
        if way == "final":
            learning = replace(config.learning, discount=1.0, gae_lambda=1.0)
            config = replace(config, reward=replace(config.reward, form="final"), learning=learning)
        return config


def errors(folder: Path, config: SpiralConfig, count: int) -> list[float]:
    """Mean squared errors of values in [0, 1], before the first action of a run's agent and after each."""
    evaluation = ReconstructionEvaluation(config, load_dataset(config.run.data, "test"), count)
    policy, generator = load_agent(str(folder)).policy, torch.Generator().manual_seed(0)
    collect(evaluation.renderer, policy, evaluation.episodes, generator, config.agent.temperature)
    return evaluation.episodes.distance.mean(1).tolist()


def main(comparison: Comparison) -> None:
    """Train what is missing, then print the table."""
    torch.set_num_threads(1)
    counts = [0, *(count for count in COUNTS if count < comparison.horizon), comparison.horizon]
    rows = []
    for seed in comparison.seeds:
        for way in comparison.ways:
            folder = comparison.out / f"{way}-{seed}"
            config = comparison.config(way, seed)
            with watch(config) as report:
                train_once(config, folder, report)
            found = errors(folder, config, comparison.pictures)
            rows.append(f"| {way} | {seed} | {' | '.join(f'{found[count]:.4f}' for count in counts)} |")
    print(f"\n| reward | seed | {' | '.join(map(str, counts))} |\n{'|---' * (len(counts) + 2)}|")
    print("\n".join(rows))


if __name__ == "__main__":
    main(tyro.cli(Comparison, description=__doc__))
