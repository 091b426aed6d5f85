"""Drawing by search alone, without any learning: what every agent has to be better than.

    python experiments/random_search.py --data mnist --strokes 8 --tries 32

Notable choices:
- Proposals are those of ``limner.chance``. The best of ``tries`` is varied as often once more
  (``limner.search.improve``), and the better one is painted.
- The loop is the agents' own (``collect_improved``); only the proposals are not learnt.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import torch
import tyro

from limner.chance import Chance
from limner.config import Config
from limner.datasets import load_dataset
from limner.presets import PRESETS
from limner.reconstruction import fit, squared_error, structural_similarity
from limner.rollout import EpisodeBatch
from limner.search import Rehearsal, collect_improved


@dataclass(frozen=True)
class RandomSearch:
    """What to draw, and how hard to try."""

    data: str = "mnist"
    preset: str = "mnist-reconstruct"
    """Whose renderer is used."""
    pictures: int = 100
    """Of the test set, spread evenly through it."""
    strokes: int = 8
    tries: int = 32
    """Proposals for each stroke, and as many variations of the best."""
    threads: int = 1
    seed: int = 0


def main(arguments: RandomSearch) -> None:
    """Draw, and print one row of a table."""
    config: Config = replace(PRESETS[arguments.preset], steps=arguments.strokes, data=arguments.data)
    data = load_dataset(arguments.data, "test")
    stage = config.make_renderer(min(arguments.pictures, len(data)), arguments.threads)
    goals = fit(data.spread(stage.batch).pictures(stage.shape[0]), stage.shape[2])
    episodes = EpisodeBatch.empty(config, stage)
    episodes.aim(torch.from_numpy(goals))
    generator = torch.Generator().manual_seed(arguments.seed)
    started = time.process_time()
    proposals = Chance(stage.actions)
    collect_improved(stage, Rehearsal(stage, arguments.tries, arguments.threads), proposals, episodes, generator)
    seconds = (time.process_time() - started) / stage.batch
    drawn = stage.canvas()
    print("| data | strokes | tries | mse | ssim | CPU seconds a picture |\n|---|---|---|---|---|---|")
    figures = f"{squared_error(drawn, goals).mean():.4f} | {structural_similarity(drawn, goals).mean():.3f}"
    print(f"| {arguments.data} | {arguments.strokes} | {arguments.tries} | {figures} | {seconds:.2f} |")


if __name__ == "__main__":
    main(tyro.cli(RandomSearch, description=__doc__))
