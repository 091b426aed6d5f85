"""What faults cost a training on Ray, on this machine.

    python benchmarks/faults.py                             # mnist, two actors, ten minutes a run
    python benchmarks/faults.py --preset tiny --minutes 1
    python benchmarks/faults.py --seeds 0 1 2               # how far the figures of such runs spread

1. Recovery: actors of a trainer in this process are killed in turn. Recovery lasts from the kill until the end of the
   update that learnt from a batch of the process that replaces the killed one.
2. `limner train` runs undisturbed for so many minutes of training.
3. Then the same run again, until it has made as many steps, while an actor is killed every 30 seconds, in turn, and
   the learner twice, which then goes on with `--resume`. Both runs are made for each seed.

The runs follow one another, so nothing else should work on the machine meanwhile. They save a checkpoint every ten
updates. Throughput is environment steps in the last checkpoint by the seconds from the start until it was written,
restarts and evaluations included. Final figures are those of the last evaluation, at equal steps. Updates lost by
killing the learner are the time since its last checkpoint by the mean time of an update. In the end no process of a
run, no folder of its clusters and no file in shared memory should be left. Every kill is a SIGKILL.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from limner.agents.checkpoint import list_checkpoints, newest_checkpoint, read_manifest
from limner.data import load_dataset
from limner.data.picture_source import PictureSource
from limner.training import make_trainer
from limner.training.config import RayConfig, TrainingConfig
from limner.training.log import read_log
from limner.training.presets import PRESETS
from limner.training.run import last_evaluation

KILL_EVERY = 30.0
"""Seconds between kills of actors."""
CHECKPOINT_EVERY = 10
"""Updates between checkpoints."""
WARM_UP = 4
"""Updates before a kill."""
PATIENCE = 20.0
"""Seconds that processes of a run have to end after it."""
SHARED_MEMORY = Path("/dev/shm")
FIGURES = ("eval/normalised_frechet", "eval/precision", "eval/coverage", "eval/mse")
MARK = "LIMNER_BENCHMARK"
"""Environment variable that all processes of a run inherit."""


def recoveries(config: TrainingConfig, kills: int) -> Iterator[tuple[float, int]]:
    """Kill actors of a trainer; for each, seconds until a batch of its successor has been learnt from, and updates."""
    source = PictureSource(load_dataset(config.run.data), config.agent.renderer.canvas)
    with closing(make_trainer(config, source)) as trainer:
        runtime: Any = trainer.runtime
        learnt: dict[Any, int] = {}  # restarts of an actor before its last batch that was not too old
        finish = runtime._finish

        def note(actor: Any) -> Any:
            call, *batch = finish(actor)
            if runtime.version - call.version <= runtime.options.max_lag:
                learnt[actor] = actor.process.restarts
            return call, *batch

        runtime._finish = note
        for kill in range(kills):
            actor = runtime.actors[kill % len(runtime.actors)]
            number = runtime.cluster.ray.get(actor.process.handle.process_number.remote())
            for _ in range(WARM_UP):
                trainer.update(0.0)
            before, updates, started = actor.process.restarts, trainer.updates, time.perf_counter()
            os.kill(number, signal.SIGKILL)
            while learnt.get(actor, 0) == before:
                trainer.update(0.0)
            yield time.perf_counter() - started, trainer.updates - updates


def processes(mark: str) -> dict[int, str]:
    """Numbers and command lines of the processes that have ``mark`` in their environment."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}\0".encode() in (folder / "environ").read_bytes():
                found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
        except OSError:  # it has ended, or belongs to somebody else
            continue
    return found


class Result(NamedTuple):
    """What came of a run: environment steps, seconds from its start to its last checkpoint, figures by name."""

    frames: int
    seconds: float
    figures: dict[str, float]


class Run:
    """A run of the command line, its processes, and what was done to it."""

    def __init__(self, folder: Path, preset: str, actors: int, seed: int, limits: list[str]) -> None:
        self.folder = folder
        self.actors: list[int] = []  # numbers of processes that act, the one that began first before the others
        self.clusters: set[str] = set()  # their folders
        self.shared = {*SHARED_MEMORY.iterdir()}
        self.kills = 0
        self.lost: list[int] = []  # updates, by each kill of the learner
        where = ["--runtime", "ray", "--actors", str(actors), "--out", str(folder)]
        self.started = time.time()
        self.process = self._limner(
            preset, "--seed", str(seed), "--checkpoint-every", str(CHECKPOINT_EVERY), *where, *limits
        )

    def look(self) -> bool:
        """Find out what acts; whether the run goes on. ``SystemExit`` when it has failed."""
        found = processes(self.folder.name)
        acting = [number for number, name in found.items() if name.startswith("ray::Worker.act")]
        self.clusters |= {path for name in found.values() for path in re.findall(r"/\S*limner-ray-\w+", name)}
        self.actors = [number for number in self.actors if number in found]
        self.actors += [number for number in acting if number not in self.actors]
        if self.process.poll():
            raise SystemExit(f"limner train has failed: {self.folder.with_suffix('.txt').read_text()[-2000:]}")
        return self.process.returncode is None

    def kill_actor(self) -> None:
        """Kill the actor that has lived longest, if there is one."""
        if self.actors:
            os.kill(self.actors.pop(0), signal.SIGKILL)
            self.kills += 1

    def kill_learner(self) -> bool:
        """Kill the learner, and start it again from its last checkpoint; False where there is none yet."""
        saved = list_checkpoints(self.folder / "checkpoints")
        if not saved:
            return False
        self.process.kill()
        self.process.wait()
        last = read_log(self.folder / "log.jsonl")[-1]
        seconds = time.time() - (saved[-1] / "manifest.json").stat().st_mtime
        self.lost.append(round(seconds / (last["minutes"] * 60 / last["update"])))
        self.process = self._limner("--resume", str(self.folder))
        return True

    def result(self) -> Result:
        """What came of the run, which is over; prints that and what else is known of it."""
        last = newest_checkpoint(self.folder / "checkpoints")
        seconds = (last / "manifest.json").stat().st_mtime - self.started
        frames = read_manifest(last)["counters"]["frames"]
        until = time.monotonic() + PATIENCE
        while (left := processes(self.folder.name)) and time.monotonic() < until:
            time.sleep(0.1)
        evaluation = last_evaluation(self.folder) or {}
        figures = {name: evaluation[name] for name in FIGURES if name in evaluation}
        print(
            f"{self.folder.name}: {frames:,} steps in {seconds:.0f} s ({frames / seconds:,.0f} steps/s), "
            f"{', '.join(f'{name} {value:.3f}' for name, value in figures.items())}; "
            f"killed {self.kills} actors and {len(self.lost)} learners, updates lost {self.lost}; "
            f"left: processes {left}, folders {[path for path in self.clusters if Path(path).exists()]}, "
            f"shared memory {sorted(map(str, {*SHARED_MEMORY.iterdir()} - self.shared))}",
            flush=True,
        )
        return Result(frames, seconds, figures)

    def _limner(self, *words: str) -> subprocess.Popen[bytes]:
        environment = os.environ | {MARK: self.folder.name, "SPT_NOENV": "1"}  # titles would overwrite the environment
        with self.folder.with_suffix(".txt").open("ab") as output:
            command = [sys.executable, "-m", "limner", "train", *words]
            return subprocess.Popen(command, env=environment, stdout=output, stderr=output)


def train(run: Run, learner_kills: list[float], disturbed: bool) -> Result:
    """Wait for a run, which is disturbed or not; ``learner_kills`` are seconds after its start. What came of it."""
    try:
        next_kill = KILL_EVERY
        while run.look():
            seconds = time.time() - run.started
            if disturbed and learner_kills and seconds > learner_kills[0] and run.kill_learner():
                learner_kills = learner_kills[1:]
            elif disturbed and seconds > next_kill:
                run.kill_actor()
                next_kill += KILL_EVERY
            time.sleep(0.1)
        return run.result()
    finally:
        run.process.kill()


def spread(values: list[float]) -> str:
    """The values, their mean and standard deviation."""
    deviation = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{', '.join(f'{value:.4f}' for value in values)}: {statistics.mean(values):.4f}{deviation}"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="mnist", choices=PRESETS)
    parser.add_argument("--actors", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=10.0, help="of training in each run")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="of pairs of runs, undisturbed and disturbed")
    parser.add_argument("--kills", type=int, default=6, help="of actors, in the first part")
    arguments = parser.parse_args()
    config = PRESETS[arguments.preset].config
    config = replace(config, run=replace(config.run, runtime=RayConfig(actors=arguments.actors)))
    seconds, updates = zip(*recoveries(config, arguments.kills), strict=True)
    print(
        f"recovery after a killed actor: median {statistics.median(seconds):.1f} s, at most {max(seconds):.1f} s "
        f"(bar 10 s), in {statistics.median(updates):.0f} updates",
        flush=True,
    )
    learner_kills = [arguments.minutes * 60 / 3, arguments.minutes * 60 * 2 / 3]
    pairs = []
    with tempfile.TemporaryDirectory(prefix="limner-faults-") as folder:
        for seed in arguments.seeds:
            limits = ["--minutes", str(arguments.minutes), "--frames", "1000000000"]
            results = []
            for name in ("undisturbed", "disturbed"):
                run = Run(Path(folder) / f"{name}-{seed}", arguments.preset, arguments.actors, seed, limits)
                results.append(train(run, learner_kills, name == "disturbed"))
                limits = ["--frames", str(results[0].frames)]  # the second makes as many steps
            pairs.append(results)
    speeds = [[result.frames / result.seconds for result in results] for results in pairs]
    print(f"throughput, disturbed ÷ undisturbed (bar 0.85): {spread([after / before for before, after in speeds])}")
    for name in pairs[0][0].figures:
        for which, results in zip(("undisturbed", "disturbed"), zip(*pairs, strict=True), strict=True):
            print(f"{name}, {which}: {spread([result.figures[name] for result in results])}")


if __name__ == "__main__":
    main()
