"""What the studio refuses before it looks at a request, and the headers of its answers.

- Host: a page elsewhere can have a name of its own point to this machine ("DNS rebinding"). Only the names and
  addresses of this machine are answered to.
- Origin: pages of other sites are refused, on the WebSocket too. Whatever changes something needs an Origin.
- Token: beyond loopback the address that is printed holds a token, which a cookie then keeps.
- Bodies are limited in size. Pages may load nothing but what the studio serves, and lie in no frame.
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 24 * 2**20
"""Bytes."""
TOKEN_COOKIE = "limner-token"
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}


class TooLarge(Exception):
    """A body has more than ``LARGEST_BODY`` bytes."""


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches ``host``."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Guard:
    """Around the application: refuses, limits, and adds headers."""

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        """A ``token`` is asked for unless it is None."""
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        response = self._refusal(scope, Headers(scope=scope))
        if response is None:
            await self._pass(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await response(scope, receive, _with_headers(send))

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        seen = 0

        async def limited() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if scope["type"] == "http" and seen > LARGEST_BODY:
                raise TooLarge
            return message

        await self._app(scope, limited, _with_headers(send) if scope["type"] == "http" else send)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        """What is answered at once; None: the request is passed on."""
        host = headers.get("host", "")
        if not self._knows(host):
            return _problem(421, f"this studio is not called {host[:100]!r}: use the address that it printed")
        changes = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")
        origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
        if (changes or origin is not None) and origin not in (f"http://{host}", f"https://{host}"):
            return _problem(403, "requests of other sites are refused")
        if scope["path"] != "/" and site not in ("same-origin", "none"):
            return _problem(403, "requests of other sites are refused")
        if not headers.get("content-length", "0").isdecimal() or int(headers.get("content-length", "0")) > LARGEST_BODY:
            return _too_large()
        return self._ask_token(scope, headers)

    def _knows(self, host: str) -> bool:
        """Whether a Host header is a name or an address of this machine."""
        name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
        if is_loopback(name):
            return True
        if self._token is None:
            return False
        try:
            return bool(ipaddress.ip_address(name))
        except ValueError:
            return name.lower() in {socket.gethostname().lower(), socket.getfqdn().lower()}

    def _ask_token(self, scope: Scope, headers: Headers) -> Response | None:
        if self._token is None:
            return None
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(TOKEN_COOKIE)
        except CookieError:
            cookie = None
        if cookie is not None and _same(cookie.value, self._token):
            return None
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if scope["path"] == "/" and _same(given, self._token):
            response = RedirectResponse("/", 303)
            response.set_cookie(TOKEN_COOKIE, self._token, httponly=True, samesite="strict")
            return response
        return _problem(401, "the address needs the token that limner studio printed: open it with ?token=…")


def _same(one: str, other: str) -> bool:
    return secrets.compare_digest(one.encode(), other.encode())


def _problem(status: int, text: str) -> JSONResponse:
    return JSONResponse({"error": text}, status)


def _too_large() -> JSONResponse:
    return _problem(413, f"that is more than {LARGEST_BODY // 2**20} MiB: make it smaller")


def _with_headers(send: Send) -> Send:
    async def add(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return add


def too_large(request: Any, error: Exception) -> Response:
    """What is answered to ``TooLarge``."""
    return _too_large()
