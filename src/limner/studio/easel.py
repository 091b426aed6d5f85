"""A document, the picture that it is painted from, and the agent that is painting it.

Reports of an agent come faster than they can be shown: a thread of its own shows the newest, and passes over others.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from limner.actions import IntArray
from limner.programs.frame import Frame
from limner.programs.program import Program
from limner.studio.document import Document
from limner.studio.jobs import Job, Jobs
from limner.worlds.validation import require

LOADING = 180.0
"""Seconds that a program may take to open."""
FAR = 60.0
"""Seconds that a painting may take longer than its search."""
STEPS = 100
"""Points of a curve of errors, at most."""


def view_size(program: Program) -> int:
    """Pixels along each side of the canvas at which a program is shown."""
    return 1024 if int(program.renderer["canvas"]) >= 512 else 512


class Easel:
    """See above."""

    def __init__(self, program: Program, picture: bytes = b"") -> None:
        """``picture`` are the bytes of a file, none without one."""
        self.document = Document(program, view_size(program))
        self.picture = picture
        self.goal: Image.Image | None = None
        """The picture, small."""
        self.job: Job | None = None
        self.done, self.end = 1.0, ""
        """Of the last job: the share of its work, and how it ended."""
        self._showing: threading.Thread | None = None
        self._closed = threading.Event()
        self._news = threading.Condition()
        self._report: Program | None = None
        self._program = program

    def open(self) -> None:
        """Paint the program; for ``LOADING`` seconds at most, or until the easel is closed."""
        until = time.monotonic() + LOADING
        self.document.load(lambda: self._closed.is_set() or time.monotonic() > until)

    def close(self) -> None:
        """Stop what is going on."""
        self._closed.set()
        if self.job is not None:
            self.job.stop()
        with self._news:
            self._news.notify_all()

    @property
    def painting(self) -> bool:
        """Whether an agent paints or waits to, or what it has painted is not all shown."""
        return self._showing is not None and self._showing.is_alive()

    def paint(self, jobs: Jobs, owner: str, request: dict[str, Any]) -> None:
        """Let an agent paint, as ``worker`` reads the request; ``Busy``, or ``ValueError`` if one does already."""
        require(not self.painting, "an agent is painting already: stop it first")
        job = Job(owner, request, self.picture, request["seconds"] + FAR, self._hear)
        self._program, self._report = self.document.program, None
        jobs.add("long", job)
        self.job, self.done, self.end = job, 0.0, ""
        self._showing = threading.Thread(target=self._show, args=(job,), daemon=True)
        self._showing.start()

    def facts(self) -> dict[str, Any]:
        """What a page shows of it."""
        state = "" if self.job is None else self.job.state
        if state == "ended" and self.painting:
            state = "running"
        about = {"job": state, "done": self.done, "end": self.end, "picture": bool(self.picture)}
        return self.document.facts() | about

    def errors(self) -> dict[str, list[float]]:
        """Mean squared errors, values in [0, 1], against the picture, after some numbers of actions."""
        if self.goal is None:
            raise ValueError("there is no picture to compare with")
        ready = self.document.ready
        counts = np.unique(np.linspace(0, ready, min(ready + 1, STEPS)).round().astype(int)).tolist()
        return {"counts": counts, "errors": [self._error(count) for count in counts]}

    def _error(self, count: int) -> float:
        assert self.goal is not None
        picture = self.document.picture(count)
        mode = "L" if picture.shape[-1] == 1 else "RGB"
        shown = Image.fromarray(picture[..., 0] if mode == "L" else picture).resize(
            self.goal.size, Image.Resampling.BOX
        )
        apart = np.asarray(shown, np.float32) - np.asarray(self.goal.convert(mode), np.float32)
        return round(float(np.square(apart / 255).mean()), 6)

    def _hear(self, answer: dict[str, Any]) -> None:
        """Note what the agent has painted."""
        if "goal" in answer:
            try:
                self.goal = Image.open(io.BytesIO(base64.b64decode(answer["goal"])))
            except (binascii.Error, OSError):
                return
            return
        with self._news:
            if "end" in answer:
                self.end = answer["end"]
            else:
                self._program = _next(self._program, answer)
                self._report, self.done = self._program, answer["done"]
            self._news.notify_all()

    def _show(self, job: Job) -> None:
        """Show reports until the job has ended."""
        while not self._closed.is_set():
            with self._news:
                self._news.wait_for(lambda: self._report is not None or job.state == "ended", 0.2)
                program, self._report = self._report, None
                over = program is None and job.state == "ended"
            if program is not None:
                self.document.follow(program)
            elif over:
                break
        self._showing = None
        self.document.tell()


def _next(program: Program, answer: dict[str, Any]) -> Program:
    """The program after a report: see ``painting``."""
    actions: IntArray = np.asarray(answer["actions"], np.int64)
    if "renderer" in answer:
        frame = None if answer["frame"] is None else Frame(**answer["frame"])
        return Program(answer["renderer"], actions, answer["seed"], answer["agent"], program.title, frame)
    kept = program.actions[: answer["keep"]]
    return replace(program, actions=np.concatenate([kept, actions]) if len(actions) else kept)


def ask(jobs: Jobs, owner: str, request: dict[str, Any], picture: bytes, hear: Callable[[Any], None]) -> Job:
    """Let an agent do something short; ``hear`` is called in another thread with the answer and with the end."""
    job = Job(owner, json.loads(json.dumps(request)), picture, 60.0, hear)
    jobs.add("short", job)
    return job
