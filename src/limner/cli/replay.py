"""``limner replay``: execute a program."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from limner.cli.files import check_file, load_program
from limner.files import write_atomic
from limner.worlds.validation import require_range


@dataclass(frozen=True)
class Replay:
    """Execute a program: write the picture it paints, or a GIF of how it is painted."""

    program: tyro.conf.Positional[Path]
    """A program as JSON, or many as JSON lines."""
    out: Path = Path("picture.png")
    """What to write: .png, .gif, or .json (the program alone, laid out for editing)."""
    size: int | None = None
    """Pixels along the longer side; the program is executed anew at this size. Its own by default."""
    index: int | None = None
    """Which line of a .jsonl file, from 0."""
    frames: int = 200
    """Most frames of a GIF: with more actions each shows several."""
    step: float = 0.12
    """Seconds for each frame of a GIF."""
    hold: float = 1.5
    """Seconds for the finished picture of a GIF."""

    def run(self) -> None:
        """Read, execute, write."""
        kind = self.out.suffix.lower()
        if kind not in (".png", ".gif", ".json"):
            raise ValueError(f"cannot write {self.out}: the name must end in .png, .gif or .json")
        require_range("--frames", self.frames, 2, 10_000)
        check_file(self.out)
        from limner.programs.execution import execute

        program = load_program(self.program, self.index)
        if kind == ".json":
            write_atomic(self.out, program.to_json())
        elif kind == ".png":
            from limner.export.picture import png

            write_atomic(self.out, png(execute(program, self.size)))
        else:
            from limner.export.timelapse import Pace, write_timelapse

            pace = Pace(self.frames, self.step, self.hold)
            print(f"{self.out}: {write_timelapse(self.out, program, pace, self.size)}")
