"""Parsing: the programs of a whole data set, written batch by batch so that little is lost.

A file of programs is what a prior over programs is learnt from (``limner.training.imitation.trainer``).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from limner.agents.agent import Agent
from limner.data import Dataset
from limner.inference.draw import Plan, batch_size, draw
from limner.inference.evaluate import fit, squared_error
from limner.programs.program import Program
from limner.search.lookahead import Score, likeness


def parse(
    agent: Agent,
    data: Dataset,
    path: Path,
    search: float = 0.0,
    seed: int = 0,
    threads: int = 1,
    report: Callable[[int, int], None] | None = None,
    name: str | None = None,
    plan: Plan = "refine",
    score: Score = likeness,
) -> float:
    """Append to ``path`` the programs that ``agent`` writes for the pictures of ``data`` that it does not hold yet.

    Line i is the program of picture i, and its title is ``name`` (by default that of ``data``) and i. Returns the mean
    squared error of the drawings made now, NaN when there were none left. ``search`` is in seconds a picture; ``plan``
    and ``score`` as for ``draw``. ``ValueError`` when the file holds anything else; it is then left as it is.

    A batch of which only some lines were written is drawn again: without search, an interrupted file becomes what it
    would have been.
    """
    name = data.name if name is None else name
    renderer = agent.config.make_renderer(1)
    done = _continue(path, agent, renderer.settings(), name, len(data))
    size = batch_size(search)
    errors: list[float] = []
    while done < len(data):
        start = done - done % size
        rows = np.arange(start, min(start + size, len(data)))
        goals = fit(data.pictures(renderer.shape[0], rows), renderer.shape[2])
        (batch,) = draw(agent, goals, search, seed + start, threads, plan=plan, score=score)
        new = slice(done - start, None)
        titled = [replace(program, title=f"{name} {row}") for row, program in zip(rows, batch.programs, strict=True)]
        with path.open("ab") as file:
            file.write("".join(program.to_json(one_line=True) + "\n" for program in titled[new]).encode())
            file.flush()
            os.fsync(file.fileno())
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
        try:
            program = Program.from_json(line.decode())
        except ValueError as error:
            raise ValueError(f"{path}, line {i + 1}: {error}; choose another --out") from None
        if program.title != f"{name} {i}" or program.agent != agent.name:
            raise ValueError(
                f"{path}, line {i + 1}, is a program of {program.title!r} by {program.agent!r}, not of "
                f"{f'{name} {i}'!r} by {agent.name!r}: choose another --out"
            )
        if program.renderer != settings or len(program) != agent.config.steps:
            raise ValueError(
                f"{path}, line {i + 1}, is a program with other settings than {agent.name!r} has: choose another --out"
            )
    if len(lines) > count:
        raise ValueError(f"{path} holds {len(lines)} programs, the data set {count} pictures: choose another --out")
    if cut:
        empty = Program(settings, np.zeros((0, 0), np.int64), agent=agent.name, title=f"{name} {len(lines)}")
        start = empty.to_json(one_line=True).partition('"seed"')[0].encode()
        if cut[: len(start)] != start[: len(cut)]:
            raise ValueError(f"{path}, line {len(lines) + 1}, is no program that was cut short: choose another --out")
        os.truncate(path, path.stat().st_size - len(cut))
    return len(lines)
