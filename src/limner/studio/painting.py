"""What a worker does with a picture: paint it, and look where an agent would go on.

A report of a painting holds ``keep``, how many actions of the last report stay, and ``actions``, those that follow; a
report of another renderer or frame than the last one's holds these too. ``done`` is the share of the work. First comes
``goal``: the picture, small, as PNG in base64.
"""

from __future__ import annotations

import base64
import io
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
from PIL import Image

from limner.agents.agent import Agent
from limner.data import Pictures
from limner.data.decoding import decode
from limner.data.resize import resize_square
from limner.inference.draw import DrawOptions, check_drawing, draw_on
from limner.inference.outlook import outlook
from limner.inference.paint import DETAILS, Painting, PaintOptions, canvas_shape, enough_detail, paint
from limner.programs.frame import Frame
from limner.programs.program import Program
from limner.studio.layers import alike
from limner.worlds.validation import require

OFTEN = 0.1
"""Seconds between two reports, at least, but for the first and the last."""

GOAL = 256
"""Pixels along the longer side of the copy of a picture that paintings are compared with."""

Answer = dict[str, Any]


def paint_picture(agent: Agent, content: bytes, job: Answer, stop: threading.Event) -> Iterator[Answer]:
    """Let ``agent`` paint the picture in a file; gives reports.

    ``job`` has strokes (or None), seconds of search, detail (or None), a seed, a region (left, top, right and bottom as
    shares of the picture, or None) and start, the JSON text of a program to go on from, or None.
    """
    check_drawing(agent)
    image = decode(content)
    start = None if job["start"] is None else Program.from_json(job["start"])
    frame = Frame(*image.size) if start is None else start.frame or Frame(1, 1)
    options = DrawOptions(seconds=job["seconds"], seed=job["seed"], threads=job["threads"])
    options.check()
    last: Program | None = None
    said = 0.0
    yield {"goal": _small_copy(image)}
    paintings = _large(agent, image, frame, options, job, start) if _is_large(agent) else _small(agent, image, options)
    for painting in paintings:
        now = time.perf_counter()
        first = last is None or (len(last) == 0 and len(painting.program) > 0)
        if first or now - said >= OFTEN or painting.done == 1:
            yield _report(last, painting)
            last, said = painting.program, now
        if stop.is_set():
            if painting.program is not last:
                yield _report(last, painting)
            break


def look_ahead(agent: Agent, rewarded: bool, content: bytes, job: Answer) -> Iterator[Answer]:
    """Where ``agent`` would go on with the JSON text ``program`` of a job, on the way to the picture in a file.

    The value is None unless the agent was trained on rewards.
    """
    program = Program.from_json(job["program"])
    goal = None
    if agent.config.conditional:
        require(len(content) > 0, f"{agent.name!r} draws pictures: there is none here for it to draw")
        image, (side, _, channels) = decode(content), agent.config.make_renderer(1).shape
        goal = (program.frame or Frame(*image.size)).lay(image, side, channels)
    seen = outlook(agent, program, goal, job["seed"])
    value = seen.value if rewarded else None
    yield {"part": seen.part, "places": np.round(seen.places, 6).tolist(), "value": value}


def _is_large(agent: Agent) -> bool:
    """Whether the agent can paint pictures of any size."""
    try:
        canvas_shape(agent, 1)
    except ValueError:
        return False
    return True


def _large(
    agent: Agent, image: Any, frame: Frame, options: DrawOptions, job: Answer, start: Program | None
) -> Iterator[Painting]:
    """Paint on a large canvas, which is that of the program to go on from where there is one."""
    detail = job["detail"]
    if start is not None:
        detail = max(1, int(start.renderer["canvas"]) // agent.config.renderer.canvas)
    elif detail is None:
        detail = 8 if options.searches or job["strokes"] is None else enough_detail(agent, job["strokes"])
    detail = max(level for level in DETAILS if level <= detail)
    side, channels = canvas_shape(agent, detail)
    weights = None if job["region"] is None else _weigh(job["region"], frame, side)
    wishes = PaintOptions(strokes=job["strokes"], frame=frame, start=start, weights=weights)
    return paint(agent, frame.lay(image, side, channels), detail, options, wishes)


def _small(agent: Agent, image: Any, options: DrawOptions) -> Iterator[Painting]:
    """Draw on the agent's own canvas; the middle of the picture is what it sees."""
    renderer = agent.config.make_renderer(1)
    side, _, channels = renderer.shape
    edge = min(image.size)
    left, top = (image.width - edge) // 2, (image.height - edge) // 2
    pixels = np.asarray(image.crop((left, top, left + edge, top + edge)).convert("L" if channels == 1 else "RGB"))
    goal: Pictures = resize_square(pixels.reshape(1, edge, edge, channels), side)
    yield Painting(draw_on(renderer, agent, goal, options).programs[0], 1.0)


def _weigh(region: list[float], frame: Frame, side: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """1 in a region of the picture, 0 elsewhere."""
    left, top, right, bottom = frame.box(side)
    columns = [round(left + share * (right - left)) for share in (region[0], region[2])]
    rows = [round(top + share * (bottom - top)) for share in (region[1], region[3])]
    weights = np.zeros((side, side))
    weights[rows[0] : max(rows[1], rows[0] + 1), columns[0] : max(columns[1], columns[0] + 1)] = 1
    return weights


def _small_copy(image: Image.Image) -> str:
    """A PNG of at most ``GOAL`` pixels a side, in base64."""
    file, small = io.BytesIO(), image.copy()
    small.thumbnail((GOAL, GOAL))
    small.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def _report(last: Program | None, painting: Painting) -> Answer:
    """What is new since the ``last`` program."""
    program = painting.program
    if last is None or last.renderer != program.renderer:
        frame = None if program.frame is None else asdict(program.frame)
        about = {"renderer": program.renderer, "frame": frame, "agent": program.agent, "seed": program.seed}
        return about | {"keep": 0, "actions": program.actions.tolist(), "done": painting.done}
    keep = alike(last.actions, program.actions)
    return {"keep": keep, "actions": program.actions[keep:].tolist(), "done": painting.done}
