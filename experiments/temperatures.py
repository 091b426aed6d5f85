"""How the temperature of drawing trades precision for variety, for agents that have been trained.

    python experiments/temperatures.py runs/seeds/0 runs/seeds/1 --temperatures 1 0.9 0.8 0.7

Notable choices:
- The measures are those of a run's log: 1,000 pictures against 1,000 real test digits.
- All agents of one call are measured against the reference of the first, so they must be of the same data and renderer.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import torch
import tyro
from seeds import FIGURES, figures

from limner.agents.agent import load_agent, sample
from limner.data import load_dataset
from limner.metrics.generation import Metrics, evaluate_pictures, make_reference


@dataclass(frozen=True)
class Temperatures:
    """Which agents, at which temperatures."""

    agents: tyro.conf.Positional[tuple[str, ...]]
    temperatures: tuple[float, ...] = (1.0, 0.8)
    opening: float | None = None
    """Temperature of the first action. None: as of the others."""


def row(name: str, temperature: str, metrics: Metrics) -> str:
    """One row of the table, in Markdown."""
    return f"| {name} | {temperature} | {figures(asdict(metrics))} |"


def main(asked: Temperatures) -> None:
    """Print the table."""
    torch.set_num_threads(1)
    agents = {name: load_agent(name) for name in asked.agents}
    config = next(iter(agents.values())).config
    train, test = load_dataset(config.data, "train"), load_dataset(config.data, "test")
    renderer = config.make_renderer(1000)
    reference = make_reference(test, train, renderer, config.steps, np.random.default_rng(0))
    print("| agent | temperature |" + "".join(f" {name} |" for name in FIGURES))
    print("|---" * (len(FIGURES) + 2) + "|")
    print(row("real digits", "", reference.real))
    for name, agent in agents.items():
        for temperature in asked.temperatures:
            canvases, _ = sample(agent, reference.count, temperature=temperature, opening=asked.opening)
            print(row(name, f"{temperature:g}", evaluate_pictures(canvases, reference)), flush=True)
    print(row("random strokes", "", reference.random))


if __name__ == "__main__":
    main(tyro.cli(Temperatures))
