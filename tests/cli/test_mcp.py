"""``limner mcp``: what is wrong with its command line is said before it serves."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Fails = Callable[..., str]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--pictures nothing", "--pictures nothing is no folder: name one with pictures"),
        ("--out file", "--out file is a file: name a folder"),
        ("--threads 0", "--threads is 0: must be in 1 … 1024"),
        ("--port 5", "limner mcp has no flag --port"),
    ],
)
def test_a_wrong_command_line_is_explained(fails: Fails, words: str, sentence: str) -> None:
    Path("file").touch()
    assert sentence in fails(f"mcp {words}")
    assert [path.name for path in Path().iterdir()] == ["file"]


def test_a_missing_package_is_named(fails: Fails, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "limner.mcp.server", raising=False)
    for name in ("mcp", "mcp.server"):
        monkeypatch.setitem(sys.modules, name, None)
    assert fails("mcp") == "limner: limner mcp needs the package mcp: pip install 'limner[mcp]'\n"
