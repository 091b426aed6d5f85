"""How fast training is: environment steps per second of CPU time, on one thread.

    python benchmarks/training.py                                  # this version
    python benchmarks/training.py --against OTHER/src --rounds 5   # and the ratio to another checkout

Every measurement is a process of its own, in which a trainer is made and moved on by some updates, of which the first
do not count; painting and search are part of an update, evaluation and saving are not. With ``--against`` both
checkouts take turns in every round, each first in every second one, so that what else runs on the machine disturbs both
alike. From the same seed both do the same updates: besides the ratio of each round, the last line gives that of the
least times of every update in any round, which other work disturbs least. Where the other checkout has another API,
``--program`` names a script that measures it: with the arguments ``--measure NAME --updates N`` it prints the same JSON
object as this one.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

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


def measure(name: str, updates: int) -> dict[str, Any]:
    """Environment steps in an update, and the CPU seconds that each update takes."""
    from limner.data import load_dataset
    from limner.data.picture_source import PictureSource
    from limner.training import make_trainer

    chosen = config(name)
    trainer = make_trainer(chosen, PictureSource(load_dataset(chosen.run.data), chosen.agent.renderer.canvas))
    seconds = []
    for _ in range(WARM_UP + updates):
        started = time.process_time()
        trainer.update(0.0)
        seconds.append(time.process_time() - started)
    return {"steps": chosen.agent.horizon * chosen.run.episodes, "seconds": seconds[WARM_UP:]}


def measured(program: Path, source: Path, name: str, updates: int) -> tuple[int, list[float]]:
    """The same of the checkout whose ``src`` is ``source``, in a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(program), "--measure", name, "--updates", str(updates)]
    result = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(result.stdout)
    return found["steps"], found["seconds"]


def compare(name: str, arguments: argparse.Namespace) -> None:
    """Print a line for each round, and one for all."""
    here = Path(__file__).resolve()
    checkouts = {"this": (here, here.parents[1] / "src")}
    if arguments.against is not None:
        checkouts["other"] = (arguments.program or here, arguments.against.resolve())
    least: dict[str, list[float]] = {}
    ratios = []
    for number in range(arguments.rounds):
        speeds = {}
        for which in sorted(checkouts, reverse=number % 2 == 0):
            steps, seconds = measured(*checkouts[which], name, arguments.updates)
            speeds[which] = steps * len(seconds) / sum(seconds)
            least[which] = list(map(min, seconds, least.get(which, seconds)))
        ratios.append(speeds["this"] / speeds.get("other", speeds["this"]))
        print(f"{name}: {text(speeds)}" + (f", ratio {ratios[-1]:.3f}" if len(speeds) > 1 else ""), flush=True)
    best = {which: steps * len(seconds) / sum(seconds) for which, seconds in least.items()}
    line = f"{name}, least times of {len(ratios)} rounds: {text(best)} environment steps per CPU second"
    if "other" in best:
        line += f", ratio {best['this'] / best['other']:.3f} (median of rounds {statistics.median(ratios):.3f})"
    print(line)


def text(speeds: Mapping[str, float]) -> str:
    """Speeds, in words."""
    return ", ".join(f"{which} {speeds[which]:,.0f}" for which in sorted(speeds, reverse=True))


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
