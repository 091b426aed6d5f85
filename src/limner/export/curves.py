"""Learning curves: what a run logged, by frames and by minutes, as SVG and as PNG.

Notable choices:
- Matplotlib's default style is used, whatever ``matplotlibrc`` says: the same log gives the same bytes.
- More than ``BINS`` points of a quantity are averaged in ``BINS`` equal intervals of the axis.
"""

import io
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import EngFormatter

BINS = 300
COLUMNS = 3
PANEL = (3.6, 2.4)  # width and height of a panel in inches
DOTS = 200  # pixels per inch of the PNG

STYLE: dict[str, Any] = {
    "svg.hashsalt": "limner",  # constant identifiers
    "svg.fonttype": "none",  # text stays text
    "font.size": 8,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#9aa0a6",
    "axes.labelcolor": "#3c4043",
    "xtick.color": "#3c4043",
    "ytick.color": "#3c4043",
    "axes.grid": True,
    "grid.color": "#e3e5e8",
    "axes.axisbelow": True,
}
CURVE = "#1a66c2"
COLOURS = {"real": "#1e8e4e", "random": "#c2571a", "empty": "#c2571a"}  # of reference rows; others are grey

QUANTITIES = {
    "eval/mse": "Mean squared error",
    "search/distance": "Error of the programs that search finds",
    "eval/frechet": "Fréchet distance (lower is better)",
    "eval/precision": "Precision",
    "eval/coverage": "Coverage",
    "eval/entropy": "Class entropy (nats)",
    "policy/entropy": "Policy entropy (nats)",
    "policy/nll": "Negative log-likelihood of the expert (nats)",
    "critic/gap": "Critic gap (real minus drawn)",
}
"""Keys of the log, and their titles."""
AXES = ("frames", "minutes")
Point = tuple[float, float]
Log = Sequence[Mapping[str, Any]]


def learning_curves(
    log: Log,
    axes: Sequence[str] = AXES,
    reference: Mapping[str, Mapping[str, float]] | None = None,
    starts: Sequence[Mapping[str, float]] = (),
) -> Figure:
    """A panel for each of ``QUANTITIES`` that the log holds, over each of ``axes`` ("frames", "minutes").

    Values that are not finite are left out. ``reference`` holds levels, row → quantity without "eval/" → value, which
    are dashed lines. At each of ``starts``, axis → value, a stage begins: a dotted line.
    """
    curves = [(axis, key, points) for axis in axes for key in QUANTITIES if (points := series(log, axis, key))]
    columns = max(1, min(COLUMNS, len(curves)))
    rows = max(1, math.ceil(len(curves) / columns))
    with style.context(["default", STYLE]):
        size = (PANEL[0] * columns, PANEL[1] * rows)
        figure = Figure(size, DOTS, layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1))
        for i, (axis, key, points) in enumerate(curves, 1):
            panel = figure.add_subplot(rows, columns, i, title=QUANTITIES[key], xlabel=axis)
            levels = (reference or {}) if key.startswith("eval/") else {}
            name = key.removeprefix("eval/")
            _draw(panel, points, {row: values[name] for row, values in levels.items() if finite(values.get(name))})
            for start in starts:
                panel.axvline(start[axis], color="#9aa0a6", linewidth=1, linestyle=":", label="stage")
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # laid out once for all files
    return figure


def series(log: Log, axis: str, key: str) -> list[Point]:
    """The finite points (axis, key) of a log, sorted by the axis, averaged to at most ``BINS``."""
    points = sorted((float(r[axis]), float(r[key])) for r in log if finite(r.get(axis)) and finite(r.get(key)))
    if len(points) <= BINS:
        return points
    first, last = points[0][0], points[-1][0]
    bins: dict[int, list[Point]] = {}
    for x, y in points:
        bins.setdefault(min(BINS - 1, int((x - first) / max(last - first, 1e-300) * BINS)), []).append((x, y))
    return [(sum(x for x, _ in b) / len(b), sum(y for _, y in b) / len(b)) for b in bins.values()]


def encode(figure: Figure, kind: Literal["svg", "png"]) -> bytes:
    """The bytes of an SVG or PNG file of the figure, on white; a PNG has ``DOTS`` pixels an inch."""
    file = io.BytesIO()
    metadata: dict[str, Any] = {"Date": None, "Creator": None} if kind == "svg" else {"Software": None}
    with style.context(["default", STYLE]):
        figure.savefig(file, format=kind, metadata=metadata)
    return file.getvalue()


def finite(value: object) -> bool:
    """Whether a JSON value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _draw(panel: Axes, points: Sequence[Point], levels: Mapping[str, float]) -> None:
    """One curve, or a dot for a single point, and dashed lines at ``levels``, labelled at their right end."""
    x, y = zip(*points, strict=True)
    dot = "o" if len(points) == 1 else None
    panel.plot(x, y, color=CURVE, linewidth=1.5, marker=dot, markersize=4, clip_on=False, zorder=3, label="curve")
    for row, level in levels.items():
        colour = COLOURS.get(row, "#5f6368")
        panel.axhline(level, color=colour, linewidth=1, linestyle="--", label=row)
        name = panel.annotate(row, (1, level), (3, 0), ("axes fraction", "data"), "offset points", va="center")
        name.set(color=colour, parse_math=False)
    if x[-1] >= 1000:
        panel.xaxis.set_major_formatter(EngFormatter(sep=""))
    if x[0] >= 0:
        panel.set_xlim(left=0)
    if levels and min(*y, *levels.values()) >= 0:
        panel.set_ylim(bottom=0)
