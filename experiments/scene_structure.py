"""How well an agent gets the objects of scenes, and how that falls with their number.

    python experiments/scene_structure.py --threads 2
    python experiments/scene_structure.py --sweeps 0 4       # budgets that repeat

For each number of objects, new scenes that no agent was trained on, drawn by the policy alone and with search; the
figures are those of ``limner.worlds.scenes.metrics``, and the mean squared error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import tyro

from limner.agents.agent import load_agent
from limner.data.generated import ProgramDataset
from limner.inference.draw import DrawOptions
from limner.inference.evaluate import reconstruct
from limner.worlds.scenes.examples import visible_scenes

FIGURES = ("type_right", "size_right", "colour_right", "location_right")


@dataclass(frozen=True)
class SceneStructure:
    """Which agent, and what it is shown."""

    agent: str = "scenes"
    objects: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8)
    scenes: int = 100
    """Of each number of objects."""
    searches: tuple[float, ...] = (0.0, 1.0)
    """Seconds of search for each picture."""
    sweeps: tuple[int, ...] = ()
    """Sweeps for each picture, in place of seconds."""
    seed: int = 1
    threads: int = 2

    def budgets(self) -> list[tuple[str, DrawOptions]]:
        """What search may spend, and what that is called."""
        if self.sweeps:
            return [(f"{count}", DrawOptions(sweeps=count, threads=self.threads)) for count in self.sweeps]
        return [(f"{seconds:g}", DrawOptions(seconds=seconds, threads=self.threads)) for seconds in self.searches]


def main(given: SceneStructure) -> None:
    """Print the table."""
    torch.set_num_threads(1)
    agent = load_agent(given.agent)
    budget = "sweeps" if given.sweeps else "search,_s"
    columns = f"objects {budget} mean_squared_error count_right count_error type size colour location cells_apart"
    print("|", columns.replace(" ", " | ").replace("_", " "), "|")
    print("|---" * len(columns.split()) + "|")
    for count in given.objects:
        rng = np.random.default_rng([given.seed, count])
        images, programs = visible_scenes(rng, given.scenes, given.threads, count, count)
        data = ProgramDataset("scenes", images, programs, agent.config.actions)
        for name, options in given.budgets():
            result = reconstruct(agent, data, options=options)
            found = result.program_metrics
            assert "type_right" in found, f"{given.agent!r} does not build scenes"
            figures = [f"{result.metrics.mse:.5f}", f"{found['count_right']:.2f}", f"{found['count_error']:.2f}"]
            figures += [f"{found[figure]:.3f}" for figure in FIGURES] + [f"{found['cells_apart']:.2f}"]
            print(f"| {count} | {name} | {' | '.join(figures)} |", flush=True)


if __name__ == "__main__":
    main(tyro.cli(SceneStructure, description=__doc__))
