"""A critic that judges the program beside the picture against one that sees the picture alone, from the same prior.

    limner parse mnist --agent runs/rec --search 0.5 --out programs.jsonl
    limner train mnist-reconstruct --no-conditional --imitation.teacher agent --imitation.agent runs/rec \\
        --learning.entropy-cost 0 --temperature 0.8 --out runs/prior
    python experiments/joint_critic.py --start runs/prior --programs programs.jsonl --out runs/joint-critic

Notable choices:
- Both are trained as ``compare.py generators`` trains after likelihood, held near the prior: they differ in
  ``critic.programs`` alone, and the same seed paints the same first episodes.
- Equal frames; minutes stand in the table. Every run is an ordinary folder, and one that is complete is not run again.
- The first row is the prior itself, measured as the runs are and with the seed of the first.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import tyro
from compare import polish
from seeds import FIGURES, figures, finish

from limner.agents.agent import load_agent
from limner.data import load_dataset
from limner.data.picture_source import PictureSource
from limner.training.config import Config
from limner.training.presets import PRESETS
from limner.training.run import Record, make_evaluation
from limner.training.spiral.trainer import Adversarial


@dataclass(frozen=True)
class Comparison:
    """Both critics, from several seeds."""

    start: str
    """The prior: an agent without targets, by its name or folder."""
    programs: Path
    """Programs of the pictures of ``data``, as ``limner parse`` writes them."""
    preset: str = "mnist"
    data: str = "mnist"
    seeds: tuple[int, ...] = (0, 1, 2)
    frames: int = 500_000
    threads: int = 2
    out: Path = Path("runs/joint-critic")

    def config(self, seed: int, joint: bool) -> Config:
        """The configuration of one run."""
        prior, preset = load_agent(self.start).config, PRESETS[self.preset]
        config = polish(preset, prior)
        return replace(
            config,
            data=self.data,
            start=self.start,
            seed=seed,
            frames=self.frames,
            threads=self.threads,
            keep=1,
            critic=replace(config.critic, programs=str(self.programs) if joint else ""),
        )


def measure_start(config: Config) -> Record:
    """The figures of the agent that a run of ``config`` starts from."""
    train_data, test_data = load_dataset(config.data, "train"), load_dataset(config.data, "test")
    training = Adversarial(config, PictureSource(train_data, config.renderer.canvas))
    training.start_from(load_agent(config.start).policy)
    return make_evaluation(config, train_data, test_data).measure(training)


def main(comparison: Comparison) -> None:
    """Run what is missing, then print the table."""
    torch.set_num_threads(1)
    rows = [("prior", "", "", "", measure_start(comparison.config(comparison.seeds[0], joint=False)))]
    for seed in comparison.seeds:
        for kind in ("picture", "joint"):
            record = finish(comparison.config(seed, kind == "joint"), comparison.out / f"{kind}-{seed}")
            rows.append((kind, str(seed), f"{record['frames']:,}", f"{record['minutes']:.1f}", record))
    reference = json.loads((comparison.out / f"picture-{comparison.seeds[0]}" / "reference.json").read_text())
    print(f"\n| critic | seed | frames | minutes | {' | '.join(FIGURES)} |")
    print("|---" * (len(FIGURES) + 4) + "|")
    for name in ("real", "random"):
        print(f"| {name} | | | | {figures(reference[name])} |")
    for *cells, record in rows:
        drawn = {key.removeprefix("eval/"): value for key, value in record.items()}
        print(f"| {' | '.join(cells)} | {figures(drawn)} |")


if __name__ == "__main__":
    main(tyro.cli(Comparison))
