"""``limner export``: programs for other tools, one or many."""

import glob
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

from limner.cli.files import check_file, check_folder, load_program
from limner.cli.flags import given, parse_command
from limner.cli.streams import complain, explain
from limner.export.plotter import MACHINES, GcodeSettings
from limner.files import is_disk_full
from limner.worlds.validation import require

if TYPE_CHECKING:
    from limner.export.kinds import ExportOptions
    from limner.programs.program import Program

FOR_AXIDRAW = ("sheet", "margin", "mirror", "tolerance", "join", "order", "pens")
"""Settings that count for an AxiDraw; its own software knows the rest."""
SUFFIXES = (".json", ".jsonl")
"""Of programs in a folder."""


@dataclass(frozen=True)
class Export:
    """Write programs as pictures, animations, films, layers, vectors or a table, or for a pen plotter."""

    programs: tyro.conf.Positional[tuple[Path, ...]]
    """Programs as JSON, or many as JSON lines; a folder of such files; a pattern such as 'runs/*/program.json'."""
    to: Literal["png", "gif", "apng", "mp4", "webm", "ora", "svg", "gcode", "axidraw", "csv", "json"]
    """png: up to 8192 pixels. gif, apng, mp4, webm: the painting being made. ora: layers (OpenRaster). svg: curves with
    widths, colours, opacity. gcode: path and pressure of pens. axidraw: bare lines, a layer for each pen. csv: a table
    of strokes. json: the program, laid out for editing."""
    out: Path | None = None
    """What to write: a file, or of several programs a folder. None: beside the program and named like it."""
    index: int | None = None
    """Which line of a .jsonl file, from 0. None: all of them."""
    size: int | None = None
    """Pixels along the longer side of png, ora, animations and films; the program's own by default."""
    frames: int | None = None
    """Most states that an animation (200) or film (900) shows, evenly through the program."""
    step: float | None = None
    """Seconds for each (0.12, of a film 1/30)."""
    hold: float | None = None
    """Seconds for the finished picture at the end (1.5)."""
    layers: int | None = None
    """Most layers of ora (100): with more strokes than that each layer holds several."""
    machine: Literal["z-axis", "grbl-servo", "grbl-pen-servo"] = "z-axis"
    """What the --gcode flags start from: a Z axis, GRBL with a servo for a spindle, or GRBL whose servo follows Z."""
    gcode: GcodeSettings = field(default_factory=GcodeSettings)

    def run(self) -> None:
        """Read, translate, write; of several programs, those that can be."""
        from limner.export.kinds import KINDS, ExportOptions

        require(len(self.programs) > 0, "which program? limner export PROGRAM --to KIND")
        self._refuse_others()
        ending = ("-axidraw" if self.to == "axidraw" else "") + KINDS[self.to].endings[0]
        options = ExportOptions(self.size, self.frames, self.step, self.hold, self.layers, self.gcode)
        sources = [source for path in self.programs for source in _sources(path)]
        if sources == list(self.programs) and len(sources) == 1 and (self.index is not None or not _many(sources[0])):
            line = "" if self.index is None else f"-{self.index}"
            out = self.out or sources[0].with_name(f"{sources[0].stem}{line}{ending}")
            self._write(load_program(sources[0], self.index), sources[0], out, options)
            return
        require(self.index is None, "--index picks a line of one .jsonl file, but there are several programs")
        if self.out is not None:
            of_file = self.out.suffix.lower() in KINDS[self.to].endings
            require(not of_file, f"--out {self.out}: there may be several programs, name a folder")
            check_folder(self.out)
        self._write_all(sources, ending, options)

    def _write_all(self, sources: Sequence[Path], ending: str, options: "ExportOptions") -> None:
        """Write all programs; a line for each that cannot be, and ``ValueError`` at the end if there is one."""
        written: set[Path] = set()
        total = failed = 0
        for source in sources:
            for name, program in _programs(source):
                out = (self.out or source.parent) / f"{name}{ending}"
                total += 1
                try:
                    if isinstance(program, Exception):
                        raise program
                    require(out not in written, f"{source}: {out} is written already, from a program of the same name")
                    self._write(program, source, out, options)
                    written.add(out)
                except (ValueError, OSError) as error:
                    if isinstance(error, OSError) and is_disk_full(error):
                        raise
                    failed += 1
                    text = explain(error)
                    complain(f"limner: {text if str(source) in text else f'{source}: {text}'}")
        require(failed == 0, f"{failed} of {total} programs could not be exported")

    def _write(self, program: "Program", source: Path, out: Path, options: "ExportOptions") -> None:
        """Write one file and say what is in it."""
        from limner.export.kinds import export_program

        itself = out.exists() and os.path.samefile(source, out)
        require(not itself, f"{out} is the program itself: name another file with --out")
        check_file(out)
        print(f"{out}: {export_program(program, out, self.to, options)}")
        sys.stdout.flush()

    def _refuse_others(self) -> None:
        """``ValueError`` when a setting of plotters was given that has no effect."""
        require(self.to == "gcode" or self.machine == "z-axis", f"--machine is for --to gcode, not for --to {self.to}")
        known = {"axidraw": FOR_AXIDRAW, "gcode": None}.get(self.to, ())
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


def _many(path: Path) -> bool:
    return path.suffix == ".jsonl"


def _sources(path: Path) -> list[Path]:
    """The files that ``path`` stands for: itself, those of a folder, or those that fit a pattern."""
    if path.is_dir():
        found = sorted(each for each in path.iterdir() if each.suffix in SUFFIXES and each.is_file())
        require(len(found) > 0, f"{path}: no {' or '.join(SUFFIXES)} in this folder")
        return found
    if not path.exists() and glob.has_magic(str(path)):
        matches = sorted(Path(name) for name in glob.glob(str(path), recursive=True))
        require(len(matches) > 0, f"{path}: no file fits this pattern")
        return [source for match in matches for source in _sources(match)]
    return [path]


def _programs(source: Path) -> "Iterator[tuple[str, Program | ValueError | OSError]]":
    """Each program of a file, under the name of what is written of it, or why it cannot be read."""
    from limner.programs.program import Program, each_program

    try:
        if _many(source):
            yield from ((f"{source.stem}-{i}", program) for i, program in enumerate(each_program(source)))
        else:
            yield source.stem, Program.load(source)
    except (ValueError, OSError) as error:
        yield source.stem, error
