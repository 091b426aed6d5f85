"""A population against the same compute without one: one run that is as many times as long, and the best of its seeds.

    python experiments/population.py --data mnist --threads 1 --out runs/population
    python experiments/population.py --members 8 --frames 150000 --seeds 0

Notable choices:
- All four ways take ``members`` × ``frames`` environment steps. The single runs have the preset's own settings.
- The best member, and the best of several seeds, are the best by the last evaluation, whose figures are then in the
  table. All are evaluated with the same noise.
- Every run is an ordinary run folder, and a population an ordinary population: what is complete is not run again and
  what was interrupted goes on, so the table can be printed at any time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tyro

from limner.cli.files import write_history
from limner.training.config import TrainingConfig
from limner.training.population.history import is_population
from limner.training.population.members import folder_of
from limner.training.population.run import resume_population, train_population
from limner.training.population.settings import PopulationConfig
from limner.training.presets import PRESETS
from limner.training.progress import watch
from limner.training.run import last_evaluation, train_once

FIGURES = ("normalised_frechet", "precision", "coverage", "entropy", "empty")


@dataclass(frozen=True)
class Comparison:
    """How many members, how long, from which seeds."""

    preset: Literal["mnist", "tiny"] = "mnist"
    data: str = "mnist"
    members: int = 4
    frames: int = 300_000
    """Environment steps of each member."""
    seeds: tuple[int, ...] = (0, 1, 2)
    threads: int = 2
    out: Path = Path("runs/population")

    def config(self, seed: int, times: int = 1) -> TrainingConfig:
        """A run of ``times`` the frames, evaluated with the noise that is common to all."""
        config = PRESETS[self.preset].config
        run = replace(config.run, data=self.data, seed=seed, frames=self.frames * times, threads=self.threads)
        return replace(config, run=replace(run, evaluation_seed=self.first(seed)))

    def first(self, seed: int) -> int:
        """The first seed of the group that a run's seed is in."""
        return seed // 100 * 100


def single(comparison: Comparison, seed: int, times: int, name: str) -> Mapping[str, Any]:
    """The last evaluation of one run."""
    config = comparison.config(seed, times)
    with watch(config) as report:
        return train_once(config, comparison.out / f"{name}-{seed}", report)


def population(comparison: Comparison, seed: int, shared_critic: bool = False) -> Mapping[str, Any]:
    """The last evaluation of the best member."""
    name = "shared" if shared_critic else "population"
    folder, config = comparison.out / f"{name}-{seed}", comparison.config(seed)
    with watch(config) as report:
        if is_population(folder):
            done = resume_population(folder, report=report, after_round=write_history)
        else:
            settings = PopulationConfig(comparison.members, shared_critic=shared_critic, seed=seed)
            done = train_population(config, settings, folder, report, write_history)
    if not done:
        raise KeyboardInterrupt
    records = [last_evaluation(folder_of(folder, member)) for member in range(comparison.members)]
    return best_of([record for record in records if record is not None])


def best_of(records: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The evaluation with the lowest normalised Fréchet distance."""
    return min(records, key=lambda record: float(record["eval/normalised_frechet"]))


def main(comparison: Comparison) -> None:
    """Train what is missing, then print the table."""
    members = comparison.members
    names = f"population of {members}", f"population of {members}, shared critic", "one long run", "best seed"
    ways: dict[str, list[Mapping[str, Any]]] = {name: [] for name in names}
    for number in comparison.seeds:
        seed = number * 100
        runs = [single(comparison, seed + i, 1, "seed") for i in range(members)]
        populations = [population(comparison, seed, shared_critic) for shared_critic in (False, True)]
        found = *populations, single(comparison, seed, members, "long"), best_of(runs)
        for rows, record in zip(ways.values(), found, strict=True):
            rows.append(record)
    print(f"\n{comparison.preset}, {members} × {comparison.frames:,} frames, means of {len(comparison.seeds)} seeds\n")
    print(f"| way | {' | '.join(FIGURES)} | normalised_frechet of each |")
    print("|---" * (len(FIGURES) + 2) + "|")
    for name, rows in ways.items():
        means = " | ".join(f"{np.mean([row[f'eval/{figure}'] for row in rows]):.3f}" for figure in FIGURES)
        each = ", ".join(f"{row['eval/normalised_frechet']:.3f}" for row in rows)
        print(f"| {name} | {means} | {each} |")


if __name__ == "__main__":
    main(tyro.cli(Comparison, description=__doc__))
