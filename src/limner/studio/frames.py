"""Frames over a WebSocket: a page asks for the picture after so many actions, and is sent what differs from its last.

A page asks for the next frame when it has the last one, so a slow one slows nobody else. That a document has changed is
told at most once until the page has taken it. Messages of a page are JSON:

- ``{"watch": [NAME, …]}``: tell me of these documents from now on;
- ``{"frame": NAME, "count": K, "whole": true}``: the picture after K actions; with ``whole`` all of it.

Answers are ``{"facts": {NAME: …}}`` and frames in binary: the length of a JSON header in 4 bytes (big endian), the
header (``frame``, ``count``, ``left``, ``top``, ``width``, ``height`` of the picture, ``changes``), and the file of
what differs, if anything does.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
from collections import OrderedDict
from collections.abc import MutableMapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketDisconnect

from limner.studio.easel import Easel
from limner.studio.picture import changed_box, encode
from limner.studio.sessions import Session
from limner.worlds.world import Canvas

PATIENCE = 30.0
"""Seconds after which a page that takes nothing is given up."""
WATCHED = 8
"""Documents that a page watches, at most."""
KEPT = 24
"""Encoded frames of a document that are kept for others who watch it."""


Known = tuple[int, int]
"""What a picture shows: the number of changes of its document, and of its actions."""


class Stills:
    """The frames of an easel, encoded once for all who watch it."""

    def __init__(self, easel: Easel) -> None:
        self._easel, self._lock = easel, asyncio.Lock()
        self._kept: OrderedDict[tuple[int, int, Known | None], tuple[dict[str, Any], bytes]] = OrderedDict()

    async def frame(self, count: int, last: tuple[Known, Canvas] | None) -> tuple[dict[str, Any], bytes, Canvas]:
        """Header, file and picture after ``count`` actions, for one who has the ``last``."""
        async with self._lock:
            changes, picture = await run_in_threadpool(self._easel.document.still, count)
            key = (changes, count, None if last is None else last[0])
            if key not in self._kept:
                self._kept[key] = await run_in_threadpool(_encode, picture, None if last is None else last[1])
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            header, data = self._kept[key]
            return header | {"count": count, "changes": changes}, data, picture


class Viewer:
    """A page that is connected."""

    def __init__(self, socket: WebSocket, session: Session, stills: MutableMapping[Easel, Stills]) -> None:
        self._socket, self._session, self._stills = socket, session, stills
        self._sending, self._news = asyncio.Lock(), asyncio.Event()
        self._watched: dict[str, Easel] = {}
        self._stops: list[Any] = []
        self._last: dict[str, tuple[Known, Canvas]] = {}

    async def serve(self) -> None:
        """Answer until the page goes."""
        await self._socket.accept()
        teller = asyncio.create_task(self._tell())
        try:
            while True:
                await self._answer(await self._socket.receive_text())
        except (WebSocketDisconnect, TimeoutError, RuntimeError, KeyError):
            pass
        finally:
            self._stop_listening()
            teller.cancel()
            with contextlib.suppress(Exception, asyncio.CancelledError):
                await teller
            with contextlib.suppress(Exception):
                await self._socket.close()

    async def _answer(self, text: str) -> None:
        try:
            message = json.loads(text)
            if "watch" in message:
                self._watch(message["watch"])
            else:
                await self._send_frame(message["frame"], int(message["count"]), bool(message.get("whole")))
        except (ValueError, TypeError, KeyError, RecursionError):
            await self._send(json.dumps({"error": "that is no message that the studio knows"}))

    def _watch(self, names: Any) -> None:
        self._stop_listening()
        easels = {name: self._session.easels[name] for name in list(names)[:WATCHED] if name in self._session.easels}
        loop = asyncio.get_running_loop()
        for easel in easels.values():

            def hear() -> None:
                with contextlib.suppress(RuntimeError):  # the loop has ended
                    loop.call_soon_threadsafe(self._news.set)

            self._stops.append(easel.document.listen(hear))
        self._watched = easels
        self._last = {name: last for name, last in self._last.items() if name in easels}
        self._news.set()

    def _stop_listening(self) -> None:
        for stop in self._stops:
            stop()
        self._stops.clear()

    async def _tell(self) -> None:
        """Tell the page what is new of the documents that it watches."""
        while True:
            await self._news.wait()
            self._news.clear()
            facts = {name: easel.facts() for name, easel in self._watched.items()}
            await self._send(json.dumps({"facts": facts}))

    async def _send_frame(self, name: str, count: int, whole: bool) -> None:
        easel = self._session.easels.get(name)
        if easel is None:
            await self._send(json.dumps({"gone": name}))
            return
        stills = self._stills.setdefault(easel, Stills(easel))
        header, data, picture = await stills.frame(count, None if whole else self._last.get(name))
        self._last[name] = (header["changes"], count), picture
        head = json.dumps({"frame": name} | header).encode()
        await self._send(struct.pack(">I", len(head)) + head + data)

    async def _send(self, message: str | bytes) -> None:
        async with asyncio.timeout(PATIENCE), self._sending:
            if isinstance(message, str):
                await self._socket.send_text(message)
            else:
                await self._socket.send_bytes(message)


def _encode(picture: Canvas, last: Canvas | None) -> tuple[dict[str, Any], bytes]:
    """Header and file of what differs from the ``last`` picture, or of all."""
    height, width = picture.shape[:2]
    box: tuple[int, int, int, int] | None = (0, 0, width, height)
    if last is not None and last.shape == picture.shape:
        box = changed_box(last, picture)
    if box is None:
        return {"left": 0, "top": 0, "width": width, "height": height, "type": None}, b""
    data, kind = encode(picture[box[1] : box[3], box[0] : box[2]])
    return {"left": box[0], "top": box[1], "width": width, "height": height, "type": kind}, data
