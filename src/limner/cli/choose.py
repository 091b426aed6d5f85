"""Commands, and which of them is meant."""

import shutil
import sys
from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Protocol


class Runnable(Protocol):
    """A parsed command line."""

    def run(self) -> None:
        """Do it."""
        ...


def choose(program: str, what: str, choices: Mapping[str, str], words: Sequence[str], notes: Sequence[str] = ()) -> str:
    """The first word, one of ``choices``; otherwise says what there is to choose from and exits.

    ``notes`` are the last lines of the help.
    """
    if words and words[0] in choices:
        return words[0]
    width = max(map(len, choices))
    indent, columns = " " * (width + 4), shutil.get_terminal_size().columns
    lines = [f"usage: {program} {what} …", ""]
    for name, text in choices.items():
        lines += wrap(text, columns, initial_indent=f"  {name:{width}}  ", subsequent_indent=indent)
    lines += ["", f"{program} {what} --help tells more."]
    if words and words[0] in ("-h", "--help"):
        print("\n".join([*lines, *notes]))
        raise SystemExit(0)
    wrong = f"there is no {what} {words[0]!r}" if words else f"a {what} is missing"
    print("\n".join([f"limner: {wrong}", *lines]), file=sys.stderr)
    raise SystemExit(2)


def summaries(commands: Mapping[str, type[Runnable]]) -> dict[str, str]:
    """The first line of what each command says of itself."""
    return {name: (command.__doc__ or "").partition("\n")[0] for name, command in commands.items()}
