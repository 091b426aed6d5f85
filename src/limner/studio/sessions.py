"""People: each browser has a session, known by a cookie, which holds its pictures and documents and sees no others."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from limner.studio.easel import Easel
from limner.studio.jobs import Busy

SESSIONS = 64
"""At most; of more, those that were used least recently are forgotten."""
DOCUMENTS = 12
"""Of a session, at most."""
ALL_DOCUMENTS = 48
"""Of all sessions, at most."""
PICTURES = 6
"""Of a session; older ones are forgotten, but by the documents that are painted from them."""


class Missing(Exception):
    """There is no such document or picture in this session; the message is for people."""


@dataclass
class Session:
    """What a browser has."""

    key: str
    easels: dict[str, Easel] = field(default_factory=dict)
    pictures: OrderedDict[str, bytes] = field(default_factory=OrderedDict)
    used: float = field(default_factory=time.monotonic)

    def easel(self, name: str) -> Easel:
        """The easel of that name; ``Missing`` without one."""
        if name not in self.easels:
            raise Missing("there is no such document here: open it again")
        return self.easels[name]

    def picture(self, name: object) -> bytes:
        """The picture of that name; ``Missing`` without one."""
        if not isinstance(name, str) or name not in self.pictures:
            raise Missing("there is no such picture here: choose it again")
        return self.pictures[name]

    def add_picture(self, content: bytes) -> str:
        """Keep a picture; its name."""
        name = secrets.token_urlsafe(16)
        self.pictures[name] = content
        while len(self.pictures) > PICTURES:
            self.pictures.popitem(last=False)
        return name


class Sessions:
    """All sessions by key."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def find(self, key: str | None) -> Session | None:
        """The session with that key, if there is one."""
        with self._lock:
            session = self._sessions.get(key or "")
            if session is not None:
                session.used = time.monotonic()
            return session

    def begin(self) -> Session:
        """A new session; the least recently used one ends where there are too many."""
        session = Session(secrets.token_urlsafe(32))
        with self._lock:
            self._sessions[session.key] = session
            gone = sorted(self._sessions.values(), key=lambda each: each.used)[: len(self._sessions) - SESSIONS]
            for each in gone:
                del self._sessions[each.key]
        for each in gone:
            _close(each)
        return session

    def add(self, session: Session, easel: Easel) -> str:
        """Give a session an easel; its name. ``Busy`` where there are too many."""
        with self._lock:
            if len(session.easels) >= DOCUMENTS:
                raise Busy(f"you have {DOCUMENTS} documents open: close one first")
            if sum(len(each.easels) for each in self._sessions.values()) >= ALL_DOCUMENTS:
                raise Busy("too many documents are open in this studio: try again later")
            name = secrets.token_urlsafe(16)
            session.easels[name] = easel
            return name

    def close(self) -> None:
        """Stop whatever goes on."""
        for session in self._sessions.values():
            _close(session)


def _close(session: Session) -> None:
    for easel in session.easels.values():
        easel.close()
