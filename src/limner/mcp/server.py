"""The tools as a server of the Model Context Protocol, with the official package ``mcp``.

Notable choices:
- One call is worked on at a time, on a thread; a few wait, and more are refused.
- A tool is asked for one step after the other. Between them progress is reported, and a call that its client has
  cancelled ends there.
- What is refused is an answer with an error, in one sentence, which a model can act on.
"""

from __future__ import annotations

import base64
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any, cast

import anyio
import anyio.to_thread
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server
from mcp.types import (
    CallToolRequestParams,
    CallToolResult,
    ContentBlock,
    ImageContent,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
    ToolAnnotations,
)

from limner.mcp.easel import Answer, Easel, Steps
from limner.mcp.tools import INSTRUCTIONS, TOOLS
from limner.mcp.wire import LONGEST_LINE, TOO_LONG, open_wire
from limner.worlds.validation import require

WAITING = 8
"""Calls that wait while another is worked on."""

Context = ServerRequestContext[Any]


def serve(easel: Easel) -> None:
    """Serve on standard input and output until the client leaves.

    ``BrokenPipeError`` when it reads no longer, ``KeyboardInterrupt`` by Ctrl-C.
    """
    anyio.run(_serve, easel)


async def _serve(easel: Easel) -> None:
    desk = _Desk(easel)
    server: Server[Any] = Server(
        "limner",
        version=version("limner"),
        title="Limner",
        instructions=INSTRUCTIONS,
        on_list_tools=desk.list_tools,
        on_call_tool=desk.call,
    )
    stopped = False

    async def stop_by_signal() -> None:
        nonlocal stopped
        with anyio.open_signal_receiver(signal.SIGINT) as signals:
            async for _ in signals:
                stopped = True
                group.cancel_scope.cancel()
                return

    with open_wire() as (lines, output):
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(stop_by_signal)
                async with stdio_server(cast(Any, lines), cast(Any, output)) as (reader, writer):
                    await server.run(reader, writer, server.create_initialization_options())
                group.cancel_scope.cancel()
        except* OSError as errors:
            raise BrokenPipeError("the client has closed its end") from errors
        except* (anyio.BrokenResourceError, anyio.ClosedResourceError):
            pass  # a message came while the wire was being closed
    if stopped:
        raise KeyboardInterrupt


class _Desk:
    """Answers requests."""

    def __init__(self, easel: Easel) -> None:
        self._easel, self._lock, self._waiting = easel, anyio.Lock(), 0

    async def list_tools(self, context: Context, params: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=[_announced(tool) for tool in TOOLS])

    async def call(self, context: Context, params: CallToolRequestParams) -> CallToolResult:
        try:
            require(params.name != TOO_LONG, f"a message has more than {LONGEST_LINE // 2**20} MiB: make it smaller")
            steps = self._easel.use(params.name, params.arguments or {})
            async with self._turn():
                answer = await self._work(steps, context)
        except (ValueError, OSError, MemoryError) as error:
            return CallToolResult(content=[TextContent(type="text", text=_explain(error))], is_error=True)
        content: list[ContentBlock] = [TextContent(type="text", text=answer.text)]
        if answer.picture is not None:
            data = base64.b64encode(answer.picture).decode()
            content.append(ImageContent(type="image", data=data, mime_type="image/png"))
        return CallToolResult(content=content)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """While open, nobody else works."""
        require(self._waiting <= WAITING, f"{WAITING} calls are waiting already: wait for their answers")
        self._waiting += 1
        try:
            async with self._lock:
                yield
        finally:
            self._waiting -= 1

    async def _work(self, steps: Steps, context: Context) -> Answer:
        reported = 0.0
        try:
            while not isinstance(step := await anyio.to_thread.run_sync(next, steps), Answer):
                if step >= reported + 0.01:
                    reported = step
                    await context.session.report_progress(step, 1.0)
            return step
        finally:
            steps.close()


def _announced(tool: Any) -> Tool:
    hints = ToolAnnotations(read_only_hint=tool.reads_only, destructive_hint=False, open_world_hint=False)
    return Tool(name=tool.name, description=tool.description, input_schema=tool.schema, annotations=hints)


def _explain(error: Exception) -> str:
    """One line for a model."""
    if isinstance(error, MemoryError):
        return "not enough memory: ask for less"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return " ".join(str(error).split())
