"""Jobs: what agents do for people, in processes of their own; bounded in number, time and memory, and stoppable.

Notable choices:
- There is a process for what takes long (painting) and one for what takes moments (samples, outlooks), so nobody waits
  with a question for another's painting. Each is kept for the next job, so that agents are loaded already.
- Jobs wait in one line for each process. A person has at most ``OWN`` jobs in all, so nobody fills the lines.
- A job that does not stop when it is asked to, or takes longer than it may, ends with its process.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

logger = logging.getLogger(__name__)

WAITING = 16
"""Jobs that wait for a process, at most."""
OWN = 4
"""Jobs of one person that wait or run, at most."""
GRACE = 5.0
"""Seconds after which a job that was asked to stop is ended."""


class Busy(Exception):
    """There are too many jobs; the message is for people."""


@dataclass(eq=False)
class Job:
    """Something that an agent does."""

    owner: str
    request: dict[str, Any]
    """As ``worker`` reads it."""
    picture: bytes
    seconds: float
    """That it may take."""
    hear: Callable[[dict[str, Any]], None]
    """Called in another thread with each answer, and with ``{"end": …}`` at the end."""
    state: str = "waiting"
    """waiting, running or ended."""
    stopped: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        """Ask it to stop; what it has done by then is kept."""
        self.stopped.set()


class Jobs:
    """Lines of jobs, by name, and a process for each."""

    def __init__(self, names: tuple[str, ...] = ("long", "short"), warm: list[str] | None = None) -> None:
        """Of the agents ``warm`` each process loads those first."""
        self._lines = {name: queue.Queue[Job | None]() for name in names}
        self._jobs: set[Job] = set()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._serve, args=(line, warm or []), name=f"limner-{name}", daemon=True)
            for name, line in self._lines.items()
        ]
        self._closing = threading.Event()
        for thread in self._threads:
            thread.start()

    def add(self, line: str, job: Job) -> None:
        """Put a job at the end of a line; ``Busy`` where that is too long, or the owner has too many."""
        with self._lock:
            if sum(other.owner == job.owner for other in self._jobs) >= OWN:
                raise Busy(f"you have {OWN} jobs already: wait until one is done, or stop one")
            if self._lines[line].qsize() >= WAITING:
                raise Busy(f"{WAITING} jobs are waiting already: try again later")
            self._jobs.add(job)
        self._lines[line].put(job)

    def close(self) -> None:
        """Stop all jobs and end the processes; returns when they have ended."""
        self._closing.set()
        with self._lock:
            for job in self._jobs:
                job.stop()
        for line in self._lines.values():
            line.put(None)
        for thread in self._threads:
            thread.join()

    def _serve(self, line: queue.Queue[Job | None], warm: list[str]) -> None:
        worker = Worker(warm)
        while (job := line.get()) is not None:
            end = "stopped"
            try:
                if not job.stopped.is_set():
                    job.state = "running"
                    end = self._work(worker, job)
            except Exception:  # whatever one job meets, the next is done
                logger.exception("a job of the studio failed")
                worker.end()
                end = "it failed: see what limner studio has printed"
            finally:
                with self._lock:
                    self._jobs.discard(job)
                job.state = "ended"
                job.hear({"end": end})
        worker.end()

    def _work(self, worker: Worker, job: Job) -> str:
        """Do a job; how it ended."""
        worker.ask(job.request, job.picture)
        until, asked = time.monotonic() + job.seconds, ""
        for answer in worker.answers():
            if answer is not None:
                if "end" in answer:
                    return asked or str(answer["end"])
                job.hear(answer)
            late = time.monotonic() > until
            if asked and late:
                worker.end()
                return asked
            if not asked and (late or job.stopped.is_set()):
                worker.stop()
                asked = "stopped" if job.stopped.is_set() else f"it took longer than {job.seconds:g} seconds"
                until = time.monotonic() + (0.2 if self._closing.is_set() else GRACE)
        worker.end()
        return "the process that did it ended; perhaps it needed too much memory"


class Worker:
    """A process that does jobs, started when it is needed."""

    def __init__(self, warm: list[str]) -> None:
        self._warm = warm
        self._process: subprocess.Popen[bytes] | None = None
        self._rest, self._silent = b"", 0
        self._start()

    def ask(self, request: dict[str, Any], picture: bytes) -> None:
        """Begin a job."""
        if self._process is None or self._process.poll() is not None:
            self.end()
            self._start()
        self._send(request | {"bytes": len(picture)}, picture)

    def stop(self) -> None:
        """Ask the job to stop."""
        with contextlib.suppress(OSError):
            self._send({"do": "stop"})

    def answers(self) -> Iterator[dict[str, Any] | None]:
        """The answers to a job as they come, and None now and then; ends when the process does."""
        assert self._process is not None
        assert self._process.stdout is not None
        handle = self._process.stdout.fileno()
        while True:
            if not select.select([handle], [], [], 0.05)[0]:
                yield None
                continue
            data = os.read(handle, 2**16)
            if not data:
                return
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in lines:
                answer = json.loads(line)
                if self._silent and "end" in answer:  # of the warming up
                    self._silent -= 1
                else:
                    yield answer

    def end(self) -> None:
        """End the process, whatever it does."""
        process, self._process, self._rest = self._process, None, b""
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    if stream is not None:
                        stream.close()

    def _start(self) -> None:
        command = [sys.executable, "-m", "limner.studio.worker"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, start_new_session=True
        )
        self._silent = 1
        with contextlib.suppress(OSError):
            self._send({"do": "warm", "agents": self._warm})

    def _send(self, request: dict[str, Any], picture: bytes = b"") -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        data = memoryview(json.dumps(request).encode() + b"\n" + picture)
        while data:
            data = data[self._process.stdin.write(data) or 0 :]
