"""Evaluation: an agent draws the pictures of a data set, and the drawings are measured."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from limner.agents.agent import Agent
from limner.agents.config import AgentConfig
from limner.data import Dataset, Pictures, load_dataset
from limner.data.generated import ProgramDataset
from limner.data.resize import match_channels
from limner.extras import require_extra
from limner.inference.draw import DrawOptions, check_drawing, draw
from limner.metrics.generation import Reference, make_reference
from limner.metrics.reconstruction import frechet, squared_error, structural_similarity
from limner.metrics.sample_size import compared_pictures
from limner.programs.program import Program
from limner.worlds.world import Canvas


@dataclass(frozen=True)
class ReconstructionMetrics:
    """Means over the pictures of a data set."""

    mse: float
    """Mean squared error of a pixel value."""
    ssim: float
    """Structural similarity (Wang et al. 2004), at most 1."""
    frechet: float | None
    """Fréchet distance, squared, of the drawings from the pictures; less is better, and it compares only between equal
    numbers of pictures. None with fewer than ``reconstruction.FEWEST``."""
    strokes: float
    """What a program is counted by (``World.count``): curves painted, or objects."""
    seconds_per_image: float
    empty_mse: float
    """The error of an empty canvas, for comparison."""
    pictures: int
    """How many pictures were drawn."""


@dataclass(frozen=True)
class Reconstruction:
    """What was drawn of a data set, and how well."""

    metrics: ReconstructionMetrics
    goals: Pictures
    """``uint8[N, H, W, C]``."""
    drawings: Canvas
    programs: list[Program]
    program_metrics: dict[str, float]
    """How well the programs match those behind the pictures (``World.metrics``); empty where these are not known."""


def generation_reference(config: AgentConfig, data: str) -> Reference:
    """What drawings of an unconditional agent with this ``config`` are measured against, as they are in training.

    1,000 test digits of the data set ``data``, or all there are, as many training digits, and random strokes of seed 0.
    """
    train, test = load_dataset(data, "train"), load_dataset(data, "test")
    count = compared_pictures(len(train), len(test), data)
    return make_reference(test, train, config.make_renderer(count), config.horizon, np.random.default_rng(0), count)


def reconstruct(
    agent: Agent,
    data: Dataset,
    limit: int | None = None,
    options: DrawOptions = DrawOptions(),
    report: Callable[[int, int], None] | None = None,
) -> Reconstruction:
    """Let ``agent`` draw ``limit`` pictures (all by default), spread evenly through ``data``, and measure.

    ``report`` is told how many are done, of how many. ``ValueError`` as ``draw``, ``ImportError``
    without the extra ``train``.
    """
    require_extra("train", "measuring drawings")
    check_drawing(agent)
    data = data if limit is None or limit >= len(data) else data.spread(limit)
    renderer = agent.config.make_renderer(1)
    goals = match_channels(data.pictures(renderer.shape[0]), renderer.shape[2])
    drawings: list[Canvas] = []
    programs: list[Program] = []
    seconds = 0.0
    for part in draw(agent, goals, options):
        drawings.append(part.canvases)
        programs += part.programs
        seconds += part.seconds
        if report is not None:
            report(len(programs), len(goals))
    pictures, world, space = np.concatenate(drawings), agent.config.world, renderer.actions
    metrics = ReconstructionMetrics(
        mse=float(squared_error(pictures, goals).mean()),
        ssim=float(structural_similarity(pictures, goals).mean()),
        frechet=frechet(pictures, goals),
        strokes=float(np.mean([world.count(space, program.actions) for program in programs])),
        seconds_per_image=seconds / len(goals),
        empty_mse=float(squared_error(renderer.canvas(), goals).mean()),
        pictures=len(goals),
    )
    program_metrics: dict[str, float] = {}
    if isinstance(data, ProgramDataset) and space == data.space:
        program_metrics = world.metrics(space, [program.actions for program in programs], list(data.programs))
    return Reconstruction(metrics, goals, pictures, programs, program_metrics)
