"""A document: a program that a person or an agent works on, its versions, and its pictures.

Notable choices:
- Versions are a tree: after an undo another change begins a branch, and nothing is lost but the oldest versions.
- All methods may be called from any thread; one at a time does its work.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from limner.actions import IntArray
from limner.programs.program import Program
from limner.studio.layers import LayeredPictures
from limner.studio.states import ExecutedPictures
from limner.worlds import find_world, make_renderer, read_settings
from limner.worlds.validation import require
from limner.worlds.world import Canvas, on_white

LONGEST = 20_000
"""Actions of a document, at most."""
VERSIONS = 200
"""Versions that can be undone."""
SOME = 64
"""Actions that are painted at a time while a document opens."""


@dataclass
class Version:
    """A state of the program, and the one that it was made from."""

    program: Program
    note: str
    parent: Version | None = None
    child: Version | None = None
    """The one that was made from it last."""


class Document:
    """A program, its versions and its pictures, ``size`` pixels a side of the canvas."""

    def __init__(self, program: Program, size: int) -> None:
        """Nothing is painted before ``load``. ``ValueError`` when the program is too long or has no such size."""
        _check_length(len(program))
        self.size = size
        self._settings = read_settings(program.renderer | {"canvas": size})
        self._version = Version(program, "opened")
        self._lock = threading.RLock()
        self._listeners: set[Callable[[], None]] = set()
        self._changes = 0
        self._pictures = self._blank()

    @property
    def program(self) -> Program:
        """As it is now."""
        return self._version.program

    @property
    def ready(self) -> int:
        """How many actions of the program are painted."""
        return min(len(self._pictures), len(self.program))

    def load(self, stop: Callable[[], bool] = lambda: False) -> None:
        """Paint the program, so that meanwhile its beginning is shown; ends early when ``stop`` says so."""
        while self.ready < len(self.program) and not stop():
            with self._lock:
                self._paint(self.program.actions[: self.ready + SOME])
                self._changes += 1
            self.tell()

    def picture(self, count: int) -> Canvas:
        """What is in the frame after ``count`` actions, or as many as are painted: ``uint8[H, W, 1 or 3]``."""
        return self.still(count)[1]

    def still(self, count: int) -> tuple[int, Canvas]:
        """A number that grows whenever pictures change, and the ``picture`` after ``count`` actions."""
        with self._lock:
            square = self._pictures.picture(max(0, min(count, self.ready)))
            frame = self.program.frame
            return self._changes, square if frame is None else frame.cut(square)

    def topmost(self, x: float, y: float, count: int) -> int | None:
        """Which of the first ``count`` actions is seen at a place of the canvas, x and y in [0, 1].

        None: none.
        """
        with self._lock:
            column, row = (min(self.size - 1, max(0, int(place * self.size))) for place in (x, y))
            return self._pictures.topmost(column, row, max(0, min(count, self.ready)))

    def box(self, index: int) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of what an action paints, in [0, 1] of the canvas."""
        with self._lock:
            left, top, right, bottom = (edge / self.size for edge in self._pictures.box(index))
            return left, top, right, bottom

    def change(self, edit: Callable[[Program], Program], note: str) -> None:
        """A new version, the program that ``edit`` makes of it; ``ValueError`` when it cannot."""
        with self._lock:
            self._check_ready()
            before, program = self._version, edit(self.program)
            self._show(program)
            self._version = before.child = Version(program, note, before)
            self._changes += 1
            self._trim()
        self.tell()

    def follow(self, program: Program) -> None:
        """The program of the version as it is now becomes another, as an agent paints."""
        with self._lock:
            self._show(program)
            self._version.program = program
            self._changes += 1
        self.tell()

    def undo(self) -> None:
        """Back to the version before; ``ValueError`` without one."""
        self._go(self._version.parent, "there is nothing to undo")

    def redo(self) -> None:
        """Forward to the version that was made last from this one; ``ValueError`` without one."""
        self._go(self._version.child, "there is nothing to redo")

    def facts(self) -> dict[str, Any]:
        """What a page shows of it: lengths, and which ways there are.

        To be asked for before the program: ``changes`` are counted when that has changed, so that nobody takes an old
        program for the new one.
        """
        version = self._version
        return {
            "length": len(version.program),
            "ready": self.ready,
            "changes": self._changes,
            "undo": version.note if version.parent else None,
            "redo": version.child.note if version.child else None,
        }

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener``, in any thread, whenever something has changed; gives what ends that."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def _go(self, version: Version | None, problem: str) -> None:
        with self._lock:
            self._check_ready()
            if version is None:
                raise ValueError(problem)
            self._show(version.program)
            self._version = version
            self._changes += 1
        self.tell()

    def _check_ready(self) -> None:
        require(self.ready == len(self.program), "the program is still being opened: wait until all of it is painted")

    def _show(self, program: Program) -> None:
        _check_length(len(program))
        if program.renderer != self.program.renderer:
            self._settings = read_settings(program.renderer | {"canvas": self.size})
            self._pictures = self._blank()
        self._paint(program.actions)

    def _paint(self, actions: IntArray) -> None:
        try:
            self._pictures.update(actions)
        except MemoryError:
            self._pictures = ExecutedPictures(self._settings)
            self._pictures.update(actions)

    def _blank(self) -> LayeredPictures | ExecutedPictures:
        """Pictures of no action yet: by layers, where strokes are layers."""
        covers = find_world(self._settings.name).covers(self._settings)
        if covers is None:
            return ExecutedPictures(self._settings)
        renderer = make_renderer(self._settings)
        renderer.reset()
        return LayeredPictures(covers, on_white(renderer.canvas())[0])

    def _trim(self) -> None:
        """Forget the oldest versions."""
        version, count = self._version, 1
        while version.parent is not None:
            version, count = version.parent, count + 1
            if count == VERSIONS:
                version.parent = None

    def tell(self) -> None:
        """Tell listeners that something has changed."""
        for listener in list(self._listeners):
            listener()


def _check_length(count: int) -> None:
    require(count <= LONGEST, f"the program has {count} actions: the studio takes {LONGEST} at most")
