"""What training, sampling and evaluation leave in their folders."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from limner.cli.output import write

if TYPE_CHECKING:
    from limner.export.picture import Pixels
    from limner.inference.evaluate import Reconstruction
    from limner.inference.frame import Frame
    from limner.programs.program import Program

SHEET = 100
"""Most canvases on a sheet."""
PAIRS = 32
"""Most pairs on a sheet."""
DRAWINGS = 16
"""Most programs in one animation."""
DRAWING_SIZE = 128
"""Pixels a side of each of them."""
GROWTH = 48
"""Frames of a growing painting."""
GROWTH_SIZE = 256
"""Pixels along the longer side of them."""


def write_samples(folder: Path, canvases: Pixels, programs: Sequence[Program]) -> None:
    """``samples.npz`` with ``canvas`` uint8[N, H, W, C], ``programs.jsonl``, ``sheet.png``, ``drawing.gif``."""
    import numpy as np

    from limner.export.picture import png, sheet
    from limner.programs.program import save_programs

    archive = io.BytesIO()
    np.savez_compressed(archive, canvas=canvases)
    write(folder / "samples.npz", archive.getvalue())
    save_programs(folder / "programs.jsonl", programs)
    write(folder / "sheet.png", png(sheet(canvases[:SHEET])))
    _write_drawing(folder, programs)


def write_pairs(folder: Path, result: Reconstruction) -> None:
    """``pairs.png``, ``programs.jsonl``, ``drawing.gif``."""
    from limner.export.picture import pairs, png
    from limner.programs.program import save_programs

    save_programs(folder / "programs.jsonl", result.programs)
    write(folder / "pairs.png", png(pairs(result.goals[:PAIRS], result.drawings[:PAIRS])))
    _write_drawing(folder, result.programs)


def _write_drawing(folder: Path, programs: Sequence[Program]) -> None:
    """``drawing.gif``: the first programs being executed."""
    from limner.export.animation import gif, together
    from limner.programs.execution import frames

    drawings = [frames(program, DRAWING_SIZE) for program in programs[:DRAWINGS]]
    write(folder / "drawing.gif", gif(together(drawings), step=0.3))


def write_painting(folder: Path, program: Program, frame: Frame, size: int, report: Callable[[int, int], None]) -> None:
    """``program.json``, ``painted.png`` with ``size`` pixels along its longer side, ``painting.gif``.

    The program paints a square, of which the pictures show what lies in ``frame``. ``report`` is told how many strokes
    of ``painted.png`` are painted, of how many.
    """
    import numpy as np

    from limner.export.animation import gif
    from limner.export.picture import png
    from limner.programs.execution import snapshots

    program.save(folder / "program.json")
    counts = np.unique(np.linspace(0, len(program), 101, dtype=int)).tolist()
    for count, square in zip(counts, snapshots(program, counts, size), strict=True):
        report(count, len(program))
        picture = frame.cut(square)
    write(folder / "painted.png", png(picture))
    slowly = np.unique(np.ceil(len(program) * np.linspace(0, 1, GROWTH) ** 2).astype(int)).tolist()  # at first
    growth = np.stack([frame.cut(square) for square in snapshots(program, slowly, GROWTH_SIZE)])
    write(folder / "painting.gif", gif(growth, hold=3.0))


def write_report(folder: Path) -> None:
    """``curves.svg``, ``curves.png`` and ``report.html`` from what a run left in its folder."""
    from limner.export import curves
    from limner.export.report import load_reference, report
    from limner.training.log import read_log

    figure = curves.learning_curves(read_log(folder / "log.jsonl"), reference=load_reference(folder))
    write(folder / "curves.svg", curves.svg(figure))
    write(folder / "curves.png", curves.png(figure))
    write(folder / "report.html", report(folder))
