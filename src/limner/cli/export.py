"""``limner export``: a program for other tools."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import tyro

from limner.cli.files import check_file, load_program
from limner.export.gcode import GcodeSettings, gcode
from limner.files import write_atomic

ENDINGS = {"svg": (".svg",), "gcode": (".gcode", ".gco", ".g", ".nc", ".ngc", ".cnc", ".tap")}
"""What the names of files end in; the first is the default."""


@dataclass(frozen=True)
class Export:
    """Write a program as a vector picture (SVG), or for a pen plotter (G-code)."""

    program: tyro.conf.Positional[Path]
    """A program as JSON, or many as JSON lines."""
    to: Literal["svg", "gcode"]
    """svg keeps widths, colours and opacity, but no texture; gcode keeps the way of the pen and its pressure."""
    out: Path | None = None
    """What to write. None: beside the program and named like it."""
    index: int | None = None
    """Which line of a .jsonl file, from 0."""
    gcode: GcodeSettings = field(default_factory=GcodeSettings)

    def run(self) -> None:
        """Read, translate, write."""
        program = load_program(self.program, self.index)
        line = "" if self.index is None else f"-{self.index}"
        endings = ENDINGS[self.to]
        out = self.out or self.program.with_name(f"{self.program.stem}{line}{endings[0]}")
        if out.suffix.lower() not in endings:
            raise ValueError(f"cannot write {out}: the name must end in {', '.join(endings)} with --to {self.to}")
        if self.to != "gcode" and self.gcode != GcodeSettings():
            raise ValueError(f"the --gcode options are for --to gcode, not for --to {self.to}")
        check_file(out)
        from limner.programs.execution import pen_strokes

        strokes = pen_strokes(program)
        if self.to == "svg":
            from limner.export.svg import svg

            write_atomic(out, svg(program))
        else:
            write_atomic(out, gcode(strokes, self.gcode, program.title or out.stem))
        print(f"{out}: {len(strokes)} strokes")
