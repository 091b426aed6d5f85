"""A process that lets agents draw: ``python -m limner.studio.worker``. It reads jobs and writes what becomes of them.

A job is a line of JSON on the standard input, with ``"bytes"``: how many bytes of a picture follow it. Answers are
lines of JSON on the standard output. The line ``{"do": "stop"}`` stops the job that is running; the process ends when
its input does. Nothing is pickled.

| job | answers |
|---|---|
| warm: agents | none: loads agents |
| sample: agent, count, seed, temperature | programs |
| paint: agent, strokes, seconds, detail, seed, region, start | keep, actions, …: see ``painting.Report`` |
| outlook: agent, program, seed | part, places, value |

Each job ends with ``{"end": …}``: done, stopped, or what was wrong.
"""

from __future__ import annotations

import json
import os
import queue
import resource
import sys
import threading
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from limner.agents.agent import Agent

MEMORY = 4 * 2**30
"""Bytes of data that the process may have; ``LIMNER_STUDIO_MEMORY`` is another number."""

Answer = dict[str, Any]
Say = Callable[[Answer], None]


def main() -> None:
    """Do one job after the other until the input ends."""
    limit = int(os.environ.get("LIMNER_STUDIO_MEMORY", MEMORY))
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what a library prints is no answer
    jobs: queue.Queue[tuple[dict[str, Any], bytes]] = queue.Queue()
    stop = threading.Event()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, jobs, stop), daemon=True).start()

    def say(answer: Answer) -> None:
        answers.write(json.dumps(answer, separators=(",", ":")).encode() + b"\n")

    while True:
        job, picture = jobs.get()
        say({"end": _run(job, picture, stop, say)})


def _listen(stream: BinaryIO, jobs: queue.Queue[tuple[dict[str, Any], bytes]], stop: threading.Event) -> None:
    """Read jobs as they come, and end the process at the end of the input."""
    for line in stream:
        job = json.loads(line)
        if job["do"] == "stop":
            stop.set()
        else:
            stop.clear()
            jobs.put((job, stream.read(job.pop("bytes", 0))))
    os._exit(0)


def _run(job: dict[str, Any], picture: bytes, stop: threading.Event, say: Say) -> str:
    """Do a job; how it ended."""
    kinds = {"warm": _warm, "sample": _sample, "paint": _paint, "outlook": _outlook}
    try:
        for answer in kinds[job["do"]](job, picture, stop):
            say(answer)
    except MemoryError:
        return "there is not enough memory for it: ask for a smaller one"
    except RuntimeError as error:
        if "memory" in str(error):
            return "there is not enough memory for it: ask for a smaller one"
        return f"it failed: {' '.join(str(error).split())[:300]}"
    except Exception as error:  # of a damaged picture too, of which Pillow raises whatever it likes
        return " ".join(str(error).split())[:300] or type(error).__name__
    return "stopped" if stop.is_set() else "done"


@lru_cache(maxsize=4)
def _agent(name: str) -> Agent:
    from limner.agents.agent import load_agent

    return load_agent(name)


def _warm(job: dict[str, Any], picture: bytes, stop: threading.Event) -> Iterator[Answer]:

    for name in job["agents"]:
        _agent(name).config.make_renderer(1)
    return iter(())


def _sample(job: dict[str, Any], picture: bytes, stop: threading.Event) -> Iterator[Answer]:
    from limner.inference.sample import sample

    programs = sample(_agent(job["agent"]), job["count"], job["seed"], job["temperature"])[1]
    yield {"programs": [program.to_json(one_line=True) for program in programs]}


def _paint(job: dict[str, Any], picture: bytes, stop: threading.Event) -> Iterator[Answer]:
    from limner.studio.painting import paint_picture

    return paint_picture(_agent(job["agent"]), picture, job, stop)


def _outlook(job: dict[str, Any], picture: bytes, stop: threading.Event) -> Iterator[Answer]:
    from limner.studio.painting import look_ahead

    return look_ahead(_agent(job["agent"]), job["rewarded"], picture, job)


if __name__ == "__main__":
    main()
