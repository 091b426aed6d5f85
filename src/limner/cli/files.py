"""What commands read and write: a program, and what training, sampling, evaluation and painting leave in a folder."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from limner.files import is_disk_full, made, write_atomic
from limner.worlds.validation import require

if TYPE_CHECKING:
    from limner.export.picture import Pixels
    from limner.inference.evaluate import Reconstruction
    from limner.programs.program import Program
    from limner.training.population.history import History

SHEET = 100
"""Most canvases on a sheet."""
PAIRS = 32
"""Most pairs on a sheet."""


def load_program(path: Path, index: int | None) -> Program:
    """The program of a file, or of line ``index`` of a .jsonl file, the first by default."""
    from limner.programs.program import Program, load_programs

    if path.suffix != ".jsonl":
        require(index is None, f"--index picks a line of a .jsonl file, {path} is none")
        return Program.load(path)
    programs, index = load_programs(path), index or 0
    if not 0 <= index < len(programs):
        raise ValueError(f"--index is {index}: {path} holds {len(programs)} programs, counted from 0")
    return programs[index]


def check_folder(folder: Path) -> None:
    """``ValueError`` when results could not be written into ``folder``, ``OSError`` on a full disk; nothing is left."""
    require(folder.is_dir() or not folder.exists(), f"--out {folder} is a file: name a folder")
    try:
        with made(folder):
            tempfile.NamedTemporaryFile(dir=folder).close()
    except OSError as error:
        if is_disk_full(error):
            raise OSError(error.errno, error.strerror, str(folder)) from error
        raise ValueError(f"cannot write into the folder {folder}: {error.strerror}") from error


def check_file(path: Path) -> None:
    """As ``check_folder``, of the folder of a file that is going to be written."""
    require(not path.is_dir(), f"--out {path} is a folder: name a file")
    check_folder(path.parent)


def write_samples(folder: Path, canvases: Pixels, programs: Sequence[Program]) -> None:
    """``samples.npz`` with ``canvas`` uint8[N, H, W, C], ``programs.jsonl``, ``sheet.png``, ``drawing.gif``."""
    import numpy as np

    from limner.export.picture import png, sheet
    from limner.programs.program import save_programs

    archive = io.BytesIO()
    np.savez_compressed(archive, canvas=canvases)
    write_atomic(folder / "samples.npz", archive.getvalue())
    save_programs(folder / "programs.jsonl", programs)
    write_atomic(folder / "sheet.png", png(sheet(canvases[:SHEET])))
    _write_drawing(folder, programs)


def write_pairs(folder: Path, result: Reconstruction) -> None:
    """``pairs.png``, ``programs.jsonl``, ``drawing.gif``."""
    from limner.export.picture import pairs, png
    from limner.programs.program import save_programs

    save_programs(folder / "programs.jsonl", result.programs)
    write_atomic(folder / "pairs.png", png(pairs(result.goals[:PAIRS], result.drawings[:PAIRS])))
    _write_drawing(folder, result.programs)


def _write_drawing(folder: Path, programs: Sequence[Program]) -> None:
    """``drawing.gif``: the first 16 programs being executed, 128 pixels a side each."""
    from limner.export.animation import gif
    from limner.export.picture import together
    from limner.programs.execution import frames

    drawings = [frames(program, 128) for program in programs[:16]]
    write_atomic(folder / "drawing.gif", gif(together(drawings), step=0.3))


def write_painting(folder: Path, program: Program, size: int, report: Callable[[int, int], None]) -> None:
    """``program.json``, ``painted.png`` and ``painting.gif``, with ``size`` and 256 pixels along the longer side.

    ``report`` is told how many strokes of ``painted.png`` are painted, of how many. ``painting.gif`` has up to 48
    frames.
    """
    import numpy as np

    from limner.export.animation import gif
    from limner.export.picture import png
    from limner.programs.execution import snapshots

    program.save(folder / "program.json")
    counts = np.unique(np.linspace(0, len(program), 101, dtype=int)).tolist()
    for count, picture in zip(counts, snapshots(program, counts, size), strict=True):
        report(count, len(program))
        painted = picture
    write_atomic(folder / "painted.png", png(painted))
    slowly = np.unique(np.ceil(len(program) * np.linspace(0, 1, 48) ** 2).astype(int)).tolist()  # at first
    write_atomic(folder / "painting.gif", gif(list(snapshots(program, slowly, 256)), hold=3.0))


def write_report(folder: Path) -> None:
    """``curves.svg``, ``curves.png`` and ``report.html`` from what a run left in its folder."""
    from limner.export import curves
    from limner.export.report import load_reference, report
    from limner.training.log import read_log

    figure = curves.learning_curves(read_log(folder / "log.jsonl"), reference=load_reference(folder))
    write_atomic(folder / "curves.svg", curves.encode(figure, "svg"))
    write_atomic(folder / "curves.png", curves.encode(figure, "png"))
    write_atomic(folder / "report.html", report(folder))


def write_history(history: History) -> None:
    """``population.svg`` and ``population.png`` from what has happened to a population, in its folder."""
    from limner.export import curves
    from limner.export.population import population_history

    figure = population_history(history)
    write_atomic(history.folder / "population.svg", curves.encode(figure, "svg"))
    write_atomic(history.folder / "population.png", curves.encode(figure, "png"))
