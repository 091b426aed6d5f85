"""How fast the renderer paints, against a bare C loop over the very same events, and what threads and copies add.

    python benchmarks/painting.py [--rounds 15] [--json]

Every figure is the median over rounds in which the things compared take turns, in another order each time, so that
other work on the machine and what ran just before disturb all alike. "CPU" counts processor seconds of the process and
is the steadier of the two on shared cores. The C loop paints one canvas after the other, which keeps its tile in the
nearest cache; "in turn" it paints a curve on every canvas, then the next, as a batch of environments must. In two
threads, each with half the canvases, it shows the most that a second thread can bring on this machine.
The C loop needs a C compiler, pkg-config and libmypaint's headers.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import random
import shlex
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from limner.worlds.paint.brushes import find_brush
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PaintSettings

BRUSHES = ("classic/dry_brush", "classic/pen", "classic/calligraphy")
BATCH, STEPS = 64, 10
Seconds = tuple[float, float]
"""CPU seconds, wall seconds."""


def compile_loop(folder: Path) -> ctypes.CDLL:
    """Compile `raw_strokes.c` with the system's compiler."""
    library = folder / "raw_strokes.so"
    command = ["pkg-config", "--cflags", "--libs", "libmypaint"]
    flags = shlex.split(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    source = Path(__file__).with_name("raw_strokes.c")
    subprocess.run(["cc", "-O3", "-shared", "-fPIC", str(source), "-o", str(library), *flags], check=True)
    return ctypes.CDLL(str(library))


def raw_canvases(library: ctypes.CDLL, brush_file: bytes, count: int) -> ctypes.c_void_p:
    """Canvases for `raw_strokes` to paint on."""
    library.raw_canvases.restype = ctypes.c_void_p
    canvases = ctypes.c_void_p(library.raw_canvases(brush_file, count))
    assert canvases, "the brush cannot be read"
    return canvases


def actions(renderer: Paint, rng: np.random.Generator) -> np.ndarray:
    """Random curves, pen always down: int64[STEPS, BATCH, P]."""
    sampled = renderer.actions.sample(rng, (STEPS, BATCH))
    sampled[..., 0] = 1
    return sampled


def events(renderer: Paint, steps: np.ndarray) -> list[list[np.ndarray]]:
    """The events of every canvas, of its reset and then of each curve, as `raw_strokes` reads them: float32[E, 7]."""
    settings = renderer.settings()
    cell = settings["canvas"] / settings["grid"]
    canvases = []
    for canvas, episode in enumerate(steps.swapaxes(0, 1)):
        curves = [[(3, canvas, 0, 0, 0, 1, 0)]]
        start, pressure = np.zeros(2), None
        for _, end, control, size, strength in episode.tolist():
            points = [(np.array(divmod(c, settings["grid"]))[::-1] + 0.5) * cell for c in (control, end)]
            target = (strength + 1) / settings["pressures"]
            radius = settings["sizes"][size]
            first = pressure if pressure is not None else target
            path = [(1, canvas, *start, first)] if pressure is None else []
            for t in np.arange(1, settings["events"] + 1) / settings["events"]:
                place = (1 - t) ** 2 * start + 2 * (1 - t) * t * points[0] + t**2 * points[1]
                path.append((0 if path else 1, canvas, *place, (1 - t) * first + t * target))
            curves.append([(*event, 1 / radius, np.log(radius)) for event in path])
            start, pressure = points[1], target
        canvases.append([np.asarray(rows, np.float32) for rows in curves])
    return canvases


def one_by_one(canvases: list[list[np.ndarray]]) -> np.ndarray:
    """The events of one canvas after the other, all on the same tile, which stays in the nearest cache."""
    rows = np.concatenate([curve for curves in canvases for curve in curves])
    rows[:, 1] = 0
    return rows


def in_turn(canvases: list[list[np.ndarray]]) -> np.ndarray:
    """A curve on every canvas, then the next: the order in which a batch of environments has to paint."""
    return np.concatenate([curve for curves in zip(*canvases, strict=True) for curve in curves])


def timed(work: Callable[[], object]) -> Seconds:
    """CPU and wall seconds that `work` takes."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def episode(renderer: Paint, steps: np.ndarray) -> None:
    """Reset and paint all steps."""
    renderer.reset()
    for step in steps:
        renderer.step(step)


def measure(brush: str, library: ctypes.CDLL, rounds: int) -> dict[str, float]:
    """Strokes per second and ratios for one brush."""
    one, two = (Paint(PaintSettings(brush=brush), BATCH, threads) for threads in (1, 2))
    steps = actions(one, np.random.default_rng(0))
    canvases = events(one, steps)
    straight, turns = one_by_one(canvases), in_turn(canvases)
    halves = one_by_one(canvases[: BATCH // 2]), one_by_one(canvases[BATCH // 2 :])
    file = find_brush(brush).read_bytes()
    single, other, batch = (raw_canvases(library, file, count) for count in (1, 1, BATCH))
    pool = ThreadPoolExecutor(2)

    def loop(canvases: ctypes.c_void_p, rows: np.ndarray) -> None:
        library.raw_strokes(canvases, rows.ctypes.data_as(ctypes.c_void_p), ctypes.c_long(len(rows)))

    things: dict[str, Callable[[], object]] = {
        "raw": lambda: loop(single, straight),
        "raw in turn": lambda: loop(batch, turns),
        "raw two": lambda: list(pool.map(loop, (single, other), halves)),
        "one": lambda: episode(one, steps),
        "two": lambda: episode(two, steps),
        "save": one.save,
        "restore": lambda: one.restore(saved),
    }
    episode(one, steps)
    saved = one.save()
    order = random.Random(0)
    times: dict[str, list[Seconds]] = defaultdict(list)
    for round_ in range(rounds + 1):
        for name in order.sample(list(things), len(things)):
            now = timed(things[name])
            if round_:  # the first is for warming up
                times[name].append(now)
    strokes = BATCH * STEPS

    def ratio(above: str, below: str, clock: int, scale: float = 1) -> float:
        pairs = zip(times[above], times[below], strict=True)
        return scale * statistics.median(a[clock] / b[clock] for a, b in pairs)

    def median(name: str, clock: int) -> float:
        return statistics.median(value[clock] for value in times[name])

    return {
        "strokes per CPU second": strokes / median("one", 0),
        "raw C strokes per CPU second": strokes / median("raw", 0),
        "renderer / raw C (CPU)": ratio("raw", "one", 0),
        "renderer / raw C (wall)": ratio("raw", "one", 1),
        "renderer / raw C, canvases in turn (CPU)": ratio("raw in turn", "one", 0),
        "two threads / one (wall)": ratio("one", "two", 1),
        "raw C in two threads / one (wall)": ratio("raw", "raw two", 1),
        "two threads / one (CPU, if both cores are free)": ratio("one", "two", 0, 2),
        f"save a canvas after {STEPS} strokes (us CPU)": 1e6 * median("save", 0) / BATCH,
        f"restore a canvas after {STEPS} strokes (us CPU)": 1e6 * median("restore", 0) / BATCH,
        "one stroke (us CPU)": 1e6 * median("one", 0) / strokes,
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        library = compile_loop(Path(folder))
        results = {brush: measure(brush, library, arguments.rounds) for brush in BRUSHES}
    if arguments.json:
        print(json.dumps(results))
        return
    for brush, figures in results.items():
        print(brush)
        for what, value in figures.items():
            print(f"  {what:52s} {value:10.3f}" if value < 100 else f"  {what:52s} {value:10.0f}")


if __name__ == "__main__":
    main()
