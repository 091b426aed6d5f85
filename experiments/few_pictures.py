"""How far the figures of generated pictures scatter when they are taken of few pictures.

    OMP_NUM_THREADS=1 python experiments/few_pictures.py
    OMP_NUM_THREADS=1 python experiments/few_pictures.py --neighbours 5 --counts 10 20 50 100

Notable choices:
- Real pictures are those of ``mnist-5k``, both splits. For each repeat three sets of them are drawn, none in two: what
  is compared with, the reference row, and real pictures that are measured as an agent's would be.
- Beside them are measured an agent's drawings, random strokes as in the reference row, and canvases with one random
  stroke, which are nearer to digits and none.
- Means and standard deviations over the repeats. Of random strokes the normalised distance is 1 by definition.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import tyro

from limner.agents.agent import load_agent
from limner.data import Pictures, load_dataset
from limner.inference.sample import sample
from limner.metrics.features import extract_features, small_grey
from limner.metrics.generation import Features, frechet_distance, precision_coverage, random_pictures
from limner.metrics.sample_size import neighbours


@dataclass(frozen=True)
class Asked:
    """What to measure."""

    counts: tuple[int, ...] = (10, 20, 50, 100, 200, 500, 1000)
    """Numbers of pictures."""
    repeats: int = 200
    """Sets of pictures of each number."""
    neighbours: int | None = None
    """The k of precision and coverage. None: as in evaluations."""
    agent: str = "mnist"
    """Whose drawings are measured beside real pictures."""


def main(asked: Asked) -> None:
    """Print the table."""
    torch.set_num_threads(1)
    rng, agent = np.random.default_rng(0), load_agent(asked.agent)
    real = features(np.concatenate([load_dataset(split=split).pictures(64) for split in ("train", "test")]))
    renderer = agent.config.make_renderer(500)
    made = {
        f"agent {agent.name}": features(sample(agent, 2000)[0]),
        "single strokes": features(random_pictures(renderer, 1, 2000, rng)),
        "random strokes": features(random_pictures(renderer, agent.config.horizon, 2000, rng)),
    }
    print("| pictures | k | what | precision | coverage | normalised Fréchet |", "|---|---|---|---|---|---|", sep="\n")
    for count in asked.counts:
        k = asked.neighbours or neighbours(count)
        figures: dict[str, list[tuple[float, float, float]]] = {}
        for _ in range(asked.repeats):
            wanted, near, others = np.split(real[rng.permutation(len(real))[: 3 * count]], 3)
            sets = {"real pictures": others} | {name: rng.permutation(points)[:count] for name, points in made.items()}
            least, most = (frechet_distance(wanted, points) for points in (near, sets["random strokes"]))
            for name, points in sets.items():
                share = (frechet_distance(wanted, points) - least) / (most - least)
                figures.setdefault(name, []).append((*precision_coverage(wanted, points, k), share))
        for name, rows in figures.items():
            cells = [f"{m:.3f} ± {s:.3f}" for m, s in zip(np.mean(rows, 0), np.std(rows, 0), strict=True)]
            print(f"| {count:,} | {k} | {name} | {' | '.join(cells)} |", flush=True)


def features(pictures: Pictures) -> Features:
    """Standardised features ``[N, 64]``."""
    return extract_features(small_grey(pictures)).features


if __name__ == "__main__":
    main(tyro.cli(Asked))
