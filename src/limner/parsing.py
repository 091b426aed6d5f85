"""Parsing: the programs of a whole data set, written line by line so that nothing is lost.

A file of programs is what a prior over programs is learnt from (``limner.imitation``).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from limner.datasets import Dataset
from limner.drawing import BATCH, draw
from limner.files import write_atomic
from limner.program import load_programs
from limner.reconstruction import fit, squared_error
from limner.sampling import Agent


def parse(
    agent: Agent,
    data: Dataset,
    path: Path,
    search: float = 0.0,
    seed: int = 0,
    threads: int = 1,
    report: Callable[[int, int], None] | None = None,
) -> float:
    """Append to ``path`` the programs that ``agent`` writes for the pictures of ``data`` that it does not hold yet.

    Line i is the program of picture i; its title says which. Returns the mean squared error of the drawings made now,
    NaN when there were none left. ``search`` is in seconds a picture. ``ValueError`` when the file holds programs of
    something else.
    """
    done = _continue(path, agent, data)
    renderer = agent.config.make_renderer(1)
    errors: list[float] = []
    for start in range(done, len(data), BATCH):
        rows = np.arange(start, min(start + BATCH, len(data)))
        goals = fit(data.pictures(renderer.shape[0], rows), renderer.shape[2])
        for part in draw(agent, goals, search, seed + start, threads):
            with path.open("a") as file:
                for program in part.programs:
                    titled = replace(program, title=f"{data.name} {done}")
                    file.write(titled.to_json(one_line=True) + "\n")
                    done += 1
                file.flush()
                os.fsync(file.fileno())
            errors += squared_error(part.canvases, goals[: len(part.programs)]).tolist()
            goals = goals[len(part.programs) :]
            if report is not None:
                report(done, len(data))
    return float(np.mean(errors)) if errors else float("nan")


def _continue(path: Path, agent: Agent, data: Dataset) -> int:
    """How many programs the file holds; a last line that was cut short is removed."""
    if not path.exists():
        return 0
    text = path.read_bytes()
    whole = text[: text.rfind(b"\n") + 1]
    if whole != text:
        write_atomic(path, whole)
    programs = load_programs(path)
    for i, program in enumerate(programs):
        if program.title != f"{data.name} {i}" or program.agent != agent.name:
            raise ValueError(
                f"{path}, line {i + 1}, is a program of {program.title!r} by {program.agent!r}, not of "
                f"{f'{data.name} {i}'!r} by {agent.name!r}: choose another --out"
            )
    if len(programs) > len(data):
        raise ValueError(
            f"{path} holds {len(programs)} programs, the data set {len(data)} pictures: choose another --out"
        )
    return len(programs)
