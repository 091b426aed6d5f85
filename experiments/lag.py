"""What it costs to act with old weights: SPIRAL with batches that are a fixed number of updates old.

    python experiments/lag.py --threads 1 --out runs/lag
    python experiments/lag.py --lags 4 16 --seeds 0

``--max-lag`` bounds how old a batch may be when training on Ray; here every batch is exactly that old, which is the
worst that the bound permits, in one process, so that runs repeat. Three corrections are compared:

- ``none``: batches are taken for new ones; V-trace and the clipped ratio of PPO correct only for the gradient steps of
  the update itself.
- ``clipped``: both are about the policy that acted, as if it were the one at the start of the update.
- ``decoupled``: V-trace is about the policy that acted, the clipped ratio about the one at the start of the update, and
  an importance weight stands for the difference. This is what training does where the lag is more than one update.

With a lag of 0 all are the same.

Every run is an ordinary run folder: what is complete is not run again and what was interrupted goes on, so the table
can be printed at any time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
import tyro
from torch import Generator, Tensor

from limner.agents.rollout import EpisodeBatch
from limner.data.picture_source import PictureSource
from limner.models.policy import Policy
from limner.training import register
from limner.training.actor import Actor
from limner.training.actor_critic import EpisodeActor
from limner.training.part import prefixed, within
from limner.training.policy_gradient import PolicyGradient
from limner.training.policy_learner import Scalars
from limner.training.presets import PRESETS
from limner.training.progress import watch
from limner.training.run import train_once
from limner.training.spiral.config import SpiralConfig
from limner.training.spiral.trainer import SpiralTrainer
from limner.worlds.validation import check_fields

Correction = Literal["none", "clipped", "decoupled"]
CORRECTIONS: tuple[Correction, ...] = ("none", "clipped", "decoupled")
FIGURES = ("normalised_frechet", "precision", "coverage", "entropy", "empty")


@dataclass(frozen=True)
class LagConfig(SpiralConfig):
    """A run of SPIRAL whose actor is behind."""

    algorithm: ClassVar[str] = "lag"
    trainer: ClassVar[str] = f"{__name__}:LagTrainer"
    lag: int = 0
    """Updates between the weights that make a batch and its use."""
    correction: Correction = "decoupled"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fields(self, "", not_negative="lag")


class LateActor(EpisodeActor):
    """Acts with weights that were the newest some updates ago, or with the first ones."""

    config: LagConfig

    def __init__(self, config: LagConfig, source: PictureSource) -> None:
        super().__init__(config, source)
        self.versions: deque[dict[str, Tensor]] = deque(maxlen=config.lag + 1)

    def set_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Put these weights at the end of the line and act with those at its head."""
        self.versions.append({name: tensor.clone() for name, tensor in weights.items()})
        super().set_weights(self.versions[0])

    def tensors(self) -> dict[str, Tensor]:
        """The weights that wait."""
        return {
            name: tensor
            for i, weights in enumerate(self.versions)
            for name, tensor in prefixed(f"version.{i}", weights).items()
        }

    def load(self, tensors: Mapping[str, Tensor], counters: Mapping[str, float]) -> None:
        """As ``Part.load``."""
        saved = (within(tensors, f"version.{i}") for i in range(self.config.lag + 1))
        self.versions.clear()
        for weights in filter(None, saved):
            self.set_weights(weights)


class UncorrectedPolicyGradient(PolicyGradient):
    """Takes every batch for one that the newest policy has made."""

    def step(self, episodes: EpisodeBatch, *arguments: Any) -> Scalars:
        """As ``PolicyGradient.step``."""
        with torch.no_grad():
            newest = self.policy.evaluate(episodes.observations(), episodes.actions).log_prob
        return super().step(replace(episodes, log_prob=newest), *arguments)


class LagTrainer(SpiralTrainer):
    """SPIRAL whose actor is behind."""

    config: LagConfig
    actor_type: ClassVar[type[Actor]] = LateActor

    def __init__(self, config: LagConfig, source: PictureSource) -> None:
        super().__init__(config, source)
        self.runtime.lag = config.lag if config.correction == "decoupled" else 0

    def _make_learner(self, policy: Policy, generator: Generator) -> PolicyGradient:
        kind = UncorrectedPolicyGradient if self.config.correction == "none" else PolicyGradient
        return kind(policy, self.config.learning, generator)


register(LagConfig)


@dataclass(frozen=True)
class Comparison:
    """Several lags and corrections, from several seeds."""

    preset: Literal["mnist", "tiny"] = "mnist"
    data: str = "mnist"
    lags: tuple[int, ...] = (0, 1, 4, 16)
    corrections: tuple[Correction, ...] = CORRECTIONS
    seeds: tuple[int, ...] = (0, 1, 2)
    frames: int = 200_000
    threads: int = 2
    out: Path = Path("runs/lag")

    def config(self, lag: int, correction: Correction, seed: int) -> LagConfig:
        """The configuration of a run, which is evaluated once, at its end."""
        preset: Any = PRESETS[self.preset].config
        limits = {"frames": self.frames, "threads": self.threads, "keep": 1, "evaluate_every": self.frames}
        run = replace(preset.run, data=self.data, seed=seed, **limits)
        return LagConfig(**vars(replace(preset, run=run)), lag=lag, correction=correction)

    def run(self, lag: int, correction: Correction, seed: int) -> Mapping[str, Any]:
        """The last evaluation of a run."""
        config = self.config(lag, correction, seed)
        name = f"{lag}-{correction}-{seed}"
        with watch(config) as report:
            return train_once(config, self.out / name, report)


def main(comparison: Comparison) -> None:
    """Train what is missing, then print the table."""
    torch.set_num_threads(1)
    ways = [(lag, correction) for lag in comparison.lags for correction in comparison.corrections[: lag + 1]]
    runs = {way: [comparison.run(*way, seed) for seed in comparison.seeds] for way in ways}
    print(f"\n{comparison.preset}, {comparison.frames:,} frames, means of {len(comparison.seeds)} seeds\n")
    print(f"| lag | correction | {' | '.join(FIGURES)} | normalised_frechet of each |")
    print("|---" * (len(FIGURES) + 3) + "|")
    for (lag, correction), records in runs.items():
        means = " | ".join(f"{np.mean([record[f'eval/{figure}'] for record in records]):.3f}" for figure in FIGURES)
        each = ", ".join(f"{record['eval/normalised_frechet']:.3f}" for record in records)
        print(f"| {lag} | {correction if lag else ''} | {means} | {each} |")


if __name__ == "__main__":
    main(tyro.cli(Comparison, description=__doc__))
