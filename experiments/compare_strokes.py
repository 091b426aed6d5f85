"""Does an agent draw as people do? Its strokes against the recorded ones of the person whose character it draws.

    LIMNER_DATA=DATA python experiments/compare_strokes.py --agent runs/omniglot --pictures 100 --search 0.5

The recorded strokes are Omniglot's, drawn online (Lake et al., Science 2015), in files as published and named as the
pictures are, ``strokes_background/<Alphabet>/characterNN/NNNN_MM.txt``: a line START, the points of a stroke as
``x,y,milliseconds``, a line BREAK after each stroke. Coordinates are pixels of the 105 × 105 picture with y upwards;
(0, 0) is taken for the centre of the upper left pixel, which fits best: the bounding boxes of points and of pictures
then agree to 0.15 of a pixel in the mean. Points may lie outside the picture.

Notable choices:
- Only characters by the test drawers, 19 and 20, of the alphabets with recorded strokes.
- The row "another person" is the other one of the two, drawing the same character. It is moved and scaled onto the
  first drawing; its distances still hold the differences between two people, while the agent draws the very picture.
- The row "agent, at random" is the agent's drawings with their strokes in random order, each reversed or not, several
  times: what order and direction come to by chance. The other figures are the agent's by construction.
- Every figure is a mean over the pictures that have one; "same number" is the share with as many strokes as the person.
- Strokes are first resampled to points at even distances along them: neither the speed of a pen nor the parameter of a
  curve counts.
- Strokes are matched one to one with the least sum of Chamfer distances (Hungarian method). Strokes that are left over
  in one drawing count only in the numbers of strokes, beside which all other figures have to be read.
- Direction is taken from tangents, not from ends: the tangents at every point of one stroke and the nearest point of
  the other are compared. So it is defined for closed strokes, wherever they begin, and for parts of strokes.
"""

from __future__ import annotations

import io
import lzma
import re
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
import torch
import tyro
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.stats import kendalltau

from limner.agents.agent import load_agent
from limner.data import FileDataset, load_dataset
from limner.data.omniglot import TEST_DRAWERS
from limner.data.root import find_place
from limner.inference.draw import DrawOptions
from limner.inference.evaluate import reconstruct
from limner.programs.execution import pen_strokes

Points = NDArray[np.float64]
"""A stroke, ``float64[n, 2]``: (x, y) from the upper left corner, in sides of the canvas."""

PLACE = "omniglot/strokes_background_small"
LARGEST = 2**28
"""Bytes that the archive may unpack to, in memory: ten times the published one."""
SIDE = 105
NAME = re.compile(r"(?:.*/)?([^/]+/character\d+/\d+_\d+)\.(?:txt|png)")
POINTS = 48
"""Points that a stroke is resampled to."""
SHUFFLES = 8
"""Random orders of each drawing."""


class Handwriting:
    """Recorded drawings by their ``names``, such as ``Greek/character01/0394_19``."""

    def __init__(self, files: dict[str, bytes], where: Path) -> None:
        """``files`` holds the content of the published files by name, ``where`` is named in errors."""
        self.names = tuple(sorted(files))
        self._files, self._where = files, where

    def __contains__(self, name: object) -> bool:
        return name in self._files

    def strokes(self, name: str) -> list[Points]:
        """The strokes of a drawing in order; ``KeyError`` when it was not recorded, ``ValueError`` when damaged."""
        try:
            return _parse(self._files[name])
        except ValueError as error:
            raise ValueError(f"{name}.txt in {self._where}: {error}") from None


def load_handwriting(root: str | Path | None = None) -> Handwriting:
    """The recorded drawings in the data folder (``root`` as in ``load_dataset``), a folder or ``.tar.xz``.

    ``ValueError`` when there is none, or it is damaged.
    """
    remedy = "put Omniglot's published strokes there"
    place = find_place("omniglot strokes", (PLACE, f"{PLACE}.tar.xz"), remedy, root)
    try:
        files = _folder(place) if place.is_dir() else _archive(place)
    except (OSError, lzma.LZMAError, tarfile.TarError) as error:
        raise ValueError(f"cannot read {place}: {error}") from error
    named = {match[1]: content for name, content in files.items() if (match := NAME.fullmatch(name))}
    if not named:
        raise ValueError(f"{place} holds no file <Alphabet>/characterNN/NNNN_MM.txt: {remedy}")
    return Handwriting(named, place)


def drawing_name(file: str) -> str:
    """The name of the drawing in a picture's file; ``ValueError`` when that is not named as published."""
    match = NAME.fullmatch(file)
    if match is None:
        raise ValueError(f"{file!r} is not named as <Alphabet>/characterNN/NNNN_MM.png")
    return match[1]


def _folder(place: Path) -> dict[str, bytes]:
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*.txt")}


def _archive(place: Path) -> dict[str, bytes]:
    unpacker = lzma.LZMADecompressor(memlimit=LARGEST)
    content = unpacker.decompress(place.read_bytes(), LARGEST)
    if not unpacker.eof:
        raise ValueError(f"{place} is cut short, or larger than {LARGEST} bytes: fetch it again")
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        return {
            entry.name: content[entry.offset_data : entry.offset_data + entry.size] for entry in tar if entry.isreg()
        }


def _parse(content: bytes) -> list[Points]:
    lines = content.decode("ascii").split()
    if lines[:1] != ["START"] or lines[-1] != "BREAK":
        raise ValueError("must begin with START and end with BREAK: it is cut short, or no file of strokes")
    strokes: list[Points] = []
    points: list[list[float]] = []
    for number, line in enumerate(lines[1:], 2):
        if line != "BREAK":
            points.append(_point(line, number))
        elif points:
            x, y = np.array(points).T
            strokes.append(np.stack([x + 0.5, 0.5 - y], -1) / SIDE)
            points = []
        else:
            raise ValueError(f"line {number} ends a stroke without a point")
    if not strokes:
        raise ValueError("has no stroke")
    return strokes


def _point(line: str, number: int) -> list[float]:
    try:
        x, y, _ = (float(value) for value in line.split(","))
    except ValueError:
        raise ValueError(f"line {number} is {line[:40]!r}: must be x,y,milliseconds or BREAK") from None
    if not max(abs(x), abs(y)) < 10 * SIDE:  # not with nan
        raise ValueError(f"line {number} is {line[:40]!r}: that is far from the picture")
    return [x, y]


@dataclass(frozen=True)
class Comparison:
    """Figures of one drawing against another."""

    strokes: int
    """Of the drawing."""
    expected: int
    """Strokes of the other one."""
    chamfer: float
    """Mean symmetric Chamfer distance of matched strokes, in sides of the canvas; NaN if there is none."""
    order: float
    """Kendall's τ between the orders of matched strokes, in −1 … 1; NaN with fewer than two."""
    direction: float
    """Share of the matched strokes with the same direction, in [0, 1], without dots; NaN if there is none."""


def compare(drawn: Sequence[Points], other: Sequence[Points]) -> Comparison:
    """Compare the strokes of two drawings, each ``float64[n, 2]`` with n ≥ 1, in the order in which they were made."""
    if not drawn or not other:
        return Comparison(len(drawn), len(other), np.nan, np.nan, np.nan)
    a, b = (np.stack([resample(stroke) for stroke in strokes]) for strokes in (drawn, other))
    distances = chamfer(a, b)
    rows, columns = linear_sum_assignment(distances)
    ways = [same_way(a[i], b[j]) for i, j in zip(rows, columns, strict=True)]
    known = [way > 0 for way in ways if way != 0]
    return Comparison(
        len(drawn),
        len(other),
        chamfer=float(distances[rows, columns].mean()),
        order=float(kendalltau(rows, columns).statistic) if len(rows) > 1 else np.nan,
        direction=float(np.mean(known)) if known else np.nan,
    )


def resample(stroke: Points) -> Points:
    """``POINTS`` points at even distances along a stroke ``float64[n, 2]``, its ends included."""
    along = np.concatenate([[0], np.linalg.norm(np.diff(stroke, axis=0), axis=1).cumsum()])
    places = np.linspace(0, along[-1], POINTS)
    return np.stack([np.interp(places, along, values) for values in stroke.T], -1)


def chamfer(a: Points, b: Points) -> Points:
    """Symmetric Chamfer distances ``float64[A, B]`` of strokes ``float64[A, n, 2]`` and ``float64[B, n, 2]``.

    The mean distance of the points of each stroke from the other, as a polyline, averaged over both.
    """
    return np.asarray((_distances(a, b).mean(2) + _distances(b, a).mean(2).T) / 2)


def same_way(a: Points, b: Points) -> float:
    """Mean cosine between the tangents of strokes ``float64[n, 2]`` at nearest points, each way, in −1 … 1.

    Positive for the same direction, negative for opposite ones, 0 when one of them is a dot.
    """
    apart = np.linalg.norm(a[:, None] - b[None], axis=-1)
    cosines = _tangents(a) @ _tangents(b).T
    there = np.take_along_axis(cosines, apart.argmin(1)[:, None], 1)
    back = np.take_along_axis(cosines, apart.argmin(0)[None], 0)
    return float((there.mean() + back.mean()) / 2)


def aligned(strokes: Sequence[Points], onto: Sequence[Points]) -> list[Points]:
    """``strokes`` moved and scaled, equally in x and y, to the middle and diagonal of the bounding box of ``onto``.

    Drawings by two people, which differ in place and size, can then be matched by place.
    """
    low, high = _box(strokes)
    other_low, other_high = _box(onto)
    size, wanted = np.linalg.norm(high - low), np.linalg.norm(other_high - other_low)
    scale = wanted / size if size > 0 else 1.0
    return [(stroke - (low + high) / 2) * scale + (other_low + other_high) / 2 for stroke in strokes]


def _distances(points: Points, strokes: Points) -> Points:
    """Distances ``float64[A, B, n]`` of ``points`` float64[A, n, 2] from polylines ``strokes`` float64[B, m, 2]."""
    starts, steps = strokes[None, :, None, :-1], np.diff(strokes, axis=1)[None, :, None]
    offsets = points[:, None, :, None] - starts
    along = (offsets * steps).sum(-1) / np.maximum((steps * steps).sum(-1), 1e-24)
    apart = np.linalg.norm(offsets - np.clip(along, 0, 1)[..., None] * steps, axis=-1)
    return np.asarray(apart.min(3))


def _tangents(stroke: Points) -> Points:
    """Unit tangents at the points of a stroke; 0 where points coincide."""
    steps = np.gradient(stroke, axis=0)
    lengths = np.linalg.norm(steps, axis=1, keepdims=True)
    return np.where(lengths > 1e-12, steps / np.maximum(lengths, 1e-12), 0.0)


def _box(strokes: Sequence[Points]) -> tuple[Points, Points]:
    points = np.concatenate(list(strokes))
    return points.min(0), points.max(0)


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
