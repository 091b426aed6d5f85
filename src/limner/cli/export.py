"""``limner export``: a program for other tools."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

from limner.cli.files import check_file, load_program
from limner.cli.flags import given, parse_command
from limner.export.plotter import MACHINES, GcodeSettings
from limner.files import write_atomic
from limner.worlds.validation import require

if TYPE_CHECKING:
    from limner.export.toolpath import Toolpath

ENDINGS = {"svg": (".svg",), "gcode": (".gcode", ".gco", ".g", ".nc", ".ngc", ".cnc", ".tap"), "axidraw": (".svg",)}
"""What the names of files end in; the first is the default."""
FOR_AXIDRAW = ("sheet", "margin", "mirror", "tolerance", "join", "order", "pens")
"""Settings that count for an AxiDraw; its own software knows the rest."""


@dataclass(frozen=True)
class Export:
    """Write a program as a vector picture (SVG), or for a pen plotter (G-code, or the SVG that an AxiDraw takes)."""

    program: tyro.conf.Positional[Path]
    """A program as JSON, or many as JSON lines."""
    to: Literal["svg", "gcode", "axidraw"]
    """svg: widths, colours, opacity. gcode: path and pressure of pens. axidraw: bare lines, a layer for each pen."""
    out: Path | None = None
    """What to write. None: beside the program and named like it."""
    index: int | None = None
    """Which line of a .jsonl file, from 0."""
    machine: Literal["z-axis", "grbl-servo", "grbl-pen-servo"] = "z-axis"
    """What the --gcode flags start from: a Z axis, GRBL with a servo for a spindle, or GRBL whose servo follows Z."""
    gcode: GcodeSettings = field(default_factory=GcodeSettings)

    def run(self) -> None:
        """Read, translate, write."""
        program = load_program(self.program, self.index)
        line = "" if self.index is None else f"-{self.index}"
        line += "-axidraw" if self.to == "axidraw" else ""
        endings = ENDINGS[self.to]
        out = self.out or self.program.with_name(f"{self.program.stem}{line}{endings[0]}")
        if out.suffix.lower() not in endings:
            raise ValueError(f"cannot write {out}: the name must end in {', '.join(endings)} with --to {self.to}")
        self._refuse_others()
        check_file(out)
        if self.to == "svg":
            from limner.export.svg import svg

            text = svg(program)
            write_atomic(out, text)
            print(f"{out}: {text.count('<path')} paths")
            return
        from limner.export.axidraw import axidraw
        from limner.export.gcode import gcode
        from limner.export.toolpath import toolpath
        from limner.programs.execution import coloured_strokes

        strokes = coloured_strokes(program)
        if self.to == "axidraw":
            path = toolpath(strokes, replace(self.gcode, depth=0.0), program.frame, home=(0, 0))
            write_atomic(out, axidraw(path, program))
        else:
            path = toolpath(strokes, self.gcode, program.frame)
            write_atomic(out, gcode(path, self.gcode, program.title or out.stem))
        print(f"{out}: {_summary(path, self.gcode)}")

    def _refuse_others(self) -> None:
        """``ValueError`` when a setting was given that has no effect."""
        require(self.to == "gcode" or self.machine == "z-axis", f"--machine is for --to gcode, not for --to {self.to}")
        known = {"svg": (), "axidraw": FOR_AXIDRAW}.get(self.to)
        for setting in fields(self.gcode):
            flag = f"--gcode.{setting.name.replace('_', '-')}"
            other = f"{flag} has no effect with --to {self.to}: leave it out"
            require(
                known is None or setting.name in known or getattr(self.gcode, setting.name) == setting.default, other
            )


def read(words: Sequence[str]) -> Export:
    """The command with its flags; ``--machine`` says what those of G-code start from."""
    machine = given(words, "--machine", list(MACHINES)) or "z-axis"
    default = Export(tyro.MISSING, tyro.MISSING, gcode=MACHINES[machine])
    return parse_command(Export, words, "limner export", default)


def _summary(path: "Toolpath", settings: GcodeSettings) -> str:
    """What is drawn, in words."""
    parts = [f"{path.width:.6g} x {path.height:.6g} mm", f"{sum(pen.strokes for pen in path.pens)} strokes"]
    strokes = {pen.colour: pen.strokes for pen in path.pens if pen.colour}
    colours = settings.pens if isinstance(settings.pens, tuple) else strokes
    parts += [f"{strokes.get(colour, 'none')} with the pen {colour}" for colour in colours]
    parts += [f"{path.left_out} left to the white paper"] if path.left_out else []
    return ", ".join(parts)
