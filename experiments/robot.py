"""How well the arm draws what the agents write: tracking errors and shares of the joints' limits over many programs.

    python experiments/robot.py --sheet docs/robot.png --stages docs/arm.png    # 100 programs, sampled
    python experiments/robot.py characters.jsonl --count 20                     # the first programs of a file

Notable choices:
- A source is an unconditional agent, whose first programs of seed 0 are taken, or a file of programs;
  none is selected.
- Worst is the worst of all samples of all programs; shares are the largest of any joint in any program.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro

from limner.agents.agent import load_agent
from limner.export.picture import pairs, png
from limner.files import write_atomic
from limner.inference.sample import sample
from limner.programs.execution import execute, pen_strokes
from limner.programs.program import Program, load_programs
from limner.robot.arm import Arm, Sheet
from limner.robot.drawing import draw
from limner.robot.motion import plan
from limner.robot.pictures import Film, picture
from limner.robot.tracking import tracking
from limner.worlds.world import on_white

COLUMNS = (
    "source | programs | strokes | drawn, mm | in the air, mm | seconds | mean error, mm | worst | to the path, mean "
    "| worst | velocity, share | torque, share | limits exceeded | collisions"
)

STAGES = 3


@dataclass(frozen=True)
class Task:
    """Which programs, and what to leave."""

    sources: tyro.conf.Positional[tuple[str, ...]] = ("mnist", "omniglot-prior")
    """Names of agents, or files of programs (.jsonl)."""
    count: int = 50
    """Programs of each source."""
    sheet_size: float = 100.0
    """Millimetres."""
    nib: float = 6.0
    """Millimetres."""
    sheet: Path | None = None
    """A picture to write: canvas and robot's drawing of the first programs of each source, side by side."""
    shown: int = 12
    """Pairs of each source on it."""
    pixels: int = 96
    """A side of each."""
    stages: Path | None = None
    """Another picture to write: the arm drawing the first program, in three stages."""


def programs(source: str, count: int) -> list[Program]:
    """The first programs of a source."""
    if source.endswith(".jsonl"):
        return load_programs(source)[:count]
    return sample(load_agent(source), count, 0)[1]


def row(source: str, found: list[dict[str, Any]]) -> str:
    """A row of the table."""

    def mean(name: str) -> float:
        return float(np.mean([one[name] for one in found]))

    cells = [source, f"{len(found)}", f"{mean('strokes'):.1f}"]
    cells += [f"{mean(name):.0f}" for name in ("pen_down_mm", "pen_up_mm")] + [f"{mean('duration_s'):.1f}"]
    for kind in ("error_mm", "distance_to_path_mm"):
        cells += [
            f"{np.mean([one[kind]['mean'] for one in found]):.3f}",
            f"{max(one[kind]['worst'] for one in found):.3f}",
        ]
    cells += [
        f"{max(max(one['largest_share'][limit].values()) for one in found):.2f}" for limit in ("velocity", "torque")
    ]
    cells += [f"{sum(len(one[name]) for one in found)}" for name in ("violations", "collisions")]
    return f"| {' | '.join(cells)} |"


def main(task: Task) -> None:
    """Draw all and print the table."""
    torch.set_num_threads(1)
    arm = Arm(Sheet(task.sheet_size))
    print(f"| {COLUMNS} |\n{'|---' * (COLUMNS.count('|') + 1)}|", flush=True)
    everything, painted, drawn = [], [], []
    for source in task.sources:
        found = []
        for i, program in enumerate(programs(source, task.count)):
            if not (strokes := pen_strokes(program)):
                continue  # it painted nothing
            motion = plan(arm, strokes)
            drawing = draw(arm, motion)
            if task.stages and not everything and not found:
                frames = Film(arm).shoot(drawing, task.nib, STAGES + 2)[1:-1]
                write_atomic(task.stages, png(frames.transpose(1, 0, 2, 3).reshape(frames.shape[1], -1, 3)))
            found.append({"strokes": len(strokes)} | tracking(arm, motion, drawing))
            if task.sheet and i < task.shown:
                painted.append(on_white(execute(program, 4 * task.pixels))[..., :1])
                drawn.append(picture(drawing, arm.sheet, task.nib, 4 * task.pixels))
        print(row(source, found), flush=True)
        everything += found
    if len(task.sources) > 1:
        print(row("all", everything))
    if task.sheet:
        first, second = (
            np.stack(pictures).reshape(-1, task.pixels, 4, task.pixels, 4, 1).mean((2, 4)).round().astype(np.uint8)
            for pictures in (painted, drawn)
        )
        write_atomic(task.sheet, png(pairs(first, second, columns=4)))


if __name__ == "__main__":
    main(tyro.cli(Task, description=__doc__))
