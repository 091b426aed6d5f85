"""docs/mcp.md names every tool with its arguments, and the limits as they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from limner.inference.mark import LONGEST, MOST_STROKES
from limner.mcp import easel, folders, server, tools, wire
from limner.mcp.tools import TOOLS, Tool

PAGE = (Path(__file__).parents[2] / "docs/mcp.md").read_text()


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_tools_are_described_with_their_arguments(tool: Tool) -> None:
    (row,) = re.findall(rf"^\| `{tool.name}` \| (.*?) \|", PAGE, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", row)) - {"crop", "stretch"} == set(tool.properties)


def test_limits_are_as_described() -> None:
    limits = PAGE.partition("## Limits")[2]
    for words in (
        f"{LONGEST} × {LONGEST} pixels, {MOST_STROKES:,} strokes",
        f"{folders.MOST_PIXELS // 10**6} megapixels; {folders.LARGEST_FILE >> 20} MiB as a file, "
        f"{folders.LARGEST_DATA >> 20} MiB in a message",
        f"| {wire.LONGEST_LINE >> 20} MiB |",
        f"one is worked on, {server.WAITING} wait",
        f"{folders.MOST_FILES} in a session",
    ):
        assert words in limits
    assert easel.OVERTIME == 60
    assert f"{tools.MOST_PAINTED:,}" in PAGE
