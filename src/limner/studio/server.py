"""The server of the studio: one address, one port, until a signal ends it."""

from __future__ import annotations

import contextlib
import logging
import secrets
import socket
import webbrowser
from collections.abc import AsyncIterator, Callable
from importlib import resources
from pathlib import Path
from weakref import WeakKeyDictionary

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from limner.studio.agents import Agents
from limner.studio.api import COOKIE, Api
from limner.studio.easel import Easel
from limner.studio.frames import Stills, Viewer
from limner.studio.guard import Guard, TooLarge, is_loopback, too_large
from limner.studio.jobs import Jobs
from limner.studio.sessions import Sessions
from limner.worlds.validation import require_range

PAGE = Path(str(resources.files("limner.studio"))) / "page"
LARGEST_MESSAGE = 2**16
"""Bytes of a message of a page."""
CONNECTIONS = 400
"""Requests and sockets at a time."""
WARM = ["faces"]
"""Agents that are loaded before they are asked for."""


def make_app(runs: Path, token: str | None = None, warm: list[str] | None = None) -> Guard:
    """The application; agents of the runs in a folder are offered too. Workers start with it and end with it."""
    sessions, stills = Sessions(), WeakKeyDictionary[Easel, Stills]()
    jobs: list[Jobs] = []
    api = Api(Agents(runs), sessions, lambda: jobs[0])

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        jobs.append(Jobs(warm=WARM if warm is None else warm))
        try:
            yield
        finally:
            sessions.close()
            jobs.pop().close()

    async def page(request: Request) -> Response:
        response = FileResponse(PAGE / "index.html")
        if sessions.find(request.cookies.get(COOKIE)) is None:
            response.set_cookie(COOKIE, sessions.begin().key, httponly=True, samesite="strict")
        return response

    async def frames(socket: WebSocket) -> None:
        session = sessions.find(socket.cookies.get(COOKIE))
        if session is None:
            await socket.close(1008)
            return
        await Viewer(socket, session, stills).serve()

    routes = [Route("/", page), *api.routes(), WebSocketRoute("/frames", frames)]
    routes.append(Mount("/page", StaticFiles(directory=PAGE)))
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers={TooLarge: too_large})
    return Guard(app, token)


class Server(uvicorn.Server):
    """Says where it is when it is ready, and opens a browser there."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn has it."""
        await super().startup(sockets)
        if self.started:
            self._ready()


def serve(host: str, port: int, runs: Path, browser: bool, say: Callable[[str], None]) -> None:
    """Serve until Ctrl-C or SIGTERM; ``say`` is given the address. A ``port`` of 0 is any that is free.

    ``ValueError`` when the port or the address cannot be had.
    """
    require_range("--port", port, 0, 65535)
    listening = listen(host, port)
    token = None if is_loopback(host) else secrets.token_urlsafe(24)
    number = listening.getsockname()[1]
    name = f"[{host}]" if ":" in host else host
    address = f"http://{name}:{number}/" + (f"?token={token}" if token else "")

    def ready() -> None:
        say(address)
        if browser:
            webbrowser.open(address)

    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    config = uvicorn.Config(
        make_app(runs, token),
        ws="websockets-sansio",
        ws_max_size=LARGEST_MESSAGE,
        ws_ping_interval=20,
        ws_ping_timeout=20,
        limit_concurrency=CONNECTIONS,
        timeout_graceful_shutdown=2,
        log_config=None,
        access_log=False,
        server_header=False,
    )
    with listening:
        Server(config, ready).run([listening])


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens at an address; ``ValueError`` when it cannot be had."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise ValueError(f"--host {host}: {error.strerror}: give a name or an address of this machine") from None
    family, kind, protocol, _, address = found[0]
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind(address)
        made.listen(128)
    except OSError as error:
        made.close()
        reason = f"{host}:{port}: {error.strerror}"
        raise ValueError(f"cannot serve at {reason}; give another --port (0: any that is free) or --host") from None
    return made
