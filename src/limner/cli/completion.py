"""``limner completion``: a script that makes a shell complete commands, flags, presets and agents.

Notable choices:
- The script holds all that there is, so that nothing is started when a key is pressed. After an upgrade it is to be
  printed anew.
- ``limner train`` completes every flag that a training can have, whatever the others are: which of them act follows
  from ``--algorithm`` and the like, which may be typed later.
- shtab writes the scripts. It reads a parser of argparse, which is made of the flags for nothing else.
"""

from argparse import ArgumentParser
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

import tyro

from limner.cli.flags import Flag, list_flags

AGENTS = ("agent", "start")
FOLDERS = ("folder", "root", "critic", "pictures")
FILES = ("images", "mask", "program", "out", "path")
"""Fields that are agents, folders and files."""


@dataclass(frozen=True)
class Completion:
    """Print a script that makes a shell complete commands, flags, presets and agents."""

    shell: tyro.conf.Positional[Literal["bash", "zsh", "fish"]]
    """For bash: eval "$(limner completion bash)". For zsh and fish: see docs/command-line.md."""

    def run(self) -> None:
        """Print it."""
        import shtab

        print(shtab.complete(program(), self.shell, root_prefix="limner"))


def program() -> ArgumentParser:
    """All commands with their flags, as far as completion is concerned."""
    from limner.cli.main import COMMANDS
    from limner.cli.train import Resume, list_variants
    from limner.training.presets import PRESETS
    from limner.worlds import world_names

    whole = ArgumentParser("limner")
    whole.add_argument("--version", action="store_true", help="name the version")
    commands = whole.add_subparsers()
    for name, text in COMMANDS.items():
        module, parser = import_module(f"limner.cli.{name}"), commands.add_parser(name, help=text)
        if name == "train":
            variants = [flags for each in list_variants("paint") for flags in each.values()]
            flags = [flag for each in (*variants, list_flags(Resume)) for flag in each if flag.names]
            presets = tuple({**PRESETS, **dict.fromkeys(world_names())})
            flags += [Flag("folder", ("--resume",), None, "Continue the run in a folder.")]
            flags += [Flag("population", ("--population",), None, "Train so many agents, whose settings are tuned.")]
            _add(parser, [Flag("preset", (), presets, "What to start from."), *flags])
        elif name == "data":
            inner = parser.add_subparsers()
            for word, kind in module.COMMANDS.items():
                text = (kind.__doc__ or "").partition("\n")[0]
                _add(inner.add_parser(word, help=text), list_flags(kind))
        else:
            _add(parser, list_flags(getattr(module, name.title())))
    return whole


def _add(parser: ArgumentParser, flags: Iterable[Flag]) -> None:
    """Add flags and arguments to ``parser``, each once."""
    known: set[str] = set()
    for flag in flags:
        names, text = flag.names or (flag.field,), flag.text.replace("%", "%%")
        if known & {*names}:
            continue
        known |= {*names}
        if flag.values == ():
            parser.add_argument(*names, action="store_true", help=text)
        else:
            action: Any = parser.add_argument(*names, choices=flag.values, help=text)
            if flag.values is None and (complete := _values(flag.field)) is not None:
                action.complete = complete


def _values(field: str) -> Mapping[str, Any] | None:
    """How shtab is to complete the values of a flag that sets ``field``; None where they are no names."""
    import shtab

    from limner.agents.zoo import shipped_agents
    from limner.data import NAMES

    if field in AGENTS:
        return _names_or("dirs", shipped_agents())
    if field == "data":
        return _names_or("files", NAMES)
    kind: Mapping[str, Any] | None = {
        **dict.fromkeys(FOLDERS, shtab.DIRECTORY),
        **dict.fromkeys(FILES, shtab.FILE),
    }.get(field)
    return kind


def _names_or(what: Literal["dirs", "files"], names: Iterable[str]) -> Mapping[str, Any]:
    """Completion of ``names``, and of folders or files, which shtab's script knows by the name of the function."""
    listed, function = " ".join(names), f"_limner_names_or_{what}"
    bash, zsh, fish = {
        "dirs": ("-d", "_files -/", "(__fish_complete_directories)"),
        "files": ("-f", "_files", "(__fish_complete_path (commandline -ct))"),
    }[what]
    return {
        "bash": function,
        "zsh": function,
        "fish": f"{listed} {fish}",
        "preamble": {
            "bash": f'{function}() {{\n  compgen -W \'{listed}\' -- "$1"\n  compgen {bash} -- "$1"\n}}',
            "zsh": f"{function}() {{\n  _alternative 'names:name:({listed})' 'paths:path:{zsh}'\n}}",
        },
    }
