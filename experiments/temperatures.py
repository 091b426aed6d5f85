"""How the temperature of drawing trades precision for variety, for agents that have been trained.

    python experiments/temperatures.py runs/seeds/0 runs/seeds/1 --temperatures 1 0.9 0.8 0.7

Notable choices:
- The measures are those of a run's log: 1,000 pictures against 1,000 test pictures.
- All agents of one call are measured against the reference of the first, so they must be of the same data and renderer.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
import tyro

from limner.agents.agent import find_agent, load_agent
from limner.agents.checkpoint import read_manifest
from limner.inference.evaluate import generation_reference
from limner.inference.sample import sample
from limner.metrics.generation import GenerationMetrics, evaluate_pictures

FIGURES = (
    "frechet", "normalised_frechet", "precision", "coverage",
    "plain_normalised_frechet", "plain_precision", "plain_coverage", "entropy", "empty",
)  # fmt: skip


@dataclass(frozen=True)
class Temperatures:
    """Which agents, at which temperatures."""

    agents: tyro.conf.Positional[tuple[str, ...]]
    """Names, or folders of runs or checkpoints."""
    temperatures: tuple[float, ...] = (1.0, 0.8)
    first_action_temperature: float | None = None
    """None: as of the others."""
    data: str | None = None
    """Data set of the real pictures. None: that which the first agent was trained on."""


def row(name: str, temperature: str, metrics: GenerationMetrics) -> str:
    """One row of the table, in Markdown."""
    figures = asdict(metrics)
    return f"| {name} | {temperature} | {' | '.join(f'{figures[figure]:.3f}' for figure in FIGURES)} |"


def main(asked: Temperatures) -> None:
    """Print the table."""
    torch.set_num_threads(1)
    agents = {name: load_agent(name) for name in asked.agents}
    config = agents[asked.agents[0]].config
    data = asked.data or read_manifest(find_agent(asked.agents[0])[0])["training"]["run"]["data"]
    reference = generation_reference(config, data)
    print("| agent | temperature |" + "".join(f" {name} |" for name in FIGURES))
    print("|---" * (len(FIGURES) + 2) + "|")
    print(row("real pictures", "", reference.real))
    for name, agent in agents.items():
        for temperature in asked.temperatures:
            canvases, _ = sample(agent, reference.count, 0, temperature, asked.first_action_temperature)
            print(row(name, f"{temperature:g}", evaluate_pictures(canvases, reference)), flush=True)
    print(row("random strokes", "", reference.random))


if __name__ == "__main__":
    main(tyro.cli(Temperatures, description=__doc__))
