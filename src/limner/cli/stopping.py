"""Signals that end a command, which leaves what it has made so far."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop:
    """Whether one of ``SIGNALS`` has come."""

    def __init__(self) -> None:
        self.asked = False
        self._waits = False

    def wait(self) -> None:
        """From now on signals do not interrupt."""
        self._waits = True

    def note(self, number: int, frame: FrameType | None) -> None:
        """The handler of the signals: only the first one interrupts."""
        waits, self.asked, self._waits = self._waits, True, True
        if not waits:
            raise KeyboardInterrupt


@contextmanager
def stoppable() -> Iterator[Stop]:
    """While open, the first of ``SIGNALS`` raises ``KeyboardInterrupt``, unless ``wait`` was called; others nothing."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    previous = {number: signal.signal(number, stop.note) for number in SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
