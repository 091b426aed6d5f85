"""Jobs are done by processes of their own, one after the other; they can be stopped, and do not outlive anything."""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from limner.agents.agent import load_agent
from limner.inference.sample import sample
from limner.programs.program import Program
from limner.studio import jobs as module
from limner.studio.jobs import Busy, Job, Jobs

PATIENCE = 120
"""Seconds after which a test gives up."""


class Ear:
    """Answers to a job as they come."""

    job: Job

    def __init__(self) -> None:
        self.answers: list[dict[str, Any]] = []
        self.begun, self.ended = threading.Event(), threading.Event()

    def __call__(self, answer: dict[str, Any]) -> None:
        self.answers.append(answer)
        (self.ended if "end" in answer else self.begun).set()

    def end(self) -> str:
        """How it ended."""
        assert self.ended.wait(PATIENCE)
        return str(self.answers[-1]["end"])


@pytest.fixture(scope="module")
def jobs() -> Iterator[Jobs]:
    made = Jobs(("long",))
    yield made
    made.close()


def picture() -> bytes:
    file = io.BytesIO()
    shades = np.linspace(0, 255, 48 * 64).reshape(48, 64).astype(np.uint8)
    Image.fromarray(np.stack([shades, shades[::-1], shades[:, ::-1]], axis=-1)).save(file, "PNG")
    return file.getvalue()


def painting(**changes: Any) -> dict[str, Any]:
    request = {"do": "paint", "agent": "faces", "strokes": 30, "seconds": 0.0, "detail": 1, "seed": 0, "threads": 1}
    return request | {"region": None, "start": None} | changes


def ask(jobs: Jobs, request: dict[str, Any], content: bytes = b"", owner: str = "me", seconds: float = 60) -> Ear:
    ear = Ear()
    ear.job = Job(owner, request, content, seconds, ear)
    jobs.add("long", ear.job)
    return ear


SLOW = {"seconds": 3600.0, "detail": 2, "strokes": 2000}


def test_samples_are_those_of_the_agent(jobs: Jobs) -> None:
    ear = ask(jobs, {"do": "sample", "agent": "mnist", "count": 3, "seed": 7, "temperature": None})
    assert ear.end() == "done"
    found = [Program.from_json(text) for text in ear.answers[0]["programs"]]
    assert found == sample(load_agent("mnist"), 3, 7)[1]


def test_a_painting_grows_to_the_strokes_that_are_asked_for(jobs: Jobs) -> None:
    ear = ask(jobs, painting(), picture())
    assert ear.end() == "done"
    actions: list[list[int]] = []
    assert Image.open(io.BytesIO(base64.b64decode(ear.answers[0]["goal"]))).size == (64, 48)
    for answer in ear.answers[1:-1]:
        actions = actions[: answer["keep"]] + answer["actions"]
    assert len(actions) == 30
    assert ear.answers[1]["frame"] == {"width": 64, "height": 48}
    assert ear.answers[-2]["done"] == 1


def test_a_search_can_be_stopped_and_what_it_found_is_kept(jobs: Jobs) -> None:
    ear = ask(jobs, painting(**SLOW), picture())
    assert ear.begun.wait(PATIENCE)
    ear.job.stop()
    assert ear.end() == "stopped"
    after = ask(jobs, painting(), picture())
    assert after.end() == "done", "the process serves the next job"


def test_a_job_that_waits_can_be_stopped(jobs: Jobs) -> None:
    first = ask(jobs, painting(**SLOW), picture())
    second = ask(jobs, painting(), picture())
    second.job.stop()
    first.job.stop()
    assert (first.end(), second.end()) == ("stopped", "stopped")
    assert len(second.answers) == 1


@pytest.mark.parametrize(
    ("request_", "content", "problem"),
    [
        (painting(), b"no picture", "it is no picture"),
        (painting(), b"", "it is no picture"),
        (painting(agent="nobody"), b"", "there is no agent 'nobody'"),
        (painting(agent="mnist"), picture(), "agent 'mnist' is unconditional"),
        ({"do": "sample", "agent": "faces", "count": 1, "seed": 0, "temperature": None}, b"", "use limner evaluate"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    jobs: Jobs, request_: dict[str, Any], content: bytes, problem: str
) -> None:
    end = ask(jobs, request_, content).end()
    assert problem in end
    assert "\n" not in end


def test_too_many_jobs_are_refused(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING", 5)
    ears = [ask(jobs, painting(**SLOW), picture(), owner) for owner in "aaaab"]
    with pytest.raises(Busy, match="you have 4 jobs already"):
        ask(jobs, painting(), picture(), "a")
    ears.append(ask(jobs, painting(**SLOW), picture(), "b"))
    assert ears[0].begun.wait(PATIENCE), "the first does not wait any more"
    with pytest.raises(Busy, match="5 jobs are waiting already"):
        ask(jobs, painting(), picture(), "c")
    for ear in ears:
        ear.job.stop()
    assert {ear.end() for ear in ears} == {"stopped"}


def test_a_job_that_takes_too_long_ends(jobs: Jobs) -> None:
    assert ask(jobs, painting(**SLOW), picture(), seconds=0.5).end() == "it took longer than 0.5 seconds"


def test_a_job_that_does_not_stop_ends_with_its_process(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE", 0.0)
    ear = ask(jobs, painting(**SLOW), picture())
    assert ear.begun.wait(PATIENCE)
    ear.job.stop()
    assert ear.end() == "stopped"
    monkeypatch.undo()
    assert ask(jobs, painting(), picture()).end() == "done", "another process serves the next job"


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The picture takes 400 MB decoded, and as much again as it is made smaller."""
    monkeypatch.setenv("LIMNER_STUDIO_MEMORY", str(800 * 2**20))
    jobs, large = Jobs(("long",)), io.BytesIO()
    try:
        Image.new("P", (10_000, 9_999)).save(large, "PNG", compress_level=1)
        assert "not enough memory" in ask(jobs, painting(), large.getvalue()).end()
        assert ask(jobs, painting(), picture()).end() == "done"
    finally:
        jobs.close()


def test_closing_ends_the_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    processes, popen = [], module.subprocess.Popen

    def note(*args: Any, **kwargs: Any) -> Any:
        processes.append(popen(*args, **kwargs))
        return processes[-1]

    monkeypatch.setattr(module.subprocess, "Popen", note)
    jobs = Jobs(("long", "short"))
    ear = Ear()
    jobs.add("long", Job("me", painting(**SLOW), picture(), 600, ear))
    assert ear.begun.wait(PATIENCE)
    jobs.close()
    assert ear.end() == "stopped"
    assert all(process.poll() is not None for process in processes)
    assert len(processes) == 2
