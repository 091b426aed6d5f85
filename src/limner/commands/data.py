"""``limner data``: fetch, check. What is known and found is shown by ``limner info``."""

# No ``from __future__ import annotations`` here: tyro has to see the types.
# ruff: noqa: T201 (printing is what a command line does)

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro


@dataclass(frozen=True)
class Fetch:
    """Fetch a published data set into the data folder; an interrupted one goes on where it ended."""

    name: tyro.conf.Positional[Literal["mnist", "omniglot"]]
    """Which one. (mnist-5k needs no fetching, CelebA and folders are yours.)"""
    root: Path | None = None
    """The data folder. None: the one that LIMNER_DATA names, or ~/.cache/limner."""

    def run(self) -> None:
        """Fetch and tell."""
        from limner.datasets.download import fetch

        with _bar("fetching") as report:
            for line in fetch(self.name, self.root, report):
                print(line, flush=True)


@dataclass(frozen=True)
class Check:
    """Open every picture of a data set and name all that are broken; exit status 2 if there are any."""

    data: tyro.conf.Positional[str]
    """A data set (as for --data), or a folder or zip of pictures."""
    root: Path | None = None
    """The data folder. None: the one that LIMNER_DATA names, or ~/.cache/limner."""

    def run(self) -> None:
        """Look and tell."""
        from limner.datasets.check import check_dataset

        with _bar("checking") as report:
            findings = check_dataset(self.data, self.root, report)
        for line in findings.broken:
            print(line.encode(errors="backslashreplace").decode())
        if findings.broken:
            raise ValueError(str(findings))
        print(findings)


COMMANDS: dict[str, type[Fetch | Check]] = {"fetch": Fetch, "check": Check}


@contextmanager
def _bar(what: str) -> Iterator[Callable[[int, int | None], None]]:
    """While open, the function it gives moves a progress bar on the standard error, where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
