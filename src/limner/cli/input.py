"""What commands share: which program is meant."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from limner.programs.program import Program


def load_program(path: Path, index: int | None) -> Program:
    """The program of a file, or of line ``index`` of a .jsonl file, the first by default."""
    from limner.programs.program import Program, load_programs

    if path.suffix != ".jsonl":
        if index is not None:
            raise ValueError(f"--index picks a line of a .jsonl file, {path} is none")
        return Program.load(path)
    programs = load_programs(path)
    index = index or 0
    if not 0 <= index < len(programs):
        raise ValueError(f"--index is {index}: {path} holds {len(programs)} programs, counted from 0")
    return programs[index]
