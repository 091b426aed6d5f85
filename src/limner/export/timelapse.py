"""A painting being made, as an animation or a film: which states are shown, and for how long.

Notable choices:
- A frame is written when it is painted: memory does not grow with their number.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import repeat
from pathlib import Path

import numpy as np

from limner.data.film import write_film
from limner.export.animation import gif_parts
from limner.export.apng import apng_parts
from limner.files import replacing
from limner.programs.execution import execute, picture_shape, snapshots
from limner.programs.program import Program
from limner.worlds.validation import require, require_range
from limner.worlds.world import Canvas, on_white

SMALL = 96
"""Pixels a side of the pictures that the palette of a GIF is made from."""
LARGEST = 2160
"""Most pixels along the longer side, as high as 4K films are."""


@dataclass(frozen=True)
class Pace:
    """How much of the painting is shown: ``ValueError`` names what is out of range."""

    frames: int = 200
    """Most states that are shown, 2 … 10,000, evenly through the program."""
    step: float = 0.12
    """Seconds for each, 0.02 … 60; of a film 1/120 … 1."""
    hold: float = 1.5
    """Seconds for the finished picture, 0.02 … 60."""

    def __post_init__(self) -> None:
        require_range("frames", self.frames, 2, 10_000)
        require_range("step", self.step, 1 / 120, 60, " seconds")
        require_range("hold", self.hold, 0.02, 60, " seconds")

    def counts(self, program: Program) -> list[int]:
        """After how many actions each state is shown."""
        shown = min(len(program) + 1, self.frames)
        counts: list[int] = np.linspace(0, len(program), shown).round().astype(int).tolist()
        return counts


ANIMATED = Pace()
FILMED = Pace(frames=900, step=1 / 30)


def write_timelapse(path: Path, program: Program, pace: Pace, size: int | None = None) -> str:
    """Write ``path``, a .gif, .png or .apng (animated), .mp4 or .webm; says how many frames and seconds it has.

    ``size`` is along the longer side, in pixels, the program's own by default. ``ValueError`` beyond ``LARGEST``, or
    where PyAV is needed and missing.
    """
    counts, kind = pace.counts(program), path.suffix.lower()
    longer = max(picture_shape(program, size)[:2])
    require(longer <= LARGEST, f"size is {longer}: an animation has at most {LARGEST} pixels along its longer side")
    seconds = (len(counts) - 1) * pace.step + pace.hold
    if kind in (".mp4", ".webm"):
        require_range("step", pace.step, 1 / 120, 1, " seconds in a film")
        rate = 1 / Fraction(pace.step).limit_denominator(120_000)
        write_film(path, _held(snapshots(program, counts, size), len(counts), round(pace.hold * rate)), rate)
    else:
        require_range("step", pace.step, 0.02, 60, " seconds in an animation")
        parts = _gif(program, counts, pace, size) if kind == ".gif" else _apng(program, counts, pace, size)
        with replacing(path) as file:
            file.writelines(parts)
    return f"{len(counts)} frames, {seconds:.1f} s"


def _gif(program: Program, counts: list[int], pace: Pace, size: int | None) -> Iterator[bytes]:
    colours = list(snapshots(program, counts[:: -max(1, len(counts) // 16)][::-1], SMALL))
    return gif_parts(snapshots(program, counts, size), colours, pace.step, pace.hold)


def _apng(program: Program, counts: list[int], pace: Pace, size: int | None) -> Iterator[bytes]:
    frames = snapshots(program, counts, size)
    return apng_parts(frames, len(counts), execute(program, size), pace.step, pace.hold)


def _held(frames: Iterator[Canvas], count: int, times: int) -> Iterator[Canvas]:
    """Opaque frames, the last of ``count`` so many times."""
    for i, frame in enumerate(frames):
        yield from repeat(on_white(frame), 1 if i < count - 1 else max(1, times))
