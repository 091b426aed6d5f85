"""How fast the renderer paints, against a bare C loop over the very same events, and what threads and copies add.

    python benchmarks/painting.py [--rounds 15] [--json]

Every figure is the median over rounds in which the things compared take turns, so that other work on the machine
disturbs both alike. "CPU" counts processor seconds of the process and is the steadier of the two on shared cores.
The C loop in two threads, each with half the canvases, is the most that a second thread can bring on this machine.
The C loop needs a C compiler, pkg-config and libmypaint's headers.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import shlex
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from limner.renderers.brushes import find_brush
from limner.renderers.paint import Paint, PaintSettings, PaintState

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


def actions(renderer: Paint, rng: np.random.Generator) -> np.ndarray:
    """Random curves, pen always down: int64[STEPS, BATCH, P]."""
    sampled = renderer.actions.sample(rng, (STEPS, BATCH))
    sampled[..., 0] = 1
    return sampled


def events(renderer: Paint, steps: np.ndarray) -> np.ndarray:
    """The events of those curves, canvas after canvas, as `raw_strokes` reads them: float32[E, 6]."""
    settings = renderer.settings()
    cell = settings["canvas"] / settings["grid"]
    rows = []
    for episode in steps.swapaxes(0, 1):
        rows.append((3, 0, 0, 0, 1, 0))
        start, pressure = np.zeros(2), None
        for _, end, control, size, strength in episode.tolist():
            points = [(np.array(divmod(c, settings["grid"]))[::-1] + 0.5) * cell for c in (control, end)]
            target = (strength + 1) / settings["pressures"]
            radius = settings["sizes"][size]
            first = pressure if pressure is not None else target
            path = [(1, *start, first)] if pressure is None else []
            for t in np.arange(1, settings["events"] + 1) / settings["events"]:
                place = (1 - t) ** 2 * start + 2 * (1 - t) * t * points[0] + t**2 * points[1]
                path.append((0 if path else 1, *place, (1 - t) * first + t * target))
            rows += [(*event, 1 / radius, np.log(radius)) for event in path]
            start, pressure = points[1], target
    return np.asarray(rows, np.float32)


def timed(work: Callable[[], None]) -> Seconds:
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
    rows = events(one, steps)
    file = find_brush(brush).read_bytes()

    half = next(index for index in np.flatnonzero(rows[:, 0] == 3) if index >= len(rows) // 2)

    def loop(rows: np.ndarray = rows) -> None:
        assert library.raw_strokes(file, rows.ctypes.data_as(ctypes.c_void_p), ctypes.c_long(len(rows)))

    pool = ThreadPoolExecutor(2)

    def halves() -> None:
        list(pool.map(loop, (rows[:half], rows[half:])))

    saved: list[PaintState] = []
    times: dict[str, list[Seconds]] = {"raw": [], "raw two": [], "one": [], "two": [], "save": [], "restore": []}
    for round_ in range(rounds + 1):
        now = {
            "raw": timed(loop),
            "raw two": timed(halves),
            "one": timed(lambda: episode(one, steps)),
            "two": timed(lambda: episode(two, steps)),
            "save": timed(lambda: saved.append(one.save())),
            "restore": timed(lambda: one.restore(saved.pop())),
        }
        if round_:  # the first is for warming up
            for name, value in now.items():
                times[name].append(value)
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
