"""How fast training is: environment steps per second of CPU time, on one thread.

    python benchmarks/training.py                                  # this version
    python benchmarks/training.py --against OTHER/src --rounds 5   # and the ratio to another checkout

Every measurement is a process of its own, in which a trainer is made and moved on by some updates, of which the first
do not count; painting and search are part of an update, evaluation and saving are not. With ``--against`` both
checkouts take turns in every round, each first in every second one, and the ratio is that of a round: so what else runs
on the machine disturbs both alike. Both take the same updates from the same seed. Where the other checkout has another
API, ``--program`` names a script that measures it: with the arguments ``--measure NAME --updates N`` it prints the same
JSON object as this one.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from limner.training.config import PolicyGradientConfig, TrainingConfig
from limner.training.distance.config import DistanceConfig
from limner.training.presets import PRESETS

NAMES = ("mnist", "mnist-prior", "mnist-reconstruct", "distance")
WARM_UP = 3
"""Updates that do not count."""


def config(name: str) -> TrainingConfig:
    """What is trained: a preset, or ``distance``, the agent of ``mnist-reconstruct`` that learns from the distance."""
    preset = PRESETS["mnist-reconstruct" if name == "distance" else name].config
    run = replace(preset.run, threads=1)
    if name != "distance":
        return replace(preset, run=run)
    learning = PolicyGradientConfig(learning_rate=3e-4, entropy_cost=0.0, ema_decay=0.98)
    return DistanceConfig(preset.agent, replace(run, episodes=64), learning=learning)


def measure(name: str, updates: int) -> dict[str, float]:
    """Environment steps, and the seconds that they take."""
    from limner.data import load_dataset
    from limner.data.picture_source import PictureSource
    from limner.training import make_trainer

    chosen = config(name)
    trainer = make_trainer(chosen, PictureSource(load_dataset(chosen.run.data), chosen.agent.renderer.canvas))
    for _ in range(WARM_UP):
        trainer.update(0.0)
    frames, cpu, wall = trainer.frames, time.process_time(), time.perf_counter()
    for _ in range(updates):
        trainer.update(0.0)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"steps": trainer.frames - frames, "cpu": cpu, "wall": wall}


def measured(program: Path, source: Path, name: str, updates: int) -> float:
    """Steps per CPU second of the checkout whose ``src`` is ``source``, in a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(program), "--measure", name, "--updates", str(updates)]
    result = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(result.stdout)
    return float(found["steps"] / found["cpu"])


def compare(name: str, arguments: argparse.Namespace) -> None:
    """Print a line for each round, and the medians."""
    here = Path(__file__).resolve()
    checkouts = {"this": (here, here.parents[1] / "src")}
    if arguments.against is not None:
        checkouts["other"] = (arguments.program or here, arguments.against.resolve())
    rounds = []
    for number in range(arguments.rounds):
        order = sorted(checkouts, reverse=number % 2 == 0)
        speeds = {which: measured(*checkouts[which], name, arguments.updates) for which in order}
        rounds.append(speeds)
        ratio = f", ratio {speeds['this'] / speeds['other']:.3f}" if "other" in speeds else ""
        print(f"{name}: " + ", ".join(f"{which} {speeds[which]:,.0f}" for which in checkouts) + ratio, flush=True)
    text = ", ".join(f"{which} {statistics.median(speeds[which] for speeds in rounds):,.0f}" for which in checkouts)
    if arguments.against is not None:
        text += f", ratio {statistics.median(speeds['this'] / speeds['other'] for speeds in rounds):.3f}"
    print(f"{name}, median of {len(rounds)}: {text} environment steps per CPU second")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", nargs="+", choices=NAMES, default=NAMES, help="presets, and distance")
    parser.add_argument("--updates", type=int, default=12, help="that count")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--against", type=Path, help="the folder src of another checkout")
    parser.add_argument("--program", type=Path, help="the script that measures the other checkout; default: this one")
    parser.add_argument("--measure", choices=NAMES, help="print one JSON object, in this process")
    arguments = parser.parse_args()
    if arguments.measure is not None:
        print(json.dumps(measure(arguments.measure, arguments.updates)))
        return
    for name in arguments.names:
        compare(name, arguments)


if __name__ == "__main__":
    main()
