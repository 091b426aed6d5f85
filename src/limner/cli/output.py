"""What commands share: how pictures are to be drawn, where results go, and how far they are."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from limner.files import write_atomic

if TYPE_CHECKING:
    from limner.agents.agent import Agent
    from limner.inference.draw import DrawOptions


@dataclass(frozen=True, kw_only=True)
class DrawingFlags:
    """How an agent is to draw the pictures of a data set."""

    search: float = 0.0
    """Seconds of search for each picture; 0 lets the policy draw alone."""
    sweeps: int | None = None
    """Sweeps of refinement for each picture, in place of seconds: such a search repeats bit for bit."""
    plan: Literal["refine", "greedy"] = "refine"
    """What search does: refine the policy's drawing, or look ahead greedily before that."""
    critic: str | None = None
    """Folder of a run whose critic's score is added to what search maximises."""
    critic_weight: float = 0.001
    """Weight of the critic's score, beside minus the mean squared error."""
    limit: int | None = None
    """Number of pictures, spread evenly through the set. None: all."""
    seed: int = 0
    """Seed of actions and search. Without search, or with sweeps, the same seed draws the same."""
    threads: int = 2
    """Threads that render and search."""

    def check(self) -> None:
        """``ValueError`` naming the flag of the first that is out of its range."""
        if self.limit is not None and self.limit < 1:
            raise ValueError(f"--limit is {self.limit}: must be at least 1")
        check_search_flags(self.search, self.sweeps, self.seed, self.threads)
        if not 0 <= self.critic_weight < float("inf"):
            raise ValueError(f"--critic-weight is {self.critic_weight}: must be 0 or more")
        if self.critic is not None and not self.search and not self.sweeps:
            raise ValueError("--critic is for search only: give it a budget with --search or --sweeps")

    def options(self, agent: Agent) -> DrawOptions:
        """The options with which ``agent`` draws."""
        from limner.inference.draw import DrawOptions
        from limner.search.objectives import load_critic
        from limner.worlds.simulator import Objective, negative_mse

        objective: Objective = negative_mse
        if self.critic is not None:
            shape = agent.config.make_renderer(1).shape
            objective = load_critic(self.critic).objective(self.critic_weight, shape)
        return DrawOptions(
            seconds=self.search,
            sweeps=self.sweeps,
            plan=self.plan,
            objective=objective,
            seed=self.seed,
            threads=self.threads,
        )


def check_search_flags(search: float, sweeps: int | None, seed: int, threads: int) -> None:
    """``ValueError`` naming the flag that is out of its range."""
    if not 0 <= search <= 3600:
        raise ValueError(f"--search is {search}: must be in 0 … 3600 seconds")
    if sweeps is not None and not 0 <= sweeps <= 100_000:
        raise ValueError(f"--sweeps is {sweeps}: must be in 0 … 100000")
    if sweeps is not None and search:
        raise ValueError(f"--search is {search} and --sweeps is {sweeps}: give one of the two")
    if not 0 <= seed < 2**62:
        raise ValueError(f"--seed is {seed}: must be in 0 … 2^62 − 1")
    if not 1 <= threads <= 1024:
        raise ValueError(f"--threads is {threads}: must be in 1 … 1024")


def prepare_folder(folder: Path) -> None:
    """Make the folder; ``ValueError`` when results could not be written there."""
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"--out {folder} is a file: name a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(f"cannot write into the folder {folder}: {error.strerror}") from error


def prepare_file(path: Path) -> None:
    """Make the folder of a file; ``ValueError`` when the file could not be written there."""
    if path.is_dir():
        raise ValueError(f"--out {path} is a folder: name a file")
    prepare_folder(path.parent)


def write(path: Path, data: bytes | str) -> None:
    """Write a file as a whole; an ``OSError`` names it."""
    try:
        write_atomic(path, data)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int | None], None]]:
    """While open, the function it gives moves a progress bar on the standard error, where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def show(facts: dict[str, Any], as_json: bool) -> None:
    """Print nested facts, as JSON or for a person."""
    if as_json:
        print(json.dumps(facts))
        return
    for name, value in facts.items():
        if isinstance(value, dict):
            print(name)
            width = max((len(key) for key in value), default=0)
            for key, inner in value.items():
                print(f"  {key:{width}}  {inner:.4g}" if isinstance(inner, float) else f"  {key:{width}}  {inner}")
        else:
            print(f"{name}: {value}")
