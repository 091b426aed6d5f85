"""Standard streams that are closed, cannot be written, or are read by nobody.

Notable choices:
- A closed stream becomes /dev/null. Otherwise the next file that is opened takes its number, and what libraries write
  to it ends up in that file.
- Output is flushed before the program ends, not by Python after it, whose complaint is no line for a person.
- What cannot be written is dropped: Python would try again when it ends.
"""

import os
import select
import sys
from contextlib import suppress
from typing import TextIO

OUTPUT = "standard output"
"""Its name in messages."""


def open_streams() -> None:
    """Replace closed standard streams; each then has its own number, the lowest that is free."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 (it stays open)


def flush_streams() -> None:
    """Write what is buffered; ``OSError`` that names the standard output if it cannot be written."""
    _flush(sys.stderr)
    if (error := _flush(sys.stdout)) is not None:
        raise OSError(error.errno, error.strerror, OUTPUT) from error


def complain(line: str) -> None:
    """Write ``line`` to the standard error, if that is possible."""
    with suppress(OSError):
        print(line, file=sys.stderr)
    _flush(sys.stderr)


def explain(error: BaseException) -> str:
    """What went wrong, as one line for a person."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, MemoryError):
        return "not enough memory"
    return " ".join(str(error).split())


def is_unread(error: BaseException) -> bool:
    """Whether ``error`` came of a pipe, the standard output or error, that nobody reads."""
    if not isinstance(error, BrokenPipeError):
        return False
    return error.filename == OUTPUT or any(_poll(stream) & select.POLLERR for stream in (sys.stdout, sys.stderr))


def _flush(stream: TextIO) -> OSError | None:
    """Flush a stream; if that fails drop what it holds and return why."""
    try:
        stream.flush()
    except OSError as error:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
        return error
    return None


def _poll(stream: TextIO) -> int:
    """The events that ``poll`` reports of a stream; none of one without a file."""
    with suppress(OSError, ValueError):
        poll = select.poll()
        poll.register(stream.fileno(), 0)
        return next((events for _, events in poll.poll(0)), 0)
    return 0
