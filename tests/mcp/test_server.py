"""The server as clients know it: a process, spoken to by a session of the package ``mcp``, and by broken clients."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
from PIL import Image

mcp = pytest.importorskip("mcp", reason="the package mcp is not installed")

COMMAND = [sys.executable, "-m", "limner", "mcp", "--pictures", "pictures", "--out", "drawings", "--threads", "1"]
STROKE = {"start": [8, 8], "end": [50, 40], "radius": 4}
PATIENCE = 300
"""Seconds after which a test that hangs is ended."""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (30, 30), "#c02010").save(tmp_path / "pictures/red.png")
    return tmp_path


def seen(result: Any) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(result.content[1].data))))


async def draw(session: Any, here: Path) -> None:
    """All that a client does in a session."""
    listed = {tool.name: tool for tool in (await session.list_tools()).tools}
    assert set(listed) == {"look", "stroke", "paint", "pictures", "undo", "save", "new_canvas"}
    assert all(tool.description and tool.input_schema["type"] == "object" for tool in listed.values())

    async def text(tool: str, **arguments: Any) -> str:
        result = await session.call_tool(tool, arguments)
        assert not result.is_error, result
        return str(result.content[0].text)

    await text("new_canvas", width=64, height=64)
    assert (await text("stroke", strokes=[STROKE])).startswith("Painted 1 stroke")
    before = seen(await session.call_tool("look", {"size": 64}))
    assert before.shape == (64, 64, 3)
    assert before.min() < 50

    refused = await session.call_tool("save", {"name": "../escaped.png"})
    assert refused.is_error
    assert refused.content[0].text.startswith("name is '../escaped.png': must be a name without folders")
    for tool, arguments in (("stroke", {"strokes": []}), ("fly", {}), ("undo", {"to": 7}), ("paint", {})):
        assert (await session.call_tool(tool, arguments)).is_error

    reports: list[float] = []

    async def report(done: float, total: float | None, message: str | None) -> None:
        reports.append(done)
        if scope is not None:
            scope.cancel()

    with anyio.CancelScope() as scope:
        long = {"picture": await text("pictures"), "strokes": 40, "seconds": 120}
        await session.call_tool("paint", long, progress_callback=report)
    assert scope.cancelled_caught
    np.testing.assert_array_equal(seen(await session.call_tool("look", {"size": 64})), before)

    scope = None
    reports.clear()
    short = {"picture": "red.png", "region": [0, 0, 32, 32], "strokes": 4, "seconds": 1}
    painted = await session.call_tool("paint", short, progress_callback=report)
    assert painted.content[0].text.startswith("Painted 4 strokes")
    assert reports == sorted(reports)
    assert len(reports) > 0
    assert 0 < reports[-1] <= 1

    assert "has 5 strokes" in await text("save", name="drawing.png")
    with Image.open(here / "drawings/drawing.png") as saved:
        assert saved.size == (64, 64)
    assert sorted(path.name for path in here.rglob("*") if path.is_file()) == ["drawing.png", "red.png"]


def test_a_session_draws(here: Path) -> None:
    from mcp.client.stdio import StdioServerParameters, stdio_client

    environment = {name: value for name, value in os.environ.items() if name.startswith(("LIMNER", "OMP", "PYTHON"))}
    server = StdioServerParameters(command=COMMAND[0], args=COMMAND[1:], cwd=here, env=environment)

    async def run() -> None:
        with anyio.fail_after(PATIENCE):
            async with stdio_client(server) as streams, mcp.ClientSession(*streams) as session:
                about = await session.initialize()
                assert about.server_info.name == "limner"
                assert "Limner paints" in about.instructions
                await draw(session, here)

    anyio.run(run)


@contextmanager
def started(here: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The process of a server whose client has said hello."""
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(COMMAND, cwd=here, **streams) as process:
        try:
            client = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
            send(process, id=1, method="initialize", params=client)
            assert json.loads(process.stdout.readline())["id"] == 1
            send(process, method="notifications/initialized")
            yield process
        finally:
            process.kill()


def send(process: subprocess.Popen[bytes], **message: Any) -> None:
    process.stdin.write(json.dumps({"jsonrpc": "2.0"} | message).encode() + b"\n")
    process.stdin.flush()


def test_a_client_that_leaves_ends_the_server(here: Path) -> None:
    with started(here) as process:
        process.stdin.write(b'no message\n\xff\n{"jsonrpc": "2.0"\n')
        send(process, id=2, method="ping")
        assert json.loads(process.stdout.readline()) == {"jsonrpc": "2.0", "id": 2, "result": {}}
        process.stdin.close()
        assert process.stdout.read() == b""
        assert process.wait(PATIENCE) == 0
        assert process.stderr.read() == b""


def test_a_client_that_reads_no_longer_ends_the_server(here: Path) -> None:
    with started(here) as process:
        process.stdout.close()
        send(process, id=2, method="ping")
        assert process.wait(PATIENCE) == 141
        assert process.stderr.read() == b""


def test_a_signal_ends_the_server(here: Path) -> None:
    with started(here) as process:
        send(process, id=2, method="ping")
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
        assert process.stderr.read() == b""
