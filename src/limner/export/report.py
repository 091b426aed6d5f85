"""The report of a run: one HTML file, without links to other files.

Notable choices:
- It is made from the files of a run that exist, so it can be made again at any time: ``log.jsonl``,
  ``reference.json``, ``config.json``, ``programs.jsonl``, ``sheet.png`` or ``pairs.png``, ``drawing.gif``.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from limner.export import curves
from limner.export.picture import png
from limner.programs.execution import frames
from limner.programs.program import Program, load_programs
from limner.programs.table import columns, write_rows
from limner.training.log import read_log
from limner.worlds.world import on_white

DRAWINGS = 8  # most programs that can be executed step by step
MAX_STEPS = 100  # longer programs are left out: every step is a picture in the file
DRAWING_SIZE = 256

GENERATION = {
    "frechet": ("Fréchet distance", 1),
    "precision": ("Precision", 3),
    "coverage": ("Coverage", 3),
    "entropy": ("Class entropy (nats)", 2),
}
"""Columns of the table of figures of an unconditional agent: title and decimals."""
GENERATION_NOTE = (
    "Measured on the features of a small classifier. Better are a low Fréchet distance, a high precision (drawings "
    "that look real) and a high coverage (real pictures that have a drawing near them). The entropy tells how "
    "evenly the classes are drawn."
)
RECONSTRUCTION = {"mse": ("Mean squared error", 4)}
"""The same of a conditional agent."""
RECONSTRUCTION_NOTE = (
    "How far drawings of pictures that were not trained on are from them, pixel values counted from 0 to 1; drawn by "
    "the policy alone, without search."
)


def report(folder: str | Path) -> str:
    """The HTML text of the report of the run in ``folder``.

    ``ValueError`` naming the file, and the line where it has lines, when one is damaged.
    """
    folder = Path(folder)
    log = read_log(folder / "log.jsonl") if (folder / "log.jsonl").exists() else []
    reference = load_reference(folder)
    config = _load_object(folder / "config.json")
    programs = load_programs(folder / "programs.jsonl") if (folder / "programs.jsonl").exists() else []
    sections = [
        _pictures(folder),
        _figures(log, reference),
        _drawings(programs),
        _curves(log, reference),
        _configuration(config),
    ]
    template = resources.files("limner.export").joinpath("report.html").read_text("utf-8")
    return Template(template).substitute(
        title=escape(f"Limner: {folder.resolve().name}"), summary=_summary(log), body="\n".join(sections)
    )


def load_reference(folder: Path) -> dict[str, dict[str, Any]]:
    """The reference rows in the ``reference.json`` of the run in ``folder``; none without the file."""
    rows = _load_object(folder / "reference.json")
    if not all(isinstance(row, dict) for row in rows.values()):
        raise ValueError(f"{folder / 'reference.json'}: every row must be an object")
    return rows


def _summary(log: curves.Log) -> str:
    parts = []
    for key, form in (("frames", "{:,.0f} frames"), ("minutes", "{:,.1f} minutes of training")):
        if values := [float(record[key]) for record in log if curves.finite(record.get(key))]:
            parts.append(form.format(max(values)))
    return " · ".join(parts) or "An agent that draws by writing programs."


def _pictures(folder: Path) -> str:
    captions = {
        "sheet.png": "What the agent draws: a sample that was not selected.",
        "pairs.png": "Left of each pair a picture that was not trained on, right the drawing of it.",
        "drawing.gif": "The same programs being executed, one action at a time.",
    }
    figures = [
        f'<figure><img src="{_data_uri((folder / name).read_bytes(), name)}" alt="{caption}">'
        f"<figcaption>{caption}</figcaption></figure>"
        for name, caption in captions.items()
        if (folder / name).exists()
    ]
    return f'<h2>Drawings</h2>\n<div class="row">{"".join(figures)}</div>' if figures else ""


def _figures(log: curves.Log, reference: Mapping[str, Any]) -> str:
    conditional = "empty" in reference or any("eval/mse" in record for record in log)
    metrics, note = (RECONSTRUCTION, RECONSTRUCTION_NOTE) if conditional else (GENERATION, GENERATION_NOTE)
    names = {"real": "Real pictures", "drawn": "The agent", "random": "Random strokes", "empty": "An empty canvas"}
    rows = dict(reference)
    if evaluations := [record for record in log if f"eval/{next(iter(metrics))}" in record]:
        last = evaluations[-1]
        rows["drawn"] = {name: last.get(f"eval/{name}") for name in metrics}
        names["drawn"] += f" at {last['frames']:,.0f} frames" if curves.finite(last.get("frames")) else ""
    if not names.keys() & rows.keys():
        return ""
    head = "".join(f"<th>{title}</th>" for title, _ in metrics.values())
    body = "".join(
        f'<tr class="{row}"><td>{escape(name)}</td>'
        + "".join(f"<td>{_number(rows[row].get(key), places)}</td>" for key, (_, places) in metrics.items())
        + "</tr>"
        for row, name in names.items()
        if row in rows
    )
    return (
        f"<h2>Figures</h2><table><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>"
        f'<p class="soft">{note}</p>'
    )


def _drawings(programs: Sequence[Program]) -> str:
    short = [program for program in programs if len(program) <= MAX_STEPS][:DRAWINGS]
    if not short:
        return ""
    drawings = []
    for i, program in enumerate(short):
        pictures = on_white(frames(program, DRAWING_SIZE))
        steps, height, width, channels = pictures.shape
        strip = np.ascontiguousarray(pictures).reshape(steps * height, width, channels)
        table = write_rows(program.space, program.actions)
        rows = ["blank"] + [f"{step}: {' '.join(map(str, row))}" for step, row in enumerate(table, 1)]
        name = escape(program.title or f"drawing {i}", quote=True)
        drawings.append(
            f'<figure class="drawing" data-strip="{_data_uri(png(strip), ".png")}" '
            f'data-rows="{escape(json.dumps(rows), quote=True)}"><canvas width="{width}" height="{height}"></canvas>'
            f'<input type="range" min="0" max="{steps - 1}" value="{steps - 1}" aria-label="step of {name}">'
            f"<code></code></figure>"
        )
    names = ", ".join(columns(short[0].space))
    return (
        '<h2>Programs, step by step</h2><p class="soft">Move a slider to execute a program action by action. '
        f"The columns of an action: {escape(names)}; a jump lists only those that count.</p>"
        f'<div class="drawings">{"".join(drawings)}</div>'
    )


def _curves(log: curves.Log, reference: Mapping[str, Any]) -> str:
    tabs, panels = "", ""
    for axis in curves.AXES:
        figure = curves.learning_curves(log, (axis,), reference)
        if figure.axes:
            checked = "" if tabs else " checked"
            tabs += f'<input type="radio" name="axis" id="by-{axis}"{checked}><label for="by-{axis}">by {axis}</label> '
            picture = _data_uri(curves.svg(figure), "svg+xml")
            panels += f'<div class="{axis}"><img class="curves" src="{picture}" alt="Learning curves by {axis}"></div>'
    return f'<h2>Learning curves</h2><div class="tabs">{tabs}{panels}</div>' if tabs else ""


def _configuration(config: Mapping[str, Any]) -> str:
    if not config:
        return ""
    text = escape(json.dumps(config, indent=2, ensure_ascii=False))
    return f"<h2>Configuration</h2><details><summary>Everything that was set</summary><pre>{text}</pre></details>"


def _data_uri(data: bytes, name: str) -> str:
    return f"data:image/{name.rsplit('.', 1)[-1]};base64,{base64.b64encode(data).decode()}"


def _number(value: object, places: int) -> str:
    return f"{value:,.{places}f}" if curves.finite(value) else "–"


def _load_object(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        data = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path}: not JSON ({error})") from None
    if not isinstance(data, dict):
        raise ValueError(f"{path}: must hold a JSON object")
    return data
