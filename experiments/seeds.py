"""Train the same configuration from several seeds, one after the other, and tabulate where each ends.

    python experiments/seeds.py --threads 1 --out runs/seeds
    python experiments/seeds.py --updates preset --without anchor --frames 200000 --out runs/ablation-anchor

Notable choices:
- Every seed is an ordinary run folder; a seed that is already complete is not run again, so the table can be printed
  at any time and an interrupted series continues.
- Small updates, with a quarter of the preset's pictures and half of its critic steps, take nearly twice as long for as
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

from limner.training.config import Config
from limner.training.presets import PRESETS
from limner.training.progress import watch
from limner.training.run import train

Part = Literal["nothing", "anchor", "advantage-floor", "entropy-floor", "replay", "differences", "clip"]


FIGURES = (
    "frechet", "share", "precision", "coverage", "plain_share", "plain_precision", "plain_coverage", "entropy", "empty",
)  # fmt: skip


@dataclass(frozen=True)
class Series:
    """Several seeds of one configuration."""

    preset: str = "mnist"
    data: str = "mnist"
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    frames: int = 1_500_000
    threads: int = 2
    updates: Literal["small", "preset"] = "small"
    without: Part = "nothing"
    out: Path = Path("runs/seeds")

    def config(self, seed: int) -> Config:
        """The configuration of one seed."""
        config = replace(
            PRESETS[self.preset], data=self.data, seed=seed, frames=self.frames, threads=self.threads, keep=1
        )
        learning, critic, reward = config.learning, config.critic, config.reward
        if self.updates == "small":
            every = 4 * config.evaluate_every
            config = replace(config, batch=config.batch // 4, evaluate_every=every, checkpoint_every=every)
            learning, critic = replace(learning, final_entropy_cost=0.15), replace(critic, steps=-(-critic.steps // 2))
        match self.without:
            case "anchor":
                learning = replace(learning, anchor_cost=0.0)
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
        return replace(config, learning=learning, critic=critic, reward=reward)


def figures(row: Mapping[str, Any]) -> str:
    """The cells of one row."""
    return " | ".join(f"{row[name]:.3f}" for name in FIGURES)


def last_evaluation(folder: Path) -> dict[str, float] | None:
    """The last evaluation in the log of the run in ``folder``."""
    path = folder / "log.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return next((record for record in reversed(records) if "eval/seconds" in record), None)


def finish(config: Config, folder: Path) -> dict[str, float]:
    """The last evaluation of a run of ``config`` in ``folder``, which is started or continued if need be."""
    record = last_evaluation(folder)
    limit = config.minutes or float("inf")
    if record is None or (record["frames"] < config.frames and record["minutes"] < limit):
        with watch(config) as report:
            if not train(config, folder, resume=(folder / "checkpoints").exists(), report=report):
                raise SystemExit(130)
        record = last_evaluation(folder)
        assert record is not None
    return record


def main(series: Series) -> None:
    """Run what is missing, then print the table."""
    rows = [(seed, finish(series.config(seed), series.out / str(seed))) for seed in series.seeds]
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
    main(tyro.cli(Series))
