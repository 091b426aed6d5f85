"""What commands share: how pictures are to be drawn, where results go, and how far they are."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from limner.files import write_atomic

if TYPE_CHECKING:
    from limner.agents.agent import Agent
    from limner.search.lookahead import Score


@dataclass(frozen=True, kw_only=True)
class DrawingOptions:
    """How an agent is to draw the pictures of a data set."""

    search: float = 0.0
    """Seconds of search for each picture; 0 lets the policy draw alone."""
    plan: Literal["refine", "greedy"] = "refine"
    """What search does: refine the policy's drawing, or look ahead greedily before that."""
    critic: str | None = None
    """Folder of a run whose critic has a say in search, which then prefers pictures that look real to it."""
    critic_weight: float = 0.001
    """Of the critic's score, next to the mean squared error."""
    limit: int | None = None
    """So many pictures, spread evenly through the set. None: all."""
    seed: int = 0
    threads: int = 2

    def check(self) -> None:
        """``ValueError`` naming the flag of the first that is out of its range."""
        if self.limit is not None and self.limit < 1:
            raise ValueError(f"--limit is {self.limit}: must be at least 1")
        check_drawing_flags(self.search, self.seed)
        if not 0 <= self.critic_weight < float("inf"):
            raise ValueError(f"--critic-weight is {self.critic_weight}: must be 0 or more")
        if self.critic is not None and not self.search:
            raise ValueError("--critic has a say in search only: give it time with --search")

    def score(self, agent: Agent) -> Score:
        """What search is to look for in drawings by ``agent``."""
        from limner.search.lookahead import likeness
        from limner.search.objectives import load_critic

        if self.critic is None:
            return likeness
        return load_critic(self.critic).score(self.critic_weight, agent.config.make_renderer(1).shape)


def check_drawing_flags(search: float, seed: int) -> None:
    """``ValueError`` naming the flag that is out of its range."""
    if not 0 <= search <= 3600:
        raise ValueError(f"--search is {search}: must be in 0 … 3600 seconds a picture")
    if not 0 <= seed < 2**62:
        raise ValueError(f"--seed is {seed}: must be in 0 … 2^62 − 1")


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
