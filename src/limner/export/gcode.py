"""What pens draw as G-code for a plotter.

Notable choices:
- Pressure becomes depth where the pen is on a Z axis; radii are lost, as a pen has one.
- Only G0, G1, G21, G90, M2 and F are used, which every controller supports, M3, M5 and G4 for a servo, and M0 between
  pens. Comments are ASCII on their own lines.
- All pens are in one file, with a pause between them for which the machine goes home: what they draw stays in register,
  and whoever sends the file says when it goes on.
"""

from itertools import pairwise
from unicodedata import normalize

import numpy as np

from limner.export.plotter import STEP, GcodeSettings
from limner.export.toolpath import Toolpath
from limner.worlds.stroke import Points


def gcode(path: Toolpath, settings: GcodeSettings, name: str = "") -> str:
    """The text of a G-code file of what pens draw; ``name`` goes into a comment.

    ``ValueError`` when it leaves the bed, with the setting that would help.
    """
    _check_bed(path, settings)
    words = normalize("NFKD", name).encode("ascii", "ignore").decode().split()
    title = "".join(filter(str.isprintable, " ".join(words)))
    strokes, lines = sum(pen.strokes for pen in path.pens), [line for pen in path.pens for line in pen.lines]
    header = [
        f"Limner: {title}" if title else "Limner",
        f"{_number(path.width)} x {_number(path.height)} mm, strokes: {strokes}, lines without a lift: {len(lines)}",
        _lengths(path, settings),
    ]
    body = ["G21", "G90", *_up(settings)]
    for number, pen in enumerate(path.pens, 1):
        body += [f"G0 X0 Y0 F{_number(settings.travel)}"] if number > 1 else []
        if pen.colour:
            body.append(f"; pen {number} of {len(path.pens)}: {pen.colour}, strokes: {pen.strokes}")
        body += ["M0"] if number > 1 else []
        for line in pen.lines:
            body += _draw(_machine(line, path.height, settings), settings)
    body += [f"G0 X0 Y0 F{_number(settings.travel)}", "M2"]
    return "\n".join([*(f"; {line}" for line in header), *body]) + "\n"


def _check_bed(path: Toolpath, settings: GcodeSettings) -> None:
    """``ValueError`` naming the axis along which the drawing leaves the bed."""
    if settings.bed is None:
        return
    lines = np.concatenate([line for pen in path.pens for line in pen.lines])
    places = _machine(lines, path.height, settings)[:, :2]
    low, high, bed = places.min(0), places.max(0), np.asarray(settings.bed)
    side, size = settings.sheet - 2 * settings.margin, high - low
    share = float(np.min(bed / np.maximum(size, STEP)))
    large = bool((size > bed + STEP).any())
    for i, (axis, name) in enumerate((("X", "left"), ("Y", "bottom"))):
        if low[i] >= -STEP and high[i] <= bed[i] + STEP:
            continue
        reach = f"the drawing reaches from {axis}{_number(low[i])} to {axis}{_number(high[i])}"
        remedy = f"gcode.{name} {_number(getattr(settings, name) - low[i])}"
        if large:
            remedy = f"a gcode.sheet of at most {_number(np.floor(1e2 * (2 * settings.margin + side * share)) / 1e2)}"
        raise ValueError(f"{reach}, the bed from {axis}0 to {axis}{bed[i]:g}: choose {remedy}")


def _lengths(path: Toolpath, settings: GcodeSettings) -> str:
    """What is drawn and travelled, and the time of both at the speeds of the settings."""
    lines = [line for pen in path.pens for line in pen.lines]
    drawn = travelled = 0.0
    for line in lines:
        drawn += float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())
    for pen in path.pens:
        ends = np.concatenate([line[[0, -1]] for line in pen.lines])
        places = _machine(ends, path.height, settings)[:, :2]
        ways = np.concatenate([np.zeros((1, 2)), places, np.zeros((1, 2))])
        travelled += float(np.linalg.norm(ways[1::2] - ways[::2], axis=1).sum())
    minutes = 2 * len(lines) * settings.dwell / 60
    if settings.pen == "z":
        lift = settings.safe - settings.contact
        drawn += sum(lift + line[0, 2] for line in lines)
        travelled += sum(lift + line[-1, 2] for line in lines)
        minutes = 0.0
    minutes += drawn / settings.feed + travelled / settings.travel
    return f"{drawn:.0f} mm drawn, {travelled:.0f} mm travelled, {minutes:.1f} minutes without starting and stopping"


def _machine(line: Points, height: float, settings: GcodeSettings) -> Points:
    """Places on a sheet of some height as X, Y and Z of the machine."""
    x, y, depth = line.T
    return np.column_stack([settings.left + x, settings.bottom + height - y, settings.contact - depth])


def _draw(line: Points, settings: GcodeSettings) -> list[str]:
    """Commands that draw a line of the machine, from a pen that is up to one that is up."""
    points = [(_number(x), _number(y), _number(z)) for x, y, z in line]
    commands = [f"G0 X{points[0][0]} Y{points[0][1]} F{_number(settings.travel)}"]
    feed = f" F{_number(settings.feed)}"
    if settings.pen == "z":
        commands.append(f"G1 Z{points[0][2]}{feed}")
        feed = ""
    else:
        commands += _servo(settings.servo_down, settings)
    for last, (x, y, z) in pairwise(points):
        if (x, y, z) != last:
            commands.append(f"G1 X{x} Y{y}" + (f" Z{z}" if z != last[2] else "") + feed)
            feed = ""
    return commands + _up(settings)


def _up(settings: GcodeSettings) -> list[str]:
    if settings.pen == "servo":
        return _servo(settings.servo_up, settings)
    return [f"G0 Z{_number(settings.safe)} F{_number(settings.travel)}"]


def _servo(place: float | None, settings: GcodeSettings) -> list[str]:
    turn = "M5" if place is None else f"M3 S{_number(place)}"
    return [turn, f"G4 P{_number(settings.dwell)}"] if settings.dwell else [turn]


def _number(value: float) -> str:
    """At most three decimals, and never an exponent, which controllers do not read."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
