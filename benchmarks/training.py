"""How fast training is: environment steps per second of CPU time, on one thread.

    python benchmarks/training.py                                  # this version
    python benchmarks/training.py --against OTHER/src --rounds 5   # and the ratio to another checkout

In every round a new process makes a trainer and does some updates, of which the first do not count; painting and search
are part of an update, evaluation and saving are not. With ``--against`` a second process does the same with the other
checkout. The two take turns, an update each, so that what else runs on the machine disturbs both alike; from the same
seed both do the same work. Where the other checkout has another API, ``--program`` names a script that works for it:
with the arguments ``--work NAME`` it prints the environment steps of an update when it is ready, and for each line on
its standard input it does an update and prints the CPU seconds.
"""

from __future__ import annotations

import argparse
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


def work(name: str) -> None:
    """Train, an update for each line that is read."""
    from limner.data import load_dataset
    from limner.data.picture_source import PictureSource
    from limner.training import make_trainer

    chosen = config(name)
    trainer = make_trainer(chosen, PictureSource(load_dataset(chosen.run.data), chosen.agent.renderer.canvas))
    for _ in range(WARM_UP):
        trainer.update(0.0)
    print(chosen.agent.horizon * chosen.run.episodes, flush=True)
    for _ in sys.stdin:
        started = time.process_time()
        trainer.update(0.0)
        print(time.process_time() - started, flush=True)


class Worker:
    """A process that trains with a checkout, by the folder of its source."""

    def __init__(self, program: Path, source: Path, name: str) -> None:
        environment = os.environ | {"PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, str(program), "--work", name]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True, bufsize=1)
        self.steps = self.read()
        self.seconds = 0.0

    def update(self) -> None:
        """Do an update."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.seconds += self.read()

    def read(self) -> float:
        """The next number that the process prints."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(map(str, self.process.args))} has ended")
        return float(line)


def measure(name: str, arguments: argparse.Namespace, first: int) -> list[float]:
    """Steps per CPU second of this checkout and of the other one, if there is one; ``first`` is the first to go."""
    here = Path(__file__).resolve()
    workers = [Worker(here, here.parents[1] / "src", name)]
    if arguments.against is not None:
        workers.append(Worker(arguments.program or here, arguments.against.resolve(), name))
    for update in range(arguments.updates):
        for which in range(len(workers)):
            workers[(first + update + which) % len(workers)].update()
    for worker in workers:
        worker.process.communicate()
    return [arguments.updates * worker.steps / worker.seconds for worker in workers]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", nargs="+", choices=NAMES, default=NAMES, help="presets, and distance")
    parser.add_argument("--updates", type=int, default=10, help="in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--against", type=Path, help="the folder src of another checkout")
    parser.add_argument("--program", type=Path, help="the script that trains with the other checkout; default: this")
    parser.add_argument("--work", choices=NAMES, help="be the process that trains")
    arguments = parser.parse_args()
    if arguments.work is not None:
        work(arguments.work)
        return
    for name in arguments.names:
        rounds = [measure(name, arguments, first) for first in range(arguments.rounds)]
        speeds = [statistics.median(values) for values in zip(*rounds, strict=True)]
        line = f"{name}: {speeds[0]:,.0f} environment steps per CPU second"
        if len(speeds) > 1:
            ratios = [this / other for this, other in rounds]
            line += f", the other {speeds[1]:,.0f}, ratio {statistics.median(ratios):.3f}"
            line += f" ({', '.join(f'{ratio:.3f}' for ratio in ratios)})"
        print(line, flush=True)


if __name__ == "__main__":
    main()
