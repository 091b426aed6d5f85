"""Signals that ask a program to end: what it does then instead."""

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, and what a system or a terminal sends."""

logger = logging.getLogger(__name__)


@contextmanager
def handled(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """While open, ``handler`` is called for ``SIGNALS``; in a thread other than the main one nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = {number: signal.signal(number, handler) for number in SIGNALS}
    try:
        yield
    finally:
        for number, before in previous.items():
            signal.signal(number, before)


@contextmanager
def stop_signals() -> Iterator[Callable[[], bool]]:
    """While open, ``SIGNALS`` only set a flag, which the function it gives returns. The second interrupts at once."""
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)
        logger.info("stopping after this update")

    with handled(note):
        yield lambda: bool(received)
