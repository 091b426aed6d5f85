"""How well an agent gets the objects of scenes, and how that falls with their number.

    python experiments/scene_structure.py --threads 2

For each number of objects, new scenes that no agent was trained on, drawn by the policy alone and with search; the
figures are those of ``limner.worlds.scenes.metrics``, and the mean squared error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import tyro
from limner.data.scenes import random_scenes

from limner.agents.agent import load_agent
from limner.inference.evaluate import reconstruct


@dataclass(frozen=True)
class SceneStructure:
    """Which agent, and what it is shown."""

    agent: str = "scenes"
    objects: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8)
    scenes: int = 100
    """Of each number of objects."""
    searches: tuple[float, ...] = (0.0, 1.0)
    """Seconds a picture."""
    seed: int = 1
    threads: int = 2


def main(given: SceneStructure) -> None:
    """Print the table."""
    torch.set_num_threads(1)
    agent = load_agent(given.agent)
    columns = "objects search,_s mean_squared_error count_right count_error type size colour location cells_apart"
    print("|", columns.replace(" ", " | ").replace("_", " "), "|")
    print("|---" * len(columns.split()) + "|")
    for count in given.objects:
        data = random_scenes(np.random.default_rng([given.seed, count]), given.scenes, count, count, given.threads)
        for search in given.searches:
            result = reconstruct(agent, data, search, threads=given.threads)
            found = result.structure
            assert found is not None, f"{given.agent!r} does not build scenes"
            shares = (found.type_right, found.size_right, found.colour_right, found.location_right)
            figures = [f"{result.likeness.mse:.5f}", f"{found.count_right:.2f}", f"{found.count_error:.2f}"]
            figures += [f"{share:.3f}" for share in shares] + [f"{found.cells_apart:.2f}"]
            print(f"| {count} | {search:g} | {' | '.join(figures)} |", flush=True)


if __name__ == "__main__":
    main(tyro.cli(SceneStructure))
