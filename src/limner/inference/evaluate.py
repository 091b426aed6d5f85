"""How close do drawings come to what was to be drawn? Error, structural similarity, Fréchet distance, strokes, seconds.

Notable choices:
- Figures are at the size of the agent's canvas, with pixel values counted from 0 to 1, so that they compare with the
  curves of Ganin et al. 2018 (64×64).
- The Fréchet distance is that of ``metrics.generation``, on the standardised features of ``metrics.features``, between
  the drawings and the very pictures that were to be drawn. They share their content, so it is 0 for perfect drawings
  and less than the same figure between other pictures. Colour counts as luma: the features see grey. They are those of
  a digit classifier: on other pictures they tell alike from unlike, but what they see has no name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limner.actions import PAINT
from limner.agents.agent import Agent
from limner.data import Dataset, Pictures, luma
from limner.data.scenes import SceneDataset
from limner.inference.draw import Plan, check_drawing, draw
from limner.metrics.features import describe, small_grey
from limner.metrics.generation import frechet_distance
from limner.programs.program import Program
from limner.search.lookahead import Score, likeness
from limner.worlds.scenes.metrics import SceneMetrics, compare_scenes
from limner.worlds.scenes.objects import objects
from limner.worlds.world import Canvas

FEWEST = 128
"""Pictures that a Fréchet distance needs: twice the 64 features, as from fewer their covariance cannot be told."""


@dataclass(frozen=True)
class Likeness:
    """Means over the pictures of a data set."""

    mse: float
    """Mean squared error of a pixel value."""
    ssim: float
    """Structural similarity (Wang et al. 2004), at most 1."""
    frechet: float | None
    """Fréchet distance, squared, of the drawings from the pictures; less is better, and it compares only between equal
    numbers of pictures. None with fewer than ``FEWEST``."""
    strokes: float
    """Curves painted in a drawing."""
    seconds_per_image: float
    empty_mse: float
    """The error of an empty canvas, for comparison."""
    pictures: int
    """How many pictures were drawn."""


@dataclass(frozen=True)
class Reconstruction:
    """What was drawn of a data set, and how well."""

    likeness: Likeness
    goals: Pictures
    """``uint8[N, H, W, C]``."""
    drawings: Canvas
    programs: list[Program]
    structure: SceneMetrics | None
    """Of the programs beside those that the pictures were made from, where these are known."""


def reconstruct(
    agent: Agent,
    data: Dataset,
    search: float = 0.0,
    limit: int | None = None,
    seed: int = 0,
    threads: int = 1,
    report: Callable[[int, int], None] | None = None,
    plan: Plan = "refine",
    score: Score = likeness,
) -> Reconstruction:
    """Let ``agent`` draw ``limit`` pictures (all by default), spread evenly through ``data``, and measure.

    ``search`` is in seconds a picture; ``plan`` and ``score`` as for ``draw``. ``report`` is told how many are done, of
    how many. ``ValueError`` as ``draw``.
    """
    check_drawing(agent)
    data = data if limit is None or limit >= len(data) else data.spread(limit)
    renderer = agent.config.make_renderer(1)
    goals = fit(data.pictures(renderer.shape[0]), renderer.shape[2])
    drawings: list[Canvas] = []
    programs: list[Program] = []
    seconds = 0.0
    for part in draw(agent, goals, search, seed, threads, plan=plan, score=score):
        drawings.append(part.canvases)
        programs += part.programs
        seconds += part.seconds
        if report is not None:
            report(len(programs), len(goals))
    pictures = np.concatenate(drawings)
    closeness = Likeness(
        mse=float(squared_error(pictures, goals).mean()),
        ssim=float(structural_similarity(pictures, goals).mean()),
        frechet=frechet(pictures, goals),
        strokes=float(np.mean([count_strokes(program) for program in programs])),
        seconds_per_image=seconds / len(goals),
        empty_mse=float(squared_error(renderer.canvas(), goals).mean()),
        pictures=len(goals),
    )
    structure = None
    if isinstance(data, SceneDataset) and renderer.actions == data.space:
        structure = compare_scenes(renderer.actions, [program.actions for program in programs], list(data.programs))
    return Reconstruction(closeness, goals, pictures, programs, structure)


def fit(pictures: Pictures, channels: int) -> Pictures:
    """Pictures ``uint8[N, S, S, 1 or 3]`` with as many ``channels`` as the agent's canvas: grey is luma (BT.601)."""
    if pictures.shape[3] == channels:
        return pictures
    if channels == 3:
        return np.repeat(pictures, 3, axis=3)
    if channels == 1:
        return luma(pictures)[..., None]
    raise ValueError(f"an agent whose canvas has {channels} channels cannot be given pictures: choose a white ground")


def squared_error(drawings: Canvas, goals: Pictures) -> NDArray[np.float64]:
    """Mean squared error ``float64[N]`` of ``uint8[N, H, W, C]``, values counted from 0 to 1."""
    difference = (drawings.astype(np.float64) - goals) / 255
    return np.asarray(np.square(difference).reshape(len(goals), -1).mean(1))


def structural_similarity(drawings: Canvas, goals: Pictures) -> NDArray[np.float64]:
    """Structural similarity ``float64[N]`` (Wang et al. 2004: Gaussian window, σ 1.5) of ``uint8[N, H, W, C]``."""
    from skimage.metrics import structural_similarity as similarity

    options = {"channel_axis": -1, "data_range": 255, "gaussian_weights": True, "use_sample_covariance": False}
    values = [similarity(a, b, **options) for a, b in zip(drawings, goals, strict=True)]  # type: ignore[no-untyped-call]
    return np.asarray(values)


def frechet(drawings: Canvas, goals: Pictures) -> float | None:
    """Squared Fréchet distance of ``uint8[N, H, W, 1 or 3]`` on white; None when N < ``FEWEST``."""
    if len(goals) < FEWEST:
        return None
    drawn, wanted = (describe(small_grey(pictures)).features for pictures in (drawings, goals))
    return frechet_distance(wanted, drawn)


def count_strokes(program: Program) -> int:
    """How many of the actions paint, or how many objects are left of those that they place."""
    if "op" in program.space:
        return len(objects(program.space, program.actions))
    if "flag" in program.space:
        return int((program.actions[:, program.space.index("flag")] == PAINT).sum())
    return len(program)
