"""Does an agent draw as people do? Its strokes against the recorded ones of the person whose character it draws.

    LIMNER_DATA=DATA python experiments/compare_strokes.py --agent runs/omniglot --pictures 100 --search 0.5

Notable choices:
- Only characters by the test drawers, 19 and 20, of the alphabets with recorded strokes (``data.human_strokes``).
- The row "another person" is the other one of the two, drawing the same character. It is moved and scaled onto the
  first drawing; its distances still hold the differences between two people, while the agent draws the very picture.
- The row "agent, at random" is the agent's drawings with their strokes in random order, each reversed or not, several
  times: what order and direction come to by chance. The other figures are the agent's by construction.
- Every figure is a mean over the pictures that have one; "same number" is the share with as many strokes as the person.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import cycle

import numpy as np
import torch
import tyro

from limner.agents.agent import load_agent
from limner.data import FileDataset, load_dataset
from limner.data.human_strokes import Handwriting, Points, drawing_name, load_handwriting
from limner.data.omniglot import TEST_DRAWERS
from limner.inference.draw import DrawOptions
from limner.inference.evaluate import reconstruct
from limner.metrics.strokes import Comparison, aligned, compare
from limner.programs.strokes import pen_strokes

SHUFFLES = 8
"""Random orders of each drawing."""


@dataclass(frozen=True)
class CompareStrokes:
    """Which agent, and on what."""

    agent: str
    """Name of an agent that comes with Limner, or folder of a run or checkpoint."""
    data: str = "omniglot"
    """``omniglot``, or some of its alphabets, as ``omniglot:Latin``."""
    pictures: int | None = None
    """Spread evenly through those with strokes. None: all."""
    search: float = 0.0
    """Seconds of search for each picture."""
    sweeps: int | None = None
    """Sweeps of refinement for each picture, in place of seconds."""
    seed: int = 0
    threads: int = 1


def recorded(data: str, handwriting: Handwriting) -> FileDataset:
    """The test pictures of ``data`` whose strokes were recorded."""
    pictures = load_dataset(data, "test")
    if not isinstance(pictures, FileDataset):
        raise SystemExit(f"{data!r} is not Omniglot")
    rows = [row for row, file in enumerate(pictures.files) if drawing_name(file) in handwriting]
    if not rows:
        raise SystemExit(f"no strokes were recorded for the pictures of {data!r}")
    return pictures.select(np.array(rows))


def other_drawer(name: str) -> str:
    """The drawing of the same character by the other test drawer."""
    first, second = (f"{drawer:02}" for drawer in TEST_DRAWERS)
    return name[:-2] + (second if name.endswith(first) else first)


def at_random(strokes: list[Points], rng: np.random.Generator) -> list[Points]:
    """The strokes in random order, each in a random direction."""
    return [strokes[i][:: rng.choice((1, -1))] for i in rng.permutation(len(strokes))]


def row(name: str, comparisons: Iterable[Comparison]) -> str:
    """One row of the table, in Markdown."""
    figures = [(c.strokes, c.expected, c.strokes == c.expected, c.chamfer, c.order, c.direction) for c in comparisons]
    known = [column[~np.isnan(column)] for column in np.array(figures, float).T]
    cells = [f"{column.mean():.3f}" if len(column) else "" for column in known]
    return f"| {name} | {' | '.join(cells)} |"


def main(asked: CompareStrokes) -> None:
    """Print the table."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(asked.seed)
    handwriting = load_handwriting()
    pictures = recorded(asked.data, handwriting)
    pictures = pictures.spread(asked.pictures) if asked.pictures is not None else pictures
    options = DrawOptions(seconds=asked.search, sweeps=asked.sweeps, seed=asked.seed, threads=asked.threads)
    result = reconstruct(load_agent(asked.agent), pictures, options=options)
    names = [drawing_name(file) for file in pictures.files]
    theirs = [handwriting.strokes(name) for name in names]
    others = [handwriting.strokes(other_drawer(name)) for name in names]
    drawn = [[stroke[:, :2] for stroke in pen_strokes(program)] for program in result.programs]
    rows = {
        "agent": drawn,
        "agent, at random": [at_random(strokes, rng) for strokes in drawn * SHUFFLES],
        "another person": [aligned(other, onto) for other, onto in zip(others, theirs, strict=True)],
    }
    metrics = result.metrics
    print(f"{metrics.pictures} pictures, mse {metrics.mse:.4f}, {metrics.strokes:g} curves a drawing", end="\n\n")
    print("| drawn by | strokes | the person's | same number | Chamfer | order, τ | direction |")
    print("|---|---|---|---|---|---|---|")
    for name, drawings in rows.items():
        print(row(name, (compare(*pair) for pair in zip(drawings, cycle(theirs), strict=False))))


if __name__ == "__main__":
    main(tyro.cli(CompareStrokes, description=__doc__))
