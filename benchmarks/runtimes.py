"""How fast training on Ray is beside training in one process, on the cores of this machine.

    python benchmarks/runtimes.py                       # mnist, two actors
    python benchmarks/runtimes.py --actors 1 2 4 8
    python benchmarks/runtimes.py --actors 64 --episodes 128 --updates 20

One trainer in this process and one on Ray take turns, so many updates each, and what else runs on the machine disturbs
both alike. Environment steps per second of wall time; the ratio is that of Ray to one process. Memory is the sum of the
proportional set sizes of all processes of the cluster.
"""

from __future__ import annotations

import argparse
import re
import statistics
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from limner.data import load_dataset
from limner.data.picture_source import PictureSource
from limner.training import make_trainer
from limner.training.config import RayConfig
from limner.training.presets import PRESETS
from limner.training.runtime.process import Process
from limner.training.trainer import Trainer

WARM_UP = 4
"""Updates that do not count."""


def speed(trainer: Trainer, updates: int) -> tuple[float, dict[str, float]]:
    """Environment steps per second, and the figures of the last update."""
    frames, started = trainer.frames, time.perf_counter()
    for _ in range(updates):
        figures = trainer.update(0.0)
    return (trainer.frames - frames) / (time.perf_counter() - started), figures


def numbers_of(runtime: Any, processes: Iterable[Process]) -> set[int]:
    """Numbers, of the operating system, of processes."""
    return set(runtime.cluster.ray.get([process.handle.process_number.remote() for process in processes]))


def memory(processes: Iterable[int]) -> float:
    """Gibibytes of memory of processes, pages that several share divided among them."""
    total = 0
    for process in processes:
        found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{process}/smaps_rollup").read_text(), re.MULTILINE)
        total += int(found[1]) if found else 0
    return total / 2**20


def measure(actors: int, arguments: argparse.Namespace) -> None:
    """Print a line."""
    config = PRESETS[arguments.preset].config
    run = replace(config.run, threads=2, episodes=arguments.episodes or config.run.episodes)
    source = PictureSource(load_dataset(run.data), config.agent.renderer.canvas)
    local = make_trainer(replace(config, run=run), source)
    started = time.perf_counter()
    remote = make_trainer(replace(config, run=replace(run, runtime=RayConfig(actors=actors))), source)
    try:
        speed(local, WARM_UP)
        speed(remote, WARM_UP)
        ready = time.perf_counter() - started
        rounds, figures = [], {}
        for _ in range(arguments.rounds):
            here, _ = speed(local, arguments.updates)
            there, figures = speed(remote, arguments.updates)
            rounds.append((here, there))
        runtime: Any = remote.runtime
        pss = memory(numbers_of(runtime, [actor.process for actor in runtime.actors]))
    finally:
        remote.close()
        local.close()
    here, there = (statistics.median(values) for values in zip(*rounds, strict=True))
    ratios = [there / here for here, there in rounds]
    print(
        f"{actors} actors: {there:,.0f} steps/s, one process {here:,.0f}, ratio {statistics.median(ratios):.3f} "
        f"({', '.join(f'{ratio:.3f}' for ratio in ratios)}); ready after {ready:.0f} s, actors have {pss:.1f} GiB, "
        f"lag {figures['runtime/lag']:.1f}, dropped {figures['runtime/dropped']:.0f}",
        flush=True,
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="mnist", choices=PRESETS)
    parser.add_argument("--actors", type=int, nargs="+", default=[2])
    parser.add_argument("--episodes", type=int, help="in an update; default: the preset's")
    parser.add_argument("--updates", type=int, default=25, help="in a round")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    for actors in arguments.actors:
        measure(actors, arguments)


if __name__ == "__main__":
    main()
