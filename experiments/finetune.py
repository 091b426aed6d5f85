"""What a critic adds to an agent that has imitated programs, against more imitation, in equal time.

    python experiments/finetune.py --data mnist-5k --threads 2 --out runs/finetune
    python experiments/finetune.py --ways imitation critic wasserstein --seeds 0

- ``imitation``: the preset ``mnist-prior`` goes on.
- ``critic``: the preset ``mnist-finetune`` with a critic of pixels.
- ``encoder``: the preset ``mnist-finetune``, whose critic is given features of an encoder.
- ``wasserstein``: the same as ``critic`` with the loss of SPIRAL.
- ``one-candidate``: the same as ``critic`` with advantages from the value in place of other candidates.
- ``held``: the same as ``critic``, held to the averaged policy as the preset ``mnist`` is.

Notable choices:
- Each seed has a start of its own, the preset ``mnist-prior`` for ``start_minutes``, which all ways go on from.
- Drawings are made at temperature 1, where they show what an agent knows: a low temperature trades coverage for
  precision after the fact. The second row of an agent is drawn as the preset ``mnist-prior`` draws.
- Every run is an ordinary run folder; what is complete is not run again and what was interrupted goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import tyro

from limner.agents.agent import load_agent
from limner.inference.evaluate import generation_reference
from limner.inference.sample import sample
from limner.metrics.generation import Reference, evaluate_pictures
from limner.training.config import TrainingConfig
from limner.training.presets import PRESETS
from limner.training.progress import watch
from limner.training.run import train_once

Way = Literal["imitation", "critic", "encoder", "wasserstein", "one-candidate", "held"]
FIGURES = ("precision", "coverage", "normalised_frechet", "entropy")


@dataclass(frozen=True)
class Comparison:
    """Which ways, from which seeds, and how long."""

    ways: tuple[Way, ...] = ("imitation", "critic")
    seeds: tuple[int, ...] = (0, 1, 2)
    data: str = "mnist-5k"
    start_minutes: float = 5.0
    minutes: float = 10.0
    threads: int = 2
    out: Path = Path("runs/finetune")

    def start(self, seed: int) -> TrainingConfig:
        """The run that all ways go on from."""
        return self._timed(PRESETS["mnist-prior"].config, seed, "", self.start_minutes)

    def config(self, way: Way, seed: int) -> TrainingConfig:
        """The run of a way."""
        start: Any = PRESETS["mnist-prior"].config
        config: Any = start if way == "imitation" else PRESETS["mnist-finetune"].config
        config = self._timed(replace(config, agent=start.agent), seed, str(self.folder("start", seed)), self.minutes)
        if way in ("imitation", "encoder"):
            return config
        config = replace(config, critic=replace(config.critic, encoder="none", gradient_penalty=0.2))
        match way:
            case "wasserstein":
                critic = replace(config.critic, loss="wasserstein", gradient_penalty=10.0)
                return replace(config, critic=critic)
            case "one-candidate":
                return replace(config, learning=replace(config.learning, candidates=1, advantage_floor=0.2))
            case "held":
                return replace(config, learning=replace(config.learning, kl_average_cost=1.0, ema_decay=0.97))
        return config

    def folder(self, name: str, seed: int) -> Path:
        """Where a run is."""
        return self.out / f"{name}-{seed}"

    def _timed(self, config: Any, seed: int, start: str, minutes: float) -> Any:
        run = replace(config.run, data=self.data, seed=seed, start=start, minutes=minutes, threads=self.threads)
        return replace(config, run=run)


def rows(folder: Path, reference: Reference) -> Iterator[list[float]]:
    """The figures of the agent in a folder, at temperature 1 and as the preset ``mnist-prior`` draws."""
    agent, cold = load_agent(str(folder)), PRESETS["mnist-prior"].config.agent
    for temperatures in ((1.0, 1.0), (cold.temperature, cold.first_action_temperature)):
        canvases, _ = sample(agent, reference.count, 0, *temperatures)
        figures = asdict(evaluate_pictures(canvases, reference))
        yield [figures[name] for name in FIGURES]


def main(comparison: Comparison) -> None:
    """Train what is missing, then print the table."""
    torch.set_num_threads(1)
    names: list[Any] = ["start", *comparison.ways]
    for seed in comparison.seeds:
        for name in names:
            config = comparison.start(seed) if name == "start" else comparison.config(name, seed)
            with watch(config) as report:
                train_once(config, comparison.folder(name, seed), report)
    reference = generation_reference(PRESETS["mnist-prior"].config.agent, comparison.data)
    titles = [f"{name} ({how})" for how in ("temperature 1", "cold") for name in FIGURES]
    print(f"\n| way | seed | {' | '.join(titles)} |\n{'|---' * (len(titles) + 2)}|")
    for name in names:
        found = []
        for seed in comparison.seeds:
            found.append([figure for row in rows(comparison.folder(name, seed), reference) for figure in row])
            print(f"| {name} | {seed} | {' | '.join(f'{figure:.3f}' for figure in found[-1])} |", flush=True)
        print(f"| {name}, mean | | {' | '.join(f'{figure:.3f}' for figure in np.mean(found, axis=0))} |", flush=True)


if __name__ == "__main__":
    main(tyro.cli(Comparison, description=__doc__))
