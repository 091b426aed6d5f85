"""Running a command line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from limner.cli import main as cli

Fails = Callable[[str], str]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LIMNER_DEBUG", raising=False)
    return tmp_path


@pytest.fixture
def fails(here: Path, capsys: pytest.CaptureFixture[str]) -> Fails:
    """A function that runs a command line that must end in one line on the standard error and status 2."""

    def fails(words: str) -> str:
        capsys.readouterr()
        assert cli.main(words.split()) == 2
        output, error = capsys.readouterr()
        assert output == ""
        assert error.startswith("limner: ")
        assert error.count("\n") == 1
        return error

    return fails
