"""Running a command line."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from limner.cli import main as cli
from limner.programs.program import Program, save_programs
from limner.worlds import make_renderer

Fails = Callable[..., str]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LIMNER_DEBUG", raising=False)
    return tmp_path


@pytest.fixture
def fails(here: Path, capsys: pytest.CaptureFixture[str]) -> Fails:
    """A function that runs a command line that must end in one line on the standard error, with a status."""

    def fails(words: str, status: int = 2) -> str:
        capsys.readouterr()
        assert cli.main(words.split()) == status
        output, error = capsys.readouterr()
        assert output == ""
        assert error.startswith("limner: ")
        assert error.count("\n") == 1
        return error

    return fails


@pytest.fixture
def toy_programs(here: Path) -> list[Program]:
    """Three programs in ``programs.jsonl``, the first in ``program.json`` too."""
    toy = make_renderer({"name": "toy"})
    programs = []
    for seed in range(3):
        actions = toy.actions.sample(np.random.default_rng(seed), 4)
        actions[0, 0] = 1
        programs.append(Program(toy.settings(), actions, seed))
    programs[0].save("program.json")
    save_programs("programs.jsonl", programs)
    return programs
