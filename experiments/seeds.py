"""Train the same configuration from several seeds, one after the other, and tabulate where each ends.

    python experiments/seeds.py --threads 1 --out runs/seeds
    python experiments/seeds.py --updates preset --without kl-average --frames 153600 --out runs/without-kl-average

Notable choices:
- Every seed is an ordinary run folder; a seed that is already complete is not run again, so the table can be printed
  at any time and an interrupted series continues.
- Small updates, with a quarter of the preset's episodes and half of its critic steps, take nearly twice as long for as
  many frames and get further with them.
- ``--without`` names one of the parts that keep training stable and leaves it out: the ablation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import tyro

from limner.training.presets import PRESETS
from limner.training.progress import watch
from limner.training.run import train_once
from limner.training.spiral.config import SpiralConfig

Part = Literal["nothing", "kl-average", "advantage-floor", "entropy-floor", "replay", "differences", "clip"]

FIGURES = (
    "frechet", "normalised_frechet", "precision", "coverage",
    "plain_normalised_frechet", "plain_precision", "plain_coverage", "entropy", "empty",
)  # fmt: skip


@dataclass(frozen=True)
class Series:
    """Several seeds of one configuration."""

    preset: Literal["mnist", "tiny"] = "mnist"
    data: str = "mnist"
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    frames: int = 1_500_000
    threads: int = 2
    updates: Literal["small", "preset"] = "small"
    without: Part = "nothing"
    out: Path = Path("runs/seeds")

    def config(self, seed: int) -> SpiralConfig:
        """The configuration of one seed."""
        config = PRESETS[self.preset].config
        assert isinstance(config, SpiralConfig)
        run = replace(config.run, data=self.data, seed=seed, frames=self.frames, threads=self.threads, keep=1)
        learning, critic, reward = config.learning, config.critic, config.reward
        if self.updates == "small":
            every = 4 * run.evaluate_every
            run = replace(run, episodes=run.episodes // 4, evaluate_every=every, checkpoint_every=every)
            learning = replace(learning, final_entropy_cost=0.15)
            critic = replace(critic, steps_per_update=-(-critic.steps_per_update // 2))
        match self.without:
            case "kl-average":
                learning = replace(learning, kl_average_cost=0.0)
            case "advantage-floor":
                learning = replace(learning, advantage_floor=1e-6)
            case "entropy-floor":
                learning = replace(learning, entropy_floor=0.0)
            case "clip":
                learning = replace(learning, clip=None)
            case "replay":
                critic = replace(critic, replay=1)
            case "differences":
                reward = replace(reward, form="final")
        return replace(config, run=run, learning=learning, critic=critic, reward=reward)


def figures(row: Mapping[str, Any]) -> str:
    """The cells of one row."""
    return " | ".join(f"{row[name]:.3f}" for name in FIGURES)


def main(series: Series) -> None:
    """Run what is missing, then print the table."""
    rows = []
    for seed in series.seeds:
        config = series.config(seed)
        with watch(config) as report:
            rows.append((seed, train_once(config, series.out / str(seed), report)))
    reference = json.loads((series.out / str(series.seeds[0]) / "reference.json").read_text())
    print(f"\nwithout {series.without}, {series.frames:,} frames, {series.threads} threads\n")
    print(f"| seed | frames | minutes | {' | '.join(FIGURES)} |")
    print("|---" * (len(FIGURES) + 3) + "|")
    for name in ("real", "random"):
        print(f"| {name} | | | {figures(reference[name])} |")
    for seed, record in rows:
        drawn = {key.removeprefix("eval/"): value for key, value in record.items()}
        print(f"| {seed} | {record['frames']:,} | {record['minutes']:.1f} | {figures(drawn)} |")


if __name__ == "__main__":
    main(tyro.cli(Series, description=__doc__))
