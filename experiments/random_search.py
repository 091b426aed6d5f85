"""Drawing by search alone, without any learning: what every agent has to be better than.

    python experiments/random_search.py --data mnist --strokes 8 --tries 32

Notable choices:
- Proposals start where most is missing and stay near there; sizes and pressures are uniform, colours are those of the
  target where the stroke starts. The best of ``tries`` is varied as often once more
  (``limner.search.improve``), and the better one is painted.
- The loop is the agents' own (``collect_improved``); only the proposals are not learnt.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import torch
import tyro

from limner.actions import ActionSpace
from limner.config import Config
from limner.datasets import load_dataset
from limner.networks.observation import Observation
from limner.networks.policy import Acted, Memory
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


class Proposals:
    """Takes the place of a policy."""

    def __init__(self, space: ActionSpace) -> None:
        self.space = space

    def act(
        self,
        observation: Observation,
        memory: Memory | None,
        generator: torch.Generator,
        temperature: float = 1.0,
        count: int = 1,
    ) -> Acted:
        """``count`` random actions for each canvas, ``int64[N · count, P]``."""
        missing = (observation.target - observation.ink).abs().mean(1)
        batch, side, _ = missing.shape
        where = torch.multinomial(missing.flatten(1).square() + 1e-9, count, replacement=True, generator=generator)
        centre = torch.stack([where // side, where % side]).flatten(1) / side + 0.5 / side
        actions = torch.stack([torch.randint(n, (batch * count,), generator=generator) for n in self.space.sizes], -1)
        reach = 0.0
        for i, part in enumerate(self.space.parts):
            if part.grid is not None:
                place = centre + reach * torch.randn(centre.shape, generator=generator)
                row, column = ((place[k] * part.grid[k]).long().clamp(0, part.grid[k] - 1) for k in (0, 1))
                actions[:, i] = row * part.grid[1] + column
                reach = 0.12
            elif part.name in ("red", "green", "blue"):
                channel = ("red", "green", "blue").index(part.name)
                ink = observation.target[:, channel].flatten(1).gather(1, where).flatten()
                actions[:, i] = ((1 - ink) * (part.size - 1)).round().long()
        return Acted(actions, torch.zeros(batch * count), memory)


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
    proposals = Proposals(stage.actions)
    collect_improved(stage, Rehearsal(stage, arguments.tries, arguments.threads), proposals, episodes, generator, 1.0)
    seconds = (time.process_time() - started) / stage.batch
    drawn = stage.canvas()
    print("| data | strokes | tries | mse | ssim | CPU seconds a picture |\n|---|---|---|---|---|---|")
    figures = f"{squared_error(drawn, goals).mean():.4f} | {structural_similarity(drawn, goals).mean():.3f}"
    print(f"| {arguments.data} | {arguments.strokes} | {arguments.tries} | {figures} | {seconds:.2f} |")


if __name__ == "__main__":
    main(tyro.cli(RandomSearch, description=__doc__))
