"""The report of a run: one HTML file, without links to other files.

It is made from the files of a run that exist, so it can be made again at any time: ``log.jsonl``, ``reference.json``,
``config.json``, ``programs.jsonl``, ``sheet.png`` or ``pairs.png``, ``drawing.gif``. Where the run started from another
one its stages stand beside each other, and the curves are those of all of them.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from limner.export import curves
from limner.export.picture import png
from limner.export.stages import Stage, joined, read_object, stages, starts
from limner.metrics.sample_size import sampling_error
from limner.programs.execution import frames
from limner.programs.program import Program, load_programs
from limner.programs.table import columns, write_rows
from limner.worlds.validation import require
from limner.worlds.world import on_white

DRAWINGS = 8  # most programs that can be executed step by step
MAX_STEPS = 100  # longer programs are left out: every step is a picture in the file
DRAWING_SIZE = 256
PICTURES = ("sheet.png", "pairs.png", "drawing.gif")

GENERATION = {
    "frechet": ("Fréchet distance", 1),
    "precision": ("Precision", 3),
    "coverage": ("Coverage", 3),
    "entropy": ("Class entropy (nats)", 2),
}
"""Columns of the table of figures of an unconditional agent: title and decimals."""
RECONSTRUCTION = {"mse": ("Mean squared error", 4)}
"""The same of a conditional agent."""
ROWS = {"real": "Real pictures", "drawn": "The agent", "random": "Random strokes", "empty": "An empty canvas"}


def report(folder: str | Path) -> str:
    """The HTML text of the report of the run in ``folder``.

    ``ValueError`` naming the file, and the line where it has lines, when one is damaged.
    """
    folder = Path(folder)
    history = stages(folder)
    log = joined(history)
    reference = load_reference(folder)
    programs = load_programs(folder / "programs.jsonl") if (folder / "programs.jsonl").exists() else []
    short = [program for program in programs if len(program) <= MAX_STEPS][:DRAWINGS]
    plots = {axis: curves.learning_curves(log, (axis,), reference, starts(history)[1:]) for axis in curves.AXES}
    config = history[-1].config
    template = resources.files("limner.export").joinpath("report.html").read_text("utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(
        title=f"Limner: {folder.resolve().name}",
        summary=_summary(log),
        pictures={name: _data_uri((folder / name).read_bytes(), name) for name in PICTURES if (folder / name).exists()},
        **_table(history, reference),
        columns=", ".join(columns(short[0].space)) if short else "",
        drawings=[_drawing(program, f"drawing {i}") for i, program in enumerate(short)],
        curves={axis: _data_uri(curves.encode(plot, "svg"), "svg+xml") for axis, plot in plots.items() if plot.axes},
        config=json.dumps(config, indent=2, ensure_ascii=False) if config else "",
    )


def load_reference(folder: Path) -> dict[str, dict[str, Any]]:
    """The reference rows in the ``reference.json`` of the run in ``folder``; none without the file."""
    rows = read_object(folder / "reference.json")
    require(
        all(isinstance(row, dict) for row in rows.values()), f"{folder}/reference.json: every row must be an object"
    )
    return rows


def _summary(log: curves.Log) -> str:
    parts = []
    for key, form in (("frames", "{:,.0f} frames"), ("minutes", "{:,.1f} minutes of training")):
        if values := [float(record[key]) for record in log if curves.finite(record.get(key))]:
            parts.append(form.format(max(values)))
    return " · ".join(parts) or "An agent that draws by writing programs."


def _table(history: Sequence[Stage], reference: Mapping[str, Any]) -> dict[str, Any]:
    """What the template needs for the table of figures: each stage's last evaluation beside the reference rows."""
    log = history[-1].log
    conditional = "empty" in reference or any("eval/mse" in record for record in log)
    metrics = RECONSTRUCTION if conditional else GENERATION
    rows: list[tuple[str, str, Mapping[str, Any]]] = []
    for kind, name in ROWS.items():
        if kind == "drawn":
            rows += _stages(history, name, next(iter(metrics)))
        elif kind in reference:
            rows.append((kind, name, reference[kind]))
    cells = [
        (kind, name, [_number(figures.get(key), places) for key, (_, places) in metrics.items()])
        for kind, name, figures in rows
    ]
    return {
        "conditional": conditional,
        "titles": [title for title, _ in metrics.values()],
        "rows": cells,
        "sampling_error": _sampling_error(reference.get("real", {})),
    }


def _sampling_error(real: Mapping[str, Any]) -> str:
    """What to know of the figures where there were too few real pictures for the usual ones."""
    count, borrowed = real.get("pictures"), real.get("borrowed")
    return sampling_error(count, borrowed) if isinstance(count, int) and isinstance(borrowed, int) and count > 0 else ""


def _stages(history: Sequence[Stage], name: str, metric: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Kind, title and figures of each stage's last evaluation; the last is the agent's, which is called ``name``."""
    rows = []
    for stage in history:
        evaluations = [record for record in stage.log if f"eval/{metric}" in record]
        for last in evaluations[-1:]:
            title = name if len(history) == 1 else f"{name} after {stage.algorithm}"
            title += f" at {last['frames']:,.0f} frames" if curves.finite(last.get("frames")) else ""
            figures = {key.removeprefix("eval/"): value for key, value in last.items()}
            rows.append(("drawn" if stage is history[-1] else "stage", title, figures))
    return rows


def _drawing(program: Program, name: str) -> dict[str, Any]:
    """What the template needs to execute a program step by step: its canvases below each other, and its actions."""
    pictures = on_white(frames(program, DRAWING_SIZE))
    steps, height, width, channels = pictures.shape
    table = write_rows(program.space, program.actions)
    rows = ["blank"] + [f"{step}: {' '.join(map(str, row))}" for step, row in enumerate(table, 1)]
    return {
        "name": program.title or name,
        "strip": _data_uri(png(pictures.reshape(steps * height, width, channels)), "png"),
        "rows": json.dumps(rows),
        "size": (width, height),
        "last": steps - 1,
    }


def _data_uri(data: bytes, name: str) -> str:
    return f"data:image/{name.rsplit('.', 1)[-1]};base64,{base64.b64encode(data).decode()}"


def _number(value: object, places: int) -> str:
    return f"{value:,.{places}f}" if curves.finite(value) else "–"
