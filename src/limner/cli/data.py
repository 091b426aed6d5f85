"""``limner data``: fetch, make, check. What is known and found is shown by ``limner info``."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from limner.cli.flags import parse_command
from limner.cli.terminal import Runnable, choose, progress_bar
from limner.worlds.validation import require


@dataclass(frozen=True)
class Fetch:
    """Fetch a published data set into the data folder; an interrupted one goes on where it ended."""

    name: tyro.conf.Positional[Literal["mnist", "omniglot"]]
    """Which one. (mnist-5k needs no fetching, CelebA and folders are yours.)"""
    root: Path | None = None
    """The data folder. None: the one that LIMNER_DATA names, or ~/.cache/limner."""

    def run(self) -> None:
        """Fetch and tell."""
        from limner.data.fetch import fetch

        with progress_bar("fetching") as report:
            for line in fetch(self.name, self.root, report):
                print(line, flush=True)


@dataclass(frozen=True)
class Make:
    """Make a data set with known programs; an interrupted one goes on where it ended."""

    name: tyro.conf.Positional[str]
    """Which one. scenes: 50,000 scenes to train on and 1,000 to test, of 1 to 5 objects."""
    seed: int = 0
    """What the pictures are drawn from: the same seed gives the same bytes."""
    threads: int | None = None
    """Threads that render. None: one for each core."""
    root: Path | None = None
    """The data folder. None: the one that LIMNER_DATA names, or ~/.cache/limner."""

    def run(self) -> None:
        """Make and tell."""
        require(self.seed >= 0, f"--seed is {self.seed}: must be 0 or more")
        require(self.threads is None or self.threads >= 1, f"--threads is {self.threads}: must be at least 1")
        from limner.data.generated import generate

        with progress_bar("rendering") as report:
            print(generate(self.name, self.root, self.seed, self.threads or len(os.sched_getaffinity(0)), report))


@dataclass(frozen=True)
class Check:
    """Open every picture of a data set and name all that are broken; exit status 2 if there are any."""

    data: tyro.conf.Positional[str]
    """A data set (as for --data), or a folder or zip of pictures."""
    root: Path | None = None
    """The data folder. None: the one that LIMNER_DATA names, or ~/.cache/limner."""

    def run(self) -> None:
        """Look and tell."""
        from limner.data.check import check_dataset

        with progress_bar("checking") as report:
            findings = check_dataset(self.data, self.root, report)
        for line in findings.broken:
            print(line.encode(errors="backslashreplace").decode())
        if findings.broken:
            raise ValueError(str(findings))
        print(findings)


COMMANDS: dict[str, type[Fetch | Make | Check]] = {"fetch": Fetch, "make": Make, "check": Check}


def read(words: Sequence[str]) -> Runnable:
    """The command ``limner data``, which has commands of its own."""
    summaries = {name: (command.__doc__ or "").partition("\n")[0] for name, command in COMMANDS.items()}
    name = choose("limner data", "COMMAND", summaries, words)
    return parse_command(COMMANDS[name], words[1:], f"limner data {name}")
