"""What commands share: which of them is meant, how far they are, and facts to show."""

import difflib
import json
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from textwrap import wrap
from typing import Any, Protocol


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
        print(*lines, *notes, sep="\n")
        raise SystemExit(0)
    print(f"limner: {_wrong(what, choices, words)}", *lines, sep="\n", file=sys.stderr)
    raise SystemExit(2)


def _wrong(what: str, choices: Mapping[str, str], words: Sequence[str]) -> str:
    """What is wrong with words of which the first is none of ``choices``."""
    if not words:
        return f"a {what} is missing"
    if words[0].startswith("-"):
        return f"a {what} has to come before {words[0]}"
    near = difflib.get_close_matches(words[0], choices, 1)
    return f"there is no {what} {words[0]!r}" + (f": did you mean {near[0]}?" if near else "")


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[float, float | None], None]]:
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
            width = max(map(len, value), default=0)
            for key, inner in value.items():
                print(f"  {key:{width}}  {inner:.4g}" if isinstance(inner, float) else f"  {key:{width}}  {inner}")
        else:
            print(f"{name}: {value}")
