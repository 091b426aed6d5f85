"""The command line.

Notable choices:
- The first word picks the command, and only its parser is built; what a command needs is imported when it runs. So help
  appears at once, without torch.
- What can be wrong with a command line is found before any work is done. ``ValueError`` and ``OSError`` end in one line
  on the standard error and exit status 2; with LIMNER_DEBUG=1 in the traceback. Ctrl-C ends quietly in 130.
- Every file is written whole or not at all.
"""

from __future__ import annotations

# ruff: noqa: T201 (printing is what a command line does)
import logging
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

import tyro

from limner.cli.bench import Bench
from limner.cli.choose import Runnable, choose, summaries
from limner.cli.data import parse_data
from limner.cli.evaluate import Evaluate
from limner.cli.export import Export
from limner.cli.info import Info
from limner.cli.paint import Paint
from limner.cli.parse import Parse
from limner.cli.replay import Replay
from limner.cli.robot import Robot
from limner.cli.runs import Runs
from limner.cli.sample import Sample
from limner.cli.train import parse_train

COMMANDS: dict[str, type[Runnable]] = {
    "runs": Runs,
    "sample": Sample,
    "paint": Paint,
    "evaluate": Evaluate,
    "parse": Parse,
    "replay": Replay,
    "robot": Robot,
    "export": Export,
    "bench": Bench,
    "info": Info,
}
PARSERS = {"train": parse_train, "data": parse_data}
CHOICES = {
    "train": "Train an agent, or continue a run.",
    **summaries(COMMANDS),
    "data": "Fetch or make a data set, or check the pictures of one.",
}

NOTES = (
    "limner --version names the version.",
    "",
    "exit status:",
    "  0    done",
    "  1    training stopped: values that are not finite",
    "  2    a wrong command line, or an error that the last line explains (LIMNER_DEBUG=1: the traceback)",
    "  130  stopped by Ctrl-C or SIGTERM",
)
"""The end of ``limner --help``."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line (the program's own by default); returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    logging.basicConfig(level=logging.INFO, format="limner: %(message)s")
    try:
        if words[:1] == ["--version"]:
            print(f"limner {version('limner')}")
            return 0
        name = choose("limner", "COMMAND", CHOICES, words, NOTES)
        if name in PARSERS:
            command = PARSERS[name](words[1:])
        else:
            command = tyro.cli(COMMANDS[name], args=words[1:], prog=f"limner {name}")
        command.run()
    except KeyboardInterrupt:
        return 130
    except (ValueError, OSError, ImportError, MemoryError) as error:
        if os.environ.get("LIMNER_DEBUG"):
            raise
        print(f"limner: {_explain(error)}", file=sys.stderr)
        return 2
    return 0


def _explain(error: BaseException) -> str:
    """One line for a person."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, MemoryError):
        return "not enough memory"
    return " ".join(str(error).split())


if __name__ == "__main__":
    sys.exit(main())
