"""How long learning pauses for a checkpoint, and how long writing it takes.

    python benchmarks/checkpoints.py
    python benchmarks/checkpoints.py --presets mnist --runtimes local --rounds 20

All networks are on the CPU. The replay buffer, or what a search keeps, is full. In every round come an update, a
checkpoint as a run begins it, an update while it is written, and a checkpoint that is waited for. The pause is the time
of the call that a run makes; the two updates show what writing costs beside that.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from limner.data import load_dataset
from limner.data.picture_source import PictureSource
from limner.training import make_trainer
from limner.training.checkpointer import Checkpointer
from limner.training.config import LocalConfig, RayConfig, TrainingConfig
from limner.training.presets import PRESETS
from limner.training.saving import save_checkpoint
from limner.training.spiral.config import SpiralConfig
from limner.training.trainer import Trainer

NAMES = ("mnist", "mnist-paper", "mnist-reconstruct")
ACTORS = 2
RUNTIMES = {"local": LocalConfig(), "ray": RayConfig(actors=ACTORS)}


def configuration(name: str, runtime: str) -> TrainingConfig:
    """A preset on the CPU."""
    preset: Any = PRESETS[name].config
    run = replace(preset.run, runtime=RUNTIMES[runtime])
    config: TrainingConfig = replace(preset, run=run, **({"device": "cpu"} if hasattr(preset, "device") else {}))
    return config


def fill(trainer: Trainer) -> None:
    """Fill the buffers that grow during a run with copies of what is in them."""
    config: Any = trainer.config
    tensors, counters = trainer.begin_snapshot()()
    for name, rows in tensors.items():
        buffer = name.rpartition(".")[0]
        if buffer in counters:
            share = ACTORS if buffer.startswith("actor.") else 1
            spiral = isinstance(config, SpiralConfig)
            capacity = config.critic.replay * config.run.episodes if spiral else config.expert.capacity // share
            tensors[name] = rows.repeat(-(-capacity // len(rows)), *[1] * (rows.dim() - 1))[:capacity]
            counters[buffer] = capacity
    trainer.restore(tensors, counters)


def milliseconds(work: Callable[[], Any]) -> float:
    """How long ``work`` takes."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def rounds(trainer: Trainer, folder: Path, count: int) -> Iterator[tuple[float, float, float, float]]:
    """Milliseconds of an update, of beginning a checkpoint, of an update beside it, and of a whole checkpoint."""
    with Checkpointer(folder, trainer) as checkpointer:
        for _ in range(count):
            update = milliseconds(lambda: trainer.update(0.0))
            pause = milliseconds(lambda: checkpointer.save(0.0, needed=False))
            beside = milliseconds(lambda: trainer.update(0.0))
            checkpointer.wait()
            yield update, pause, beside, milliseconds(lambda: save_checkpoint(folder, trainer, {"minutes": 0.0}))


def measure(name: str, runtime: str, arguments: argparse.Namespace) -> None:
    """Print a line."""
    config = configuration(name, runtime)
    source = PictureSource(load_dataset(config.run.data), config.agent.renderer.canvas)
    with closing(make_trainer(config, source)) as trainer, tempfile.TemporaryDirectory() as folder:
        trainer.update(0.0)
        fill(trainer)
        found = [*rounds(trainer, Path(folder), arguments.rounds)]
        newest = max(Path(folder).iterdir())
        size = sum(file.stat().st_size for file in newest.iterdir()) / 2**20
    update, pause, beside, whole = (statistics.median(values) for values in zip(*found, strict=True))
    print(
        f"{name}, {runtime}: pause {pause:.0f} ms, at most {max(row[1] for row in found):.0f}; the whole checkpoint "
        f"{whole:.0f} ms, {size:.0f} MiB; update {update:.0f} ms, beside writing {beside:.0f} ms",
        flush=True,
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presets", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--runtimes", nargs="+", choices=RUNTIMES, default=[*RUNTIMES])
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    for name in arguments.presets:
        for runtime in arguments.runtimes:
            measure(name, runtime, arguments)


if __name__ == "__main__":
    main()
