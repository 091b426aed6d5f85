"""``limner runs``: the runs below a folder, how far each is, and how well it does."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import tyro

from limner.training.listing import FIGURES, Run, describe, find_runs

WIDEST = 24
"""Characters of a data set's name that are shown."""


@dataclass(frozen=True)
class Runs:
    """List runs with their state, frames, minutes and best figures, the newest first."""

    folder: tyro.conf.Positional[Path] = Path("runs")
    """Folder in which to look for runs, at any depth."""
    json: bool = False
    """Print a JSON array of objects."""

    def run(self) -> None:
        """Look and print."""
        if not self.folder.is_dir():
            raise ValueError(f"there is no folder {self.folder}: name one that holds runs")
        runs = [describe(folder) for folder in find_runs(self.folder)]
        if self.json:
            print(json.dumps([asdict(run) for run in runs]))
        else:
            print("\n".join(table(runs, self.folder)) if runs else f"no runs in {self.folder}")


def table(runs: Sequence[Run], root: Path) -> list[str]:
    """Lines for a person: a column for each fact, or the reason instead where a run is damaged."""
    shown = [name for names in FIGURES for name in names if any(name in run.figures for run in runs)]
    headings = [name.replace("normalised_frechet", "norm. Fréchet") for name in shown]
    rows = [("run", "state", "algorithm", "data", "frames", "minutes", *headings)]
    rows += [_row(run, root, shown) for run in runs]
    facts = [row for row in rows if len(row) == len(rows[0])]
    widths = [max(len(row[i]) for row in (rows if i < 2 else facts)) for i in range(len(rows[0]))]
    aligned = [[f"{cell:{'<' if i < 4 else '>'}{widths[i]}}" for i, cell in enumerate(row)] for row in rows]
    return ["  ".join(cells).rstrip() for cells in aligned]


def _row(run: Run, root: Path, figures: Sequence[str]) -> tuple[str, ...]:
    """The cells of a run in the table."""
    name = os.path.relpath(run.folder, root)
    name = Path(run.folder).resolve().name if name == os.curdir else name
    if run.state == "damaged":
        return name, run.state, run.reason or ""
    data = run.data or "–"
    return (
        name,
        run.state,
        run.algorithm or "–",
        data if len(data) <= WIDEST else data[: WIDEST - 1] + "…",
        _short(run.frames) + (f" of {_short(run.frame_limit)}" if run.frame_limit is not None else ""),
        f"{run.minutes:.1f}" + (f" of {run.minute_limit:g}" if run.minute_limit is not None else ""),
        *(f"{run.figures[name]:.3g}" if name in run.figures else "–" for name in figures),
    )


def _short(count: float) -> str:
    """A count in three digits: 950, 1.5k, 12M."""
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= unit:
            return f"{count / unit:.3g}{letter}"
    return f"{count:g}"
