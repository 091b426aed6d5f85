"""Signals that end a command, which leaves what it has made so far."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from limner.training.stopping import handled


class Stop:
    """Whether one of ``training.stopping.SIGNALS`` has come."""

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
    """While open, the first signal raises ``KeyboardInterrupt``, unless ``wait`` was called; others do nothing."""
    stop = Stop()
    with handled(stop.note):
        yield stop
