"""The wire: lines however they are cut, lines that are too long, and clients that do not read."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limner.mcp import wire
from limner.mcp.wire import Input, Output


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def read_all(content: bytes) -> list[str]:
    async def collect() -> list[str]:
        with tempfile.TemporaryFile() as file:
            file.write(content)
            file.seek(0)
            return [line async for line in Input(file.fileno())]

    return anyio.run(collect)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n")), max_size=5), st.integers(1, 7))
def test_lines_are_read_however_they_are_cut(lines: list[str], size: int) -> None:
    async def through_a_pipe() -> list[str]:
        reader, writer = os.pipe()
        content, found = "".join(f"{line}\n" for line in lines).encode(), []

        async def send() -> None:
            for start in range(0, len(content), size):
                os.write(writer, content[start : start + size])
                await anyio.sleep(0)
            os.close(writer)

        try:
            async with anyio.create_task_group() as group:
                group.start_soon(send)
                found = [line async for line in Input(reader)]
        finally:
            os.close(reader)
        return found

    assert anyio.run(through_a_pipe) == lines


@pytest.mark.parametrize("number", [7, 'a "quoted" name', None], ids=repr)
def test_a_long_line_is_not_kept_but_answered(number: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LONGEST_LINE", 3000)
    head = {"jsonrpc": "2.0"} | ({} if number is None else {"id": number})
    long = json.dumps(head | {"method": "tools/call", "params": {"data": "A" * 400_000}})
    first, stand_in, last = read_all(f"before\n{long}\nafter\n".encode())
    assert (first, last) == ("before", "after")
    call = {"method": "tools/call", "params": {"name": wire.TOO_LONG}}
    assert json.loads(stand_in) == head | call


def test_all_is_written_and_the_end_is_told(pipe: tuple[int, int]) -> None:
    async def write() -> None:
        output = Output(pipe[1])
        await output.write("é" * 1000)
        await output.flush()

    anyio.run(write)
    assert os.read(pipe[0], 9999).decode() == "é" * 1000


def test_a_client_that_reads_nothing_can_be_left(pipe: tuple[int, int]) -> None:
    async def write() -> bool:
        with anyio.move_on_after(0.2) as scope:
            await Output(pipe[1]).write("x" * 10**6)
        return scope.cancelled_caught

    assert anyio.run(write)


def test_a_client_that_has_gone_is_noticed() -> None:
    async def write() -> None:
        reader, writer = os.pipe()
        os.close(reader)
        try:
            await Output(writer).write("x")
        finally:
            os.close(writer)

    with pytest.raises(BrokenPipeError):
        anyio.run(write)
