"""``limner paint``: an agent paints a picture of any size."""

# No ``from __future__ import annotations`` here: tyro has to see the types.
# ruff: noqa: T201 (printing is what a command line does)

import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from limner.cli.output import check_drawing_flags, prepare_folder, progress_bar
from limner.cli.results import write_painting


@dataclass(frozen=True)
class Paint:
    """Let an agent paint a picture of any size: painted.png, program.json and painting.gif in a folder."""

    image: tyro.conf.Positional[Path]
    """A picture: JPEG, PNG, WebP, GIF, BMP or TIFF."""
    agent: str = "faces"
    """Name of an agent that comes with Limner, or folder of a run or checkpoint."""
    search: float = 60.0
    """Seconds of search for the whole picture; 0 lets the policy paint alone."""
    detail: int = 8
    """Patches along each side at the finest level: 1, 2, 4, 8 or 16. More see more, with more strokes."""
    size: int = 1024
    """Pixels along the longer side of painted.png, for which the program is executed anew."""
    seed: int = 0
    threads: int = 2
    out: Path = Path("painting")
    """Folder for the results. Stopped with Ctrl-C, they show what was painted so far."""

    def run(self) -> None:
        """Look, paint, write."""
        check_drawing_flags(self.search, self.seed)
        if self.detail not in (1, 2, 4, 8, 16):
            raise ValueError(f"--detail is {self.detail}: must be 1, 2, 4, 8 or 16")
        if not 64 <= self.size <= 4096:
            raise ValueError(f"--size is {self.size}: must be in 64 … 4096 pixels")
        if not 1 <= self.threads <= 1024:
            raise ValueError(f"--threads is {self.threads}: must be in 1 … 1024")
        prepare_folder(self.out)
        from limner.data.decoding import open_picture
        from limner.inference.frame import Frame

        image = open_picture(self.image)
        frame = Frame(*image.size)
        from limner.agents.agent import load_agent
        from limner.inference.paint import canvas_shape, paint

        agent = load_agent(self.agent)
        picture = frame.lay(image, *canvas_shape(agent, self.detail))
        paintings = paint(agent, picture, self.detail, self.search, self.seed, self.threads)
        painting = next(paintings)
        stopped = False
        with progress_bar("painting") as report:
            try:
                for painting in paintings:
                    report(painting.done, painting.total)
            except KeyboardInterrupt:
                stopped = True
        with progress_bar("executing") as report:
            write_painting(self.out, painting.program, frame, self.size, report)
        if stopped:
            print(f"limner: stopped after {painting.done} of {painting.total} patches", file=sys.stderr)
        print(f"{self.out}: {len(painting.program)} strokes")
        if stopped:
            raise KeyboardInterrupt
