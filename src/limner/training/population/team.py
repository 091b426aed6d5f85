"""Who trains the members of a population: this process, in turn, or tasks of a Ray cluster, side by side.

Members that share a critic take turns in every update, others in every round.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from limner.training.config import RayConfig, TrainingConfig
from limner.training.log import Record
from limner.training.population.members import Outcome, begin, failure_of, train_member
from limner.training.population.settings import PopulationConfig
from limner.training.run import Run, open_run
from limner.training.runtime.cluster import Cluster, expect_version
from limner.training.spiral.shared_critic import SharedCritic
from limner.training.stopping import stop_signals

RETRIES = 3
"""Times that a task is begun again when its process ends; it goes on from the member's last checkpoint."""


@dataclass(frozen=True)
class Job:
    """A member's part of a round."""

    member: int
    config: TrainingConfig
    folder: Path
    until: int
    """Updates at its end."""


class Team(ABC):
    """Trains members."""

    @abstractmethod
    def train(self, jobs: list[Job]) -> Iterator[tuple[Job, Outcome]]:
        """Train members; gives each job when it is done. A signal ends it: an outcome is not finished then."""

    def close(self) -> None:
        """End what was started."""
        return


class LocalTeam(Team):
    """Members take turns in this process."""

    def __init__(self, report: Callable[[Record], None] | None) -> None:
        self.report = report

    def train(self, jobs: list[Job]) -> Iterator[tuple[Job, Outcome]]:
        """As ``Team.train``."""
        for job in jobs:
            outcome = train_member(job.config, job.folder, job.until, self.report)
            yield job, outcome
            if not outcome.finished:
                return


class SharedTeam(Team):
    """Members take turns in this process, update by update, and share a critic. All jobs begin and end together."""

    def __init__(self, report: Callable[[Record], None] | None) -> None:
        self.report = report

    def train(self, jobs: list[Job]) -> Iterator[tuple[Job, Outcome]]:
        """As ``Team.train``. When a member has failed the others are saved first: they go on from there without it."""
        if not jobs:
            return
        with ExitStack() as opened:
            running: dict[int, Run] = {}
            for i, job in enumerate(jobs):
                resume, like = begin(job.config, job.folder), running.get(0)
                opening = open_run(job.config, job.folder, resume, self.report, job.until, like)
                running[i] = opened.enter_context(opening)
            critic = SharedCritic(_trainers(running))
            stopped = opened.enter_context(stop_signals())
            while running and not stopped() and not any(run.paused for run in running.values()):
                critic.show(_trainers(running))
                failures = {i: failure_of(run.update) for i, run in running.items()}
                save = any(failures.values())
                if save or any(run.saves for run in running.values()):
                    for run in running.values():  # or one might drop what another is still writing
                        run.checkpointer.wait()
                for i, run in running.items():
                    failures[i] = failures[i] or failure_of(partial(run.record, save))
                for i, reason in failures.items():
                    if reason is not None:
                        del running[i]
                        yield jobs[i], Outcome(True, reason)
            outcomes = {i: Outcome(not stopped() or run.finish()) for i, run in running.items()}
        yield from ((jobs[i], outcome) for i, outcome in outcomes.items())


class RayTeam(Team):
    """A member is a task of one core of the cluster, and of one GPU if it is to train on one; ``actors`` run at a time.

    The nodes of a cluster need the folder of the population, and the data, at the same place.
    """

    def __init__(self, config: TrainingConfig, options: RayConfig) -> None:
        """``ValueError`` as ``Cluster``, and when members are to train on GPUs and the cluster has none."""
        self.actors = options.actors
        self.cluster = Cluster(options, 1 if options.address else options.actors)
        self.gpus = int(getattr(config, "device", "cpu") == "cuda")
        if self.gpus > self.cluster.ray.cluster_resources().get("GPU", 0):
            self.cluster.close()
            raise ValueError(
                "device is 'cuda', but the cluster has no GPU: join one that has with --address, or let members take "
                "turns with --runtime local"
            )

    def train(self, jobs: list[Job]) -> Iterator[tuple[Job, Outcome]]:
        """As ``Team.train``. A member whose process ends again and again has failed."""
        ray = self.cluster.ray
        task = ray.remote(num_cpus=1, num_gpus=self.gpus, max_retries=RETRIES)(_train_remote)
        with stop_signals() as stopped:
            waiting, running = deque(jobs), dict[Any, Job]()
            cancelled = False
            while running or waiting:
                while waiting and len(running) < self.actors:
                    job = waiting.popleft()
                    folder = job.folder.absolute()
                    running[task.remote(replace(job, folder=folder), version("limner"))] = job
                ready, _ = ray.wait(list(running), num_returns=1, timeout=0.5)
                if stopped() and not cancelled:
                    cancelled = True
                    yield from ((job, Outcome(False)) for job in waiting)
                    waiting.clear()
                    for reference in running:
                        ray.cancel(reference, force=False)
                for reference in ready:
                    yield running.pop(reference), self._outcome(reference, cancelled)

    def close(self) -> None:
        """As ``Team.close``."""
        self.cluster.close()

    def _outcome(self, reference: Any, cancelled: bool) -> Outcome:
        errors = self.cluster.ray.exceptions
        try:
            outcome: Outcome = self.cluster.ray.get(reference)
        except errors.TaskCancelledError:
            return Outcome(False)
        except errors.RayTaskError as error:
            if cancelled:
                return Outcome(False)
            raise error.cause from None
        except errors.RayError as error:
            return Outcome(not cancelled, f"its process ended: {' '.join(str(error).split())[:300]}")
        return outcome


def make_team(config: TrainingConfig, population: PopulationConfig, report: Callable[[Record], None] | None) -> Team:
    """The team for a training: on Ray if ``config.run.runtime`` says so; ``ValueError`` as ``RayTeam``."""
    options = config.run.runtime
    if population.shared_critic:
        return SharedTeam(report)
    return RayTeam(config, options) if isinstance(options, RayConfig) else LocalTeam(report)


def _trainers(runs: dict[int, Run]) -> list[Any]:
    """Those of SPIRAL, of members that share a critic."""
    return [run.trainer for run in runs.values()]


def _train_remote(job: Job, wanted: str) -> Outcome:
    """What a task does."""
    expect_version(wanted)
    return train_member(job.config, job.folder, job.until)
