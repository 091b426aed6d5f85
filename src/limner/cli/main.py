"""The command line.

Notable choices:
- The first word picks the command, and only its module is imported; what it needs is imported when it runs. So help
  appears at once, without torch.
- A module has a class with the name of the command, whose fields are its flags, or a function ``read`` where that is
  not enough.
- What can be wrong with a command line is found before any work is done. ``ValueError`` and ``OSError`` end in one line
  on the standard error and exit status 2; with LIMNER_DEBUG=1 in the traceback. Ctrl-C ends quietly in 130, and output
  that nobody reads in 141, as if SIGPIPE had ended the program.
  Training whose numbers are no longer finite, and a full disk, end in one line and exit status 1.
- Every file is written whole or not at all.
"""

import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version

from limner.cli.streams import complain, explain, flush_streams, is_unread, open_streams
from limner.cli.terminal import Runnable, choose
from limner.files import is_disk_full
from limner.training import NonFiniteError

COMMANDS = {
    "train": "train an agent, then let it draw and write a report",
    "runs": "list runs with their state and best figures",
    "sample": "let an agent make pictures up",
    "paint": "let an agent paint pictures of any size",
    "evaluate": "let an agent draw the test pictures of a data set, and measure",
    "parse": "let an agent write the program of every picture of a data set",
    "replay": "execute a program as a picture or an animation",
    "export": "write programs as pictures, films, layers, SVG, G-code or tables",
    "studio": "watch agents paint and change what they paint, in a browser",
    "robot": "let a simulated arm draw a program",
    "mcp": "let a language model draw: tools over standard input and output",
    "data": "fetch, make or check a data set",
    "brushes": "show what the brushes paint",
    "bench": "measure the speed of painting and training",
    "completion": "print a script that makes a shell complete commands and flags",
    "info": "show versions, brushes, data sets, presets and agents",
}
"""What each command does. Its module in this folder has its name."""
NOTES = (
    "limner --version names the version.",
    "",
    "exit status:",
    "  0    done",
    "  1    training stopped: values not finite, disk full, or Ray cluster gone",
    "  2    an error, explained in one line; LIMNER_DEBUG=1 shows the traceback",
    "  130  stopped by Ctrl-C, SIGTERM or SIGHUP",
    "  141  its output is read no further, as in limner --help | head -1",
)
"""The end of ``limner --help``."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line (the program's own by default); returns the exit status."""
    open_streams()
    logging.basicConfig(format="limner: %(message)s")
    logging.getLogger("limner").setLevel(logging.INFO)  # of other packages warnings are enough
    try:
        try:
            _run(list(sys.argv[1:] if arguments is None else arguments))
        finally:
            flush_streams()
    except KeyboardInterrupt:
        return 130
    except (ValueError, OSError, ImportError, MemoryError, NonFiniteError) as error:
        if is_unread(error):
            return 141
        if os.environ.get("LIMNER_DEBUG"):
            raise
        complain(f"limner: {explain(error)}")
        stopped = isinstance(error, NonFiniteError) or (isinstance(error, OSError) and is_disk_full(error))
        return 1 if stopped else 2
    return 0


def _run(words: Sequence[str]) -> None:
    """Run the command line ``words``; help, and words that cannot be read, end the program."""
    if words[:1] == ["--version"]:
        print(f"limner {version('limner')}")
        return
    name = choose("limner", "COMMAND", COMMANDS, words, NOTES)
    _read(name, words[1:]).run()


def _read(name: str, words: Sequence[str]) -> Runnable:
    """The command ``name`` with its flags; a wrong one ends the program with status 2."""
    module = import_module(f"limner.cli.{name}")
    if hasattr(module, "read"):
        command: Runnable = module.read(words)
        return command
    from limner.cli.flags import parse_command

    kind: type[Runnable] = getattr(module, name.title())
    return parse_command(kind, words, f"limner {name}")
