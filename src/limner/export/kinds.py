"""Every kind of file that a program can be exported as: what it is called, which options it has, and how it is written.

What cannot work is refused before anything is written, and every file is written whole or not at all.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import NamedTuple

from limner.export.plotter import GcodeSettings
from limner.export.timelapse import ANIMATED, FILMED, Pace, write_timelapse
from limner.export.toolpath import Toolpath, toolpath
from limner.files import replacing, write_atomic
from limner.programs.execution import bands, coloured_strokes, picture_shape
from limner.programs.program import Program
from limner.worlds.validation import require


@dataclass(frozen=True)
class ExportOptions:
    """How a program is exported. None: as is usual for the kind of file."""

    size: int | None = None
    """Pixels along the longer side; the program's own by default."""
    frames: int | None = None
    """See ``timelapse.Pace``."""
    step: float | None = None
    hold: float | None = None
    layers: int | None = None
    """Most layers, 100 by default: see ``openraster.write_openraster``."""
    gcode: GcodeSettings = field(default_factory=GcodeSettings)

    def pace(self, usual: Pace) -> Pace:
        """What is asked of an animation."""
        asked = {name: getattr(self, name) for name in ("frames", "step", "hold")}
        return replace(usual, **{name: value for name, value in asked.items() if value is not None})


class Kind(NamedTuple):
    """A kind of file."""

    endings: tuple[str, ...]
    """What names end in, the first by default."""
    options: tuple[str, ...]
    """Those of ``ExportOptions`` that it has."""
    write: Callable[[Path, Program, ExportOptions], str]
    """Writes a file and says what is in it."""


def export_program(program: Program, path: str | Path, kind: str, options: ExportOptions = ExportOptions()) -> str:
    """Write ``program`` to ``path`` as one of ``KINDS``; returns what is in the file, in a few words.

    ``ValueError`` for an unknown kind, an ending that is not of that kind, an option that it does not have or that is
    out of range, a package that is missing, and a program that cannot be shown so.
    """
    require(kind in KINDS, f"kind is {kind!r}: must be one of {', '.join(KINDS)}")
    path = Path(path)
    endings = KINDS[kind].endings
    if path.suffix.lower() not in endings:
        raise ValueError(f"cannot write {path}: the name must end in {', '.join(endings)} with --to {kind}")
    for option in fields(options):
        usual = option.name in KINDS[kind].options or option.name == "gcode" or getattr(options, option.name) is None
        require(usual, f"--{option.name} has no effect with --to {kind}: leave it out")
    return KINDS[kind].write(path, program, options)


def _png(path: Path, program: Program, options: ExportOptions) -> str:
    from limner.export.chunks import END, chunk, header, pixel_data

    height, width, channels = picture_shape(program, options.size)
    with replacing(path) as file:
        file.write(header(height, width, channels))
        file.writelines(chunk(b"IDAT", data) for data in pixel_data(bands(program, options.size)))
        file.write(END)
    return f"{width} x {height} pixels"


def _animation(path: Path, program: Program, options: ExportOptions) -> str:
    return write_timelapse(path, program, options.pace(ANIMATED), options.size)


def _film(path: Path, program: Program, options: ExportOptions) -> str:
    return write_timelapse(path, program, options.pace(FILMED), options.size)


def _openraster(path: Path, program: Program, options: ExportOptions) -> str:
    from limner.export.openraster import write_openraster

    most = 100 if options.layers is None else options.layers
    return f"{write_openraster(path, program, most, options.size)} layers"


def _table(path: Path, program: Program, options: ExportOptions) -> str:
    from limner.export.stroke_table import stroke_table

    text, count = stroke_table(program)
    write_atomic(path, text)
    return f"{count} strokes"


def _json(path: Path, program: Program, options: ExportOptions) -> str:
    write_atomic(path, program.to_json())
    return f"{len(program)} actions"


def _svg(path: Path, program: Program, options: ExportOptions) -> str:
    from limner.export.svg import svg

    text = svg(program)
    write_atomic(path, text)
    return f"{text.count('<path')} paths"


def _gcode(path: Path, program: Program, options: ExportOptions) -> str:
    from limner.export.gcode import gcode

    way = toolpath(coloured_strokes(program), options.gcode, program.frame)
    write_atomic(path, gcode(way, options.gcode, program.title or path.stem))
    return _drawn(way, options.gcode)


def _axidraw(path: Path, program: Program, options: ExportOptions) -> str:
    from limner.export.axidraw import axidraw

    way = toolpath(coloured_strokes(program), replace(options.gcode, depth=0.0), program.frame, home=(0, 0))
    write_atomic(path, axidraw(way, program))
    return _drawn(way, options.gcode)


def _drawn(way: Toolpath, settings: GcodeSettings) -> str:
    """What a plotter draws, in words."""
    parts = [f"{way.width:.6g} x {way.height:.6g} mm", f"{sum(pen.strokes for pen in way.pens)} strokes"]
    strokes = {pen.colour: pen.strokes for pen in way.pens if pen.colour}
    colours = settings.pens if isinstance(settings.pens, tuple) else strokes
    parts += [f"{strokes.get(colour, 'none')} with the pen {colour}" for colour in colours]
    parts += [f"{way.left_out} left to the white paper"] if way.left_out else []
    return ", ".join(parts)


SHOWN = ("size", "frames", "step", "hold")
KINDS = {
    "png": Kind((".png",), ("size",), _png),
    "gif": Kind((".gif",), SHOWN, _animation),
    "apng": Kind((".apng", ".png"), SHOWN, _animation),
    "mp4": Kind((".mp4",), SHOWN, _film),
    "webm": Kind((".webm",), SHOWN, _film),
    "ora": Kind((".ora",), ("size", "layers"), _openraster),
    "svg": Kind((".svg",), (), _svg),
    "gcode": Kind((".gcode", ".gco", ".g", ".nc", ".ngc", ".cnc", ".tap"), ("gcode",), _gcode),
    "axidraw": Kind((".svg",), ("gcode",), _axidraw),
    "csv": Kind((".csv",), (), _table),
    "json": Kind((".json",), (), _json),
}
"""By name."""
