"""How fast the studio shows any step of a program and any change of a stroke, and what it has painted first.

    python benchmarks/studio.py [--strokes 3000] [--size 1024] [--program FILE]

Without a file the program is made of random strokes in colour: a tenth of them up to 15 pixels of a 64-pixel canvas
wide, the others much finer, as in a painting. Seeks are to random steps. Changes are to the widest strokes, which are
the slowest, and to random ones: each has another size, and the picture is read after it. Wall seconds count whatever
else the machine does; processor seconds do not. "First strokes" is the time from a request until the document shows
strokes, by search, with the agent loaded.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from limner.programs.execution import execute
from limner.programs.program import Program
from limner.studio.document import Document
from limner.studio.easel import Easel
from limner.studio.jobs import Jobs
from limner.studio.picture import encode
from limner.worlds.paint.settings import PaintSettings, paint_actions
from limner.worlds.validation import plain

SIZES = (0.1, 0.2, 0.4, 0.8, 1.5, 3, 6, 10, 15)


def random_painting(strokes: int) -> Program:
    """Short strokes everywhere, most of them fine."""
    settings = PaintSettings(
        canvas=512, brush="experimental/basic", color=True, space="stroke", grid=512, sizes=SIZES, events=16
    )
    space, rng = paint_actions(settings), np.random.default_rng(0)
    actions = space.sample(rng, strokes)
    wide = rng.random(strokes) < 0.1
    actions[:, space.index("size")] = np.where(wide, rng.integers(5, 9, strokes), rng.integers(0, 5, strokes))
    middle = rng.integers(0, 512, (strokes, 2))
    for name in ("start", "control", "end"):
        row, column = np.clip(middle + rng.normal(0, 12, (strokes, 2)), 0, 511).astype(int).T
        actions[:, space.index(name)] = row * 512 + column
    return Program(plain(settings), actions)


def measure(name: str, times: int, work: Callable[[int], object]) -> None:
    """Print the median and the largest time of ``work(0)``, ``work(1)``, …"""
    wall, used = [], []
    for i in range(times):
        clocks = time.perf_counter(), time.process_time()
        work(i)
        wall.append(time.perf_counter() - clocks[0])
        used.append(time.process_time() - clocks[1])
    figures = [f"{1000 * np.median(x):.0f} median, {1000 * max(x):.0f} most" for x in (wall, used)]
    print(f"{name:<34} {figures[0]} (processor: {figures[1]}) ms")


def change(document: Document, step: int) -> None:
    """Give a stroke another size, and read the picture."""

    def edit(program: Program) -> Program:
        actions, index = program.actions.copy(), program.space.index("size")
        actions[step, index] = (actions[step, index] + 1) % program.space.sizes[index]
        return replace(program, actions=actions)

    document.change(edit, "size")
    document.picture(len(document.program))


def first_strokes() -> None:
    """Print how long a person waits for the first strokes of a painting."""
    jobs, shades = Jobs(("long",), ["faces"]), np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(shades).resize((512, 512)).save(file, "PNG")
    request = {"do": "paint", "agent": "faces", "strokes": 500, "seconds": 60.0, "detail": None, "seed": 0}
    request |= {"threads": 2, "region": None, "start": None}
    blank = Program(plain(PaintSettings(color=True, space="stroke")), np.zeros((0, 8), np.int64))
    try:
        for name in ("to load the agent, and first strokes", "first strokes"):
            easel, start = Easel(blank, file.getvalue()), time.perf_counter()
            easel.paint(jobs, "me", request)
            while len(easel.document.program) == 0 and easel.painting:
                time.sleep(0.005)
            print(f"{name:<34} {time.perf_counter() - start:.2f} s")
            easel.close()
            while easel.painting:
                time.sleep(0.01)
    finally:
        jobs.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strokes", type=int, default=3000)
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--program", type=Path)
    words = parser.parse_args()
    program = Program.load(words.program) if words.program else random_painting(words.strokes)
    program = replace(program, actions=program.actions[: words.strokes])
    document, count = Document(program, words.size), len(program)
    measure(f"open {count} strokes at {words.size} px", 1, lambda i: document.load())
    rng = np.random.default_rng(1)
    steps = rng.integers(0, count + 1, 100)
    measure("seek", 100, lambda i: document.picture(int(steps[i])))
    measure("seek, and encode for a browser", 100, lambda i: encode(document.picture(int(steps[i]))))
    areas = [(right - left) * (bottom - top) for left, top, right, bottom in map(document.box, range(count))]
    widest = np.argsort(areas)[::-1]
    measure("change one of the widest strokes", min(20, count), lambda i: change(document, int(widest[i])))
    measure("change any stroke", 60, lambda i: change(document, int(rng.integers(count))))
    apart = np.abs(document.picture(count).astype(int) - execute(document.program, words.size))
    print(f"{'differs from the engine by':<34} {apart.max()} of 255 at most, {apart.mean():.2f} on average")
    first_strokes()


if __name__ == "__main__":
    main()
