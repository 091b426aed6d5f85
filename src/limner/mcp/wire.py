"""Standard input and output as the wire of a protocol of lines.

Notable choices:
- Both are waited for and not blocked in, so that a signal, or a client that reads nothing, never keeps the process.
- While the wire is open, whatever else writes to the standard output writes to the standard error.
- A line that is too long is not kept in memory. A line stands for it that no tool understands but that has its number,
  so that the client is told.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import AsyncIterator, Iterator

import anyio

LONGEST_LINE = 12 * 2**20
"""Bytes; a picture of 8 MiB in base64 takes 11 MiB."""
TOO_LONG = "too_long"
"""The tool that a line stands for which is too long."""

_HEAD = 1000
_NUMBER = re.compile(rb'"id"\s*:\s*("(?:[^"\\]|\\.)*"|-?\d+)')


class Input:
    """Lines of UTF-8 from a file descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    async def __aiter__(self) -> AsyncIterator[str]:
        pending, dropped = bytearray(), False
        while chunk := await self._read():
            *whole, rest = chunk.split(b"\n")
            for part in whole:
                line = bytes(pending + part)
                yield _stand_in(line) if dropped or len(line) > LONGEST_LINE else line.decode(errors="replace")
                pending, dropped = bytearray(), False
            pending += rest
            if len(pending) > LONGEST_LINE:
                del pending[_HEAD:]
                dropped = True

    async def _read(self) -> bytes:
        with contextlib.suppress(PermissionError):  # a regular file, which never has to be waited for
            await anyio.wait_readable(self._descriptor)
        return os.read(self._descriptor, 1 << 16)


class Output:
    """Text in UTF-8 to a file descriptor."""

    _AT_ONCE = 4096  # a pipe that can be written to takes so much (POSIX: PIPE_BUF)

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    async def write(self, text: str) -> None:
        """Write all of it; ``BrokenPipeError`` when nobody reads."""
        data = memoryview(text.encode())
        while data:
            with contextlib.suppress(PermissionError):
                await anyio.wait_writable(self._descriptor)
            data = data[os.write(self._descriptor, data[: self._AT_ONCE]) :]

    async def flush(self) -> None:
        """Nothing is kept back."""


@contextlib.contextmanager
def open_wire() -> Iterator[tuple[Input, Output]]:
    """While open, the standard streams are a wire."""
    output = os.dup(1)
    try:
        os.dup2(2, 1)
        yield Input(0), Output(output)
    finally:
        os.dup2(output, 1)
        os.close(output)


def _stand_in(line: bytes) -> str:
    """A line in place of one that is too long."""
    found = _NUMBER.search(line[:_HEAD])
    number = json.loads(found[1]) if found else None
    call = {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": TOO_LONG}}
    return json.dumps(call | ({} if number is None else {"id": number}))
