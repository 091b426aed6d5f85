"""Parsing: the programs of a whole data set, written batch by batch so that little is lost.

A file of programs is what a prior over programs is learnt from (the expert ``file``).
"""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from limner.agents.agent import Agent
from limner.data import Dataset
from limner.data.resize import match_channels
from limner.files import append_atomic
from limner.inference.draw import DrawOptions, batch_size, draw
from limner.metrics.reconstruction import squared_error
from limner.programs.program import Program


def parse(
    agent: Agent,
    data: Dataset,
    path: Path,
    options: DrawOptions = DrawOptions(),
    name: str | None = None,
    report: Callable[[int, int], None] | None = None,
) -> float:
    """Append to ``path`` the programs that ``agent`` writes for the pictures of ``data`` that it does not hold yet.

    Line i is the program of picture i, and its title is ``name`` (by default that of ``data``) and i. Returns the mean
    squared error of the drawings made now, NaN when there were none left. ``ValueError`` when the file holds anything
    else; it is then left as it is.

    A batch of which only some lines were written is drawn again: without search, or with a budget in sweeps, an
    interrupted file becomes what it would have been.
    """
    name = data.name if name is None else name
    renderer = agent.config.make_renderer(1)
    done = _continue(path, agent, renderer.settings(), name, len(data))
    size = batch_size(options)
    errors: list[float] = []
    while done < len(data):
        start = done - done % size
        rows = np.arange(start, min(start + size, len(data)))
        goals = match_channels(data.pictures(renderer.shape[0], rows), renderer.shape[2])
        (batch,) = draw(agent, goals, replace(options, seed=options.seed + start))
        new = slice(done - start, None)
        titled = [replace(program, title=f"{name} {row}") for row, program in zip(rows, batch.programs, strict=True)]
        append_atomic(path, "".join(program.to_json(one_line=True) + "\n" for program in titled[new]).encode())
        errors += squared_error(batch.canvases, goals)[new].tolist()
        done = start + len(rows)
        if report is not None:
            report(done, len(data))
    return float(np.mean(errors)) if errors else float("nan")


def _continue(path: Path, agent: Agent, settings: dict[str, Any], name: str, count: int) -> int:
    """How many programs the file holds; a last line that was cut short is removed."""
    if not path.exists():
        return 0
    *lines, cut = path.read_bytes().split(b"\n")
    for i, line in enumerate(lines):
        where, title = f"{path}, line {i + 1}", f"{name} {i}"
        try:
            program = Program.from_json(line.decode())
        except ValueError as error:
            raise ValueError(f"{where}: {error}; choose another --out") from None
        if (program.title, program.agent) != (title, agent.name):
            raise ValueError(
                f"{where}, is a program of {program.title!r} by {program.agent!r}, not of {title!r} by {agent.name!r}: "
                "choose another --out"
            )
        if program.renderer != settings or len(program) != agent.config.horizon:
            raise ValueError(f"{where}, is a program with other settings than {agent.name!r} has: choose another --out")
    if len(lines) > count:
        raise ValueError(f"{path} holds {len(lines)} programs, the data set {count} pictures: choose another --out")
    if cut:
        empty = Program(settings, np.zeros((0, 0), np.int64), agent=agent.name, title=f"{name} {len(lines)}")
        start = empty.to_json(one_line=True).partition('"seed"')[0].encode()
        if cut[: len(start)] != start[: len(cut)]:
            raise ValueError(f"{path}, line {len(lines) + 1}, is no program that was cut short: choose another --out")
        os.truncate(path, path.stat().st_size - len(cut))
    return len(lines)
