"""Learning curves: what a run logged, by frames and by minutes, as SVG and as PNG.

Notable choices:
- A figure is laid out once, as lines and texts with a style each, and then written as SVG (sharp, follows the
  reader's light or dark theme) or drawn as PNG. No plotting library.
- Real pictures, random strokes and an empty canvas are dashed reference lines in every panel that has them.
- More than ``BINS`` points of a noisy quantity are averaged in ``BINS`` equal stretches of the axis.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any
from unicodedata import normalize

from PIL import Image, ImageDraw, ImageFont

BINS = 300
WIDTH, HEIGHT = 320, 210
LEFT, RIGHT, TOP, BOTTOM = 50, 20, 30, 36

COLOURS = {
    "text": "#3c4043",
    "title": "#202124",
    "grid": "#e3e5e8",
    "axis": "#9aa0a6",
    "curve": "#1a66c2",
    "real": "#1e8e4e",
    "random": "#c2571a",
    "empty": "#c2571a",
}
"""Colours of the styles on paper; the report replaces them in the dark."""

QUANTITIES = {
    "eval/mse": "Mean squared error",
    "search/distance": "Error of the programs that search finds",
    "eval/frechet": "Fréchet distance (lower is better)",
    "eval/precision": "Precision",
    "eval/coverage": "Coverage",
    "eval/entropy": "Class entropy (nats)",
    "policy/entropy": "Policy entropy (nats)",
    "policy/surprise": "Surprise at the advice (nats)",
    "critic/gap": "Critic gap (real minus drawn)",
}
AXES = {"frames": "frames", "minutes": "minutes"}
"""Keys of the log, and what to call them."""

Point = tuple[float, float]
Log = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Line:
    """A polyline in pixels, of a style in ``COLOURS``."""

    points: Sequence[Point]
    style: str
    width: float = 1
    dashed: bool = False


@dataclass(frozen=True)
class Text:
    """A text at the pixel ``(x, y)`` of its baseline; ``anchor`` is start, middle or end."""

    x: float
    y: float
    text: str
    style: str = "text"
    anchor: str = "start"
    size: int = 11


@dataclass(frozen=True)
class Figure:
    """Lines and texts on ``width`` × ``height`` pixels."""

    width: int
    height: int
    shapes: Sequence[Line | Text]


def read_log(path: str | Path) -> list[dict[str, Any]]:
    """The objects of a ``log.jsonl``. A last line cut short by a crash is left out; others raise ``ValueError``."""
    lines = Path(path).read_bytes().split(b"\n")
    log = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            if number == len(lines):
                break
            raise ValueError(f"{path}, line {number}: not JSON ({error})") from None
        if not isinstance(record, dict):
            raise ValueError(f"{path}, line {number}: a log line is an object, got {line[:80]!r}")
        log.append(record)
    return log


def learning_curves(
    log: Log,
    axes: Sequence[str] = tuple(AXES),
    reference: Mapping[str, Mapping[str, float]] | None = None,
    columns: int = 3,
) -> Figure:
    """A panel for each of ``QUANTITIES`` that the log holds, over each of ``axes`` ("frames", "minutes").

    ``reference`` holds levels to compare with: row → quantity without "eval/" → value.
    """
    curves = [(axis, key, points) for axis in axes for key in QUANTITIES if (points := series(log, axis, key))]
    columns = max(1, min(columns, len(curves)))
    shapes: list[Line | Text] = []
    for i, (axis, key, points) in enumerate(curves):
        rows = (reference or {}) if key.startswith("eval/") else {}
        name = key.removeprefix("eval/")
        levels = {row: float(values[name]) for row, values in rows.items() if finite(values.get(name))}
        shapes += _panel((i % columns * WIDTH, i // columns * HEIGHT), QUANTITIES[key], AXES[axis], points, levels)
    return Figure(columns * WIDTH, max(1, -(-len(curves) // columns)) * HEIGHT, shapes)


def series(log: Log, axis: str, key: str) -> list[Point]:
    """The finite points (axis, key) of a log in the order of the axis, averaged down to at most ``BINS``."""
    points = sorted((float(r[axis]), float(r[key])) for r in log if finite(r.get(axis)) and finite(r.get(key)))
    if len(points) <= BINS:
        return points
    first, last = points[0][0], points[-1][0]
    bins: dict[int, list[Point]] = {}
    for x, y in points:
        bins.setdefault(min(BINS - 1, int((x - first) / max(last - first, 1e-300) * BINS)), []).append((x, y))
    return [(sum(x for x, _ in b) / len(b), sum(y for _, y in b) / len(b)) for b in bins.values()]


def svg(figure: Figure) -> str:
    """The figure as an SVG element that stands alone or inline in a page."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {figure.width} {figure.height}" class="curves" '
        'font-family="system-ui, sans-serif" role="img">'
    ]
    for shape in figure.shapes:
        colour = COLOURS[shape.style]
        if isinstance(shape, Line):
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
            dash = ' stroke-dasharray="5 4"' if shape.dashed else ""
            parts.append(
                f'<polyline class="{shape.style}" points="{points}" fill="none" stroke="{colour}" '
                f'stroke-width="{shape.width}" stroke-linejoin="round"{dash}/>'
            )
        else:
            parts.append(
                f'<text class="{shape.style}" x="{shape.x:.1f}" y="{shape.y:.1f}" font-size="{shape.size}" '
                f'text-anchor="{shape.anchor}" fill="{colour}">{escape(shape.text)}</text>'
            )
    return "\n".join([*parts, "</svg>"])


def png(figure: Figure, scale: int = 2) -> bytes:
    """The bytes of a PNG file of the figure on white, at ``scale`` times its size."""
    fine = 2 * scale  # drawn at twice the resolution and reduced: smooth lines
    picture = Image.new("RGB", (figure.width * fine, figure.height * fine), "white")
    draw = ImageDraw.Draw(picture)
    for shape in figure.shapes:
        colour = COLOURS[shape.style]
        if isinstance(shape, Text):
            font = ImageFont.load_default(shape.size * fine)
            anchor = {"start": "ls", "middle": "ms", "end": "rs"}[shape.anchor]
            plain = normalize("NFKD", shape.text).encode("ascii", "ignore").decode()  # all that the font has
            draw.text((shape.x * fine, shape.y * fine), plain, colour, font, anchor)
        else:
            points = [(x * fine, y * fine) for x, y in shape.points]
            if shape.dashed:
                for start, stop in _dashes(points, 5 * fine, 4 * fine):
                    draw.line([start, stop], colour, round(shape.width * fine))
            elif len(points) > 1:
                draw.line(points, colour, round(shape.width * fine), joint="curve")
    file = io.BytesIO()
    picture.resize((figure.width * scale, figure.height * scale), Image.Resampling.BOX).save(file, "PNG")
    return file.getvalue()


def _panel(
    origin: tuple[int, int], title: str, axis: str, points: list[Point], levels: Mapping[str, float]
) -> list[Line | Text]:
    left, right = origin[0] + LEFT, origin[0] + WIDTH - RIGHT
    top, bottom = origin[1] + TOP, origin[1] + HEIGHT - BOTTOM
    x_ticks = _ticks(min(0.0, points[0][0]), points[-1][0])
    heights = [y for _, y in points] + list(levels.values())
    y_ticks = _ticks(min(heights + [0.0] * bool(levels)), max(heights))

    def x_of(x: float) -> float:
        return left + (x - x_ticks[0]) / (x_ticks[-1] - x_ticks[0]) * (right - left)

    def y_of(y: float) -> float:
        return bottom - (y - y_ticks[0]) / (y_ticks[-1] - y_ticks[0]) * (bottom - top)

    shapes: list[Line | Text] = [Text(left, origin[1] + 18, title, "title", size=13)]
    for tick in y_ticks:
        shapes.append(Line([(left, y_of(tick)), (right, y_of(tick))], "grid"))
        shapes.append(Text(left - 6, y_of(tick) + 4, _short(tick), anchor="end"))
    shapes.append(Line([(left, bottom), (right, bottom)], "axis"))
    shapes += [Text(x_of(tick), bottom + 14, _short(tick), anchor="middle") for tick in x_ticks]
    shapes.append(Text((left + right) / 2, bottom + 28, axis, anchor="middle"))
    for name, level in levels.items():
        style = name if name in COLOURS else "axis"
        shapes.append(Line([(left, y_of(level)), (right, y_of(level))], style, 1.2, dashed=True))
        shapes.append(Text(right, y_of(level) - 4, name, style, "end", 10))
    line = [(x_of(x), y_of(y)) for x, y in points]
    if len(line) == 1:  # a single point shows as a short dash
        line = [(line[0][0] - 3, line[0][1]), (line[0][0] + 3, line[0][1])]
    shapes.append(Line(line, "curve", 1.8))
    return shapes


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers, three to seven, the first at most ``low`` and the last at least ``high``."""
    span = high - low if high - low > max(1e-9 * max(abs(low), abs(high)), 1e-300) else max(abs(high), 1.0)
    step = 10.0 ** math.floor(math.log10(span / 4))
    step = next(step * factor for factor in (1, 2, 5, 10) if span / (step * factor) <= 5)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [i * step for i in range(first, max(last, first + 1) + 1)]


def _short(value: float) -> str:
    for unit, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= unit:
            return f"{value / unit:.4g}{suffix}"
    return f"{value:.4g}"


def _dashes(points: Sequence[Point], on: float, off: float) -> list[tuple[Point, Point]]:
    """The dashes of a straight line from the first to the last point."""
    (x, y), (x_end, y_end) = points[0], points[-1]
    length = math.hypot(x_end - x, y_end - y)
    ux, uy = (x_end - x) / length, (y_end - y) / length
    starts = [i * (on + off) for i in range(math.ceil(length / (on + off)))]
    return [((x + ux * s, y + uy * s), (x + ux * min(s + on, length), y + uy * min(s + on, length))) for s in starts]


def finite(value: object) -> bool:
    """Whether ``value``, as JSON holds it, is a number that can be shown."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
