"""``limner robot``: a simulated arm draws a program."""

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

from limner.cli.files import check_folder, load_program
from limner.cli.terminal import progress_bar
from limner.files import write_atomic
from limner.worlds import find_world
from limner.worlds.validation import require, require_range

if TYPE_CHECKING:
    from limner.programs.program import Program


MOST = 2000
"""Curves that are drawn at most: an hour or so of the arm's time."""


@dataclass(frozen=True)
class Robot:
    """Draw a program with a simulated arm: film, drawing, joints and errors in a folder (needs MuJoCo)."""

    program: tyro.conf.Positional[Path]
    """A program of strokes as JSON, or many as JSON lines."""
    out: Path = Path("robot")
    """Folder for robot.gif, drawn.png, pair.png, joints.csv and tracking.json."""
    index: int | None = None
    """Which line of a .jsonl file, from 0."""
    sheet_size: float = 100.0
    """Millimetres a side of the sheet."""
    sheet_x: float = 340.0
    """Millimetres from the axis of the robot's foot to the middle of the sheet, forwards."""
    sheet_y: float = 0.0
    """The same, to the robot's left."""
    nib: float = 6.0
    """Width in millimetres of the line at full pressure; a mere touch leaves two fifths of it."""
    size: int = 512
    """Pixels a side of drawn.png, and of each half of pair.png."""
    video: bool = True
    """Make robot.gif, which needs OpenGL (EGL on Mesa will do); the rest needs none."""
    frames: int = 120
    """Number of frames in robot.gif, evenly through the time of drawing."""

    def run(self) -> None:
        """Plan, simulate, measure, write."""
        require_range("--size", self.size, 64, 2048, " pixels")
        require_range("--nib", self.nib, 0.1, 20, " mm")
        require_range("--frames", self.frames, 2, 600)
        from limner.programs.execution import pen_strokes

        program = load_program(self.program, self.index)
        strokes = pen_strokes(program)
        require(len(strokes) > 0, f"{self.program} paints nothing: a program with at least one stroke is needed")
        curves = find_world(program.renderer["name"]).count(program.space, program.actions)
        remedy = "choose a program with fewer strokes"
        require(curves <= MOST, f"{self.program} has {curves} curves, the arm draws up to {MOST}: {remedy}")
        from limner.export.animation import gif
        from limner.robot.arm import Arm, Sheet
        from limner.robot.drawing import draw
        from limner.robot.motion import plan
        from limner.robot.pictures import Film
        from limner.robot.tracking import joints_csv, tracking

        arm = Arm(Sheet(self.sheet_size, self.sheet_x, self.sheet_y))
        check_folder(self.out)
        film = Film(arm) if self.video else None  # before the rest: OpenGL may be missing
        with progress_bar("planning") as report:
            motion = plan(arm, strokes, report)
        with progress_bar("drawing") as report:
            drawing = draw(arm, motion, report)
        measures = {"strokes": len(strokes), **tracking(arm, motion, drawing)}
        self._write_pictures(program, arm, drawing)
        if film:
            with progress_bar("filming") as report:
                write_atomic(self.out / "robot.gif", gif(film.shoot(drawing, self.nib, self.frames, report), step=0.08))
            film.close()
        write_atomic(self.out / "joints.csv", joints_csv(arm, drawing))
        write_atomic(self.out / "tracking.json", json.dumps(measures, indent=2) + "\n")
        error = measures["error_mm"]
        print(
            f"{self.out}: {len(strokes)} strokes, {measures['pen_down_mm']:.0f} mm in {measures['duration_s']:.1f} s, "
            f"error {error['mean']:.2f} mm in the mean, {error['worst']:.2f} mm at worst"
        )
        for name in measures["violations"]:
            print(f"limner: exceeded: {name}", file=sys.stderr)
        for name in measures["collisions"]:
            print(f"limner: ran into each other: {name}", file=sys.stderr)

    def _write_pictures(self, program: "Program", arm: Any, drawing: Any) -> None:
        """``drawn.png`` and ``pair.png``."""
        import numpy as np

        from limner.export.picture import pairs, png
        from limner.programs.execution import execute
        from limner.robot.pictures import picture
        from limner.worlds.world import on_white

        drawn = picture(drawing, arm.sheet, self.nib, self.size)
        canvas = on_white(execute(replace(program, frame=None), self.size))  # of the whole sheet
        write_atomic(self.out / "drawn.png", png(drawn))
        drawn = np.broadcast_to(drawn, canvas.shape)
        write_atomic(self.out / "pair.png", png(pairs(canvas[None], drawn[None])))
