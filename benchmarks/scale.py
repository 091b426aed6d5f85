"""How training scales: what its parts cost, what a model of them predicts for 1 … 1,024 actors, and whether it is so.

    python benchmarks/scale.py --out docs/scale.json                 # preset mnist; six minutes
    python benchmarks/scale.py --out docs/scale.json --report-only   # from what was measured before

The parts are measured one by one in CPU time (``scale_parts``), and the model (``scale_model``) puts them together. It
is checked on this machine by training with some actors, and by replayed rollouts that load the learner to its limit
(``scale_replay``): their trainer and one in this process that learns from a fixed batch take turns. What is measured is
written to the JSON file, and the plot to a PNG file beside it; tables are printed in Markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import scale_parts
import scale_report
from runtimes import memory, numbers_of, speed
from scale_model import FEWEST, Costs
from scale_replay import FixedTrainer, ReplayingTrainer

from limner.data import load_dataset
from limner.data.picture_source import PictureSource
from limner.training import make_trainer
from limner.training.config import RayConfig
from limner.training.presets import PRESETS
from limner.training.runtime.cluster import Cluster
from limner.training.spiral.config import SpiralConfig

ACTORS = (1, 2, 4, 8)
"""Actors that are trained with, as far as there are episodes for them."""
REPLAYED = (2, 8, 32)
"""Actors whose rollouts are replayed, likewise."""
WARM_UP = 4
"""Updates that do not count."""


def train(config: Any, source: PictureSource, actors: int, updates: int) -> dict[str, Any]:
    """Frames/s and CPU seconds an update of training with so many actors, and the memory of one of them in GiB."""
    run = replace(config.run, runtime=RayConfig(actors=actors))
    trainer: Any = make_trainer(replace(config, run=run), source)
    speeds = []
    with closing(trainer):
        speed(trainer, WARM_UP)
        work = scale_parts.used(lambda: speeds.append(speed(trainer, updates)[0]), 1, trainer.runtime)
        gibibytes = memory(numbers_of(trainer.runtime, [actor.process for actor in trainer.runtime.actors])) / actors
    cpu = {where: seconds / updates for where, seconds in work.items()}
    return {"actors": actors, "frames_per_second": speeds[-1], "actor_gibibytes": gibibytes, "cpu": cpu}


def replay(config: Any, source: PictureSource, actors: int, updates: int, rounds: int) -> dict[str, Any]:
    """Frames/s of the learner under replayed rollouts of so many actors, and of the learner alone, in turns."""
    loaded = replace(config, run=replace(config.run, runtime=RayConfig(actors=actors)))
    with closing(ReplayingTrainer(loaded, source)) as there, closing(FixedTrainer(config, source)) as here:
        speed(there, WARM_UP)
        speed(here, WARM_UP)
        pairs = [(speed(there, updates)[0], speed(here, updates)[0]) for _ in range(rounds)]
    with_rollouts, alone = (statistics.median(values) for values in zip(*pairs, strict=True))
    ratios = [there / here for there, here in pairs]
    return {"actors": actors, "frames_per_second": with_rollouts, "alone": alone, "ratios": ratios}


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Everything that is measured, as JSON values."""
    config: Any = PRESETS[arguments.preset].config
    config = replace(config, run=replace(config.run, threads=2))
    source = PictureSource(load_dataset(config.run.data), config.agent.renderer.canvas)
    most = config.run.episodes // FEWEST
    with closing(Cluster(RayConfig(), max(ACTORS) + 1)):
        costs, points = scale_parts.measure(config, source, arguments.seconds)
        trained = [train(config, source, actors, arguments.updates) for actors in ACTORS if actors <= most]
        replayed = [
            replay(config, source, actors, arguments.updates, arguments.rounds) for actors in REPLAYED if actors <= most
        ]
    about = {"preset": arguments.preset, "cores": len(os.sched_getaffinity(0))}
    return about | {"costs": costs.to_dict(), "points": points, "trained": trained, "replayed": replayed}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    configs: dict[str, Any] = {name: preset.config for name, preset in PRESETS.items()}
    presets = [name for name, one in configs.items() if isinstance(one, SpiralConfig) and one.device == "cpu"]
    parser.add_argument("--preset", default="mnist", choices=presets)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each point that is measured")
    parser.add_argument("--updates", type=int, default=20, help="in a round of training")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, required=True, help="JSON file")
    parser.add_argument("--report-only", action="store_true", help="read the JSON file and measure nothing")
    arguments = parser.parse_args()
    if not arguments.report_only:
        arguments.out.write_text(json.dumps(measure(arguments), indent=1) + "\n")
    found = json.loads(arguments.out.read_text())
    costs = Costs.from_dict(found["costs"])
    print(scale_report.tables(found, costs))
    arguments.out.with_suffix(".png").write_bytes(scale_report.plot(found, costs))


if __name__ == "__main__":
    main()
