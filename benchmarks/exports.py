"""What exports cost: seconds, seconds of processor time and peak memory of ``limner export``, each in a process.

    limner paint photo.png --strokes 200 --search 40 --out few
    limner paint photo.png --strokes 3000 --search 300 --out many
    python benchmarks/exports.py few/program.json many/program.json

The first program is exported as PNG with 4096 and 8192 pixels along the longer side and as OpenRaster, the second as
MP4 and WebM with 1024, as films of 3,000 strokes and, to show that memory does not depend on their length, of a tenth.
``--wide`` adds the worst that 200 strokes can be: random ones across all of the canvas, up to three quarters as wide.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from limner.programs.program import Program
from limner.worlds import make_renderer


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("few", type=Path, help="a program of some 200 strokes")
    parser.add_argument("many", type=Path, help="a program of some 3,000 strokes")
    parser.add_argument("--wide", action="store_true", help="measure 200 strokes across all of the canvas, too")
    given = parser.parse_args()
    print("| export | actions | seconds | processor seconds | peak memory, MB | file, MB |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size in (4096, 8192):
            measure(given.few, folder, "png", "--size", str(size))
        measure(given.few, folder, "ora", "--size", "1024", "--layers", "200")
        for kind in ("mp4", "webm"):
            for frames in (300, 3001):
                measure(given.many, folder, kind, "--size", "1024", "--frames", str(frames))
        if given.wide:
            wide_strokes().save(folder / "wide.json")
            measure(folder / "wide.json", folder, "png", "--size", "4096")


def wide_strokes() -> Program:
    """200 random strokes of all radii, between places anywhere on the canvas."""
    renderer = make_renderer({"name": "paint", "canvas": 512, "color": True, "space": "stroke"})
    return Program(renderer.settings(), renderer.actions.sample(np.random.default_rng(0), 200))


def measure(program: Path, folder: Path, kind: str, *flags: str) -> None:
    """Export a program in a process of its own and print a row."""
    out = folder / f"out.{kind}"
    words = [sys.executable, "-m", "limner", "export", str(program), "--to", kind, "--out", str(out), *flags]
    started = time.perf_counter()
    child = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(f"{' '.join(words)}: exit status {child.returncode}")
    cells = [f"{program.stem if program.stem == 'wide' else ''} {kind} {' '.join(flags)}".strip()]
    cells += [str(len(Program.load(program))), f"{seconds:.1f}", f"{usage.ru_utime + usage.ru_stime:.1f}"]
    cells += [f"{usage.ru_maxrss / 1000:.0f}", f"{out.stat().st_size / 1e6:.2f}"]
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
