"""The flags of commands, and a configuration as flags.

Notable choices:
- A flag is named after its field: ``critic.width`` is ``--critic.width``. The flags of the sections ``agent``, ``run``
  and ``runtime`` have no prefix (``--horizon``). Each section is a group of the help.
- Tyro reads the words. Flags that do not exist are found before, because tyro takes their values for arguments: it
  would say of ``--serach 5 photo.jpg`` that the picture is missing.
- Which flags there are follows from the default: of a field that can hold one of several dataclasses, only the one that
  the default holds has flags.
- A configuration is checked when all flags are read (``checked``), not before: a default may lack what a flag adds.
"""

import dataclasses
import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import takewhile
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import tyro
from tyro.constructors import ConstructorRegistry, StructConstructorSpec, StructFieldSpec, StructTypeInfo

ROOT = "config"
"""The field that holds the configuration. It adds no prefix."""
NEGATIVE = ("-inf", "-infinity", "-nan")
"""Numbers that look like flags."""
POSITIONAL = get_args(tyro.conf.Positional[str])[1:]
"""What marks the field of an argument without a flag."""

Command = TypeVar("Command")


@dataclass(frozen=True)
class Flag:
    """A flag, or an argument that has none."""

    field: str
    """Name of the field that it sets."""
    names: tuple[str, ...]
    """As they are typed: --count and -n. None of an argument."""
    values: tuple[str, ...] | None
    """Those that are possible; None if these cannot be listed, empty if there is no value, as of --json."""
    text: str
    """What it is, in one paragraph."""


def list_flags(
    kind: type, default: Any = None, choices: Mapping[str, Sequence[str]] = {}, prefix: str = ""
) -> list[Flag]:
    """The flags of ``kind``, a dataclass, and of the sections in it; arguments as ``parse_flags``.

    ``prefix`` is that of the section. Without ``default`` the fields have their own defaults.
    """
    hints, flags = get_type_hints(kind, include_extras=True), []
    for field in dataclasses.fields(kind):
        name, value = field.name, _default(field) if default is None else getattr(default, field.name)
        if dataclasses.is_dataclass(value):
            inner = f"{name}." if name != ROOT and _is_prefixed(type(value)) else ""
            flags += list_flags(type(value), value, choices, inner)
        elif name not in choices or value is not None:
            flags.append(_flag(field.name, prefix, hints[name], choices.get(name), _help(kind, name)))
    return flags


def check_words(words: Sequence[str], names: Collection[str], program: str) -> None:
    """``ValueError`` naming the first flag in ``words`` that is none of ``names``, and the nearest that is."""
    if (flag := unknown_flag(words, names)) is not None:
        bare = {name.lstrip("-"): name for name in names}
        near = difflib.get_close_matches(flag.lstrip("-").lower(), bare, 1)
        hint = f"did you mean {bare[near[0]]}?" if near else f"{program} --help lists those there are"
        raise ValueError(f"{program} has no flag {flag}: {hint}")


def unknown_flag(words: Sequence[str], names: Collection[str]) -> str | None:
    """The first flag in ``words`` that is none of ``names``; None if there is none before the end or ``--help``."""
    every = {*names}
    for word in takewhile(lambda word: word not in ("--", "-h", "--help"), words):
        flag = word.partition("=")[0]
        if not word.startswith("-") or not flag.lstrip("-")[:1].isalpha() or flag.lower() in NEGATIVE:
            continue  # a value
        known = flag.replace("_", "-") if word.startswith("--") else flag[:2]
        if known not in every and not flag.startswith("--tyro-"):
            return flag
    return None


def parse_command(kind: type[Command], words: Sequence[str], program: str, default: Command | None = None) -> Command:
    """``kind``, a dataclass, with the values that the flags in ``words`` give; others are those of ``default``."""
    check_words(words, [name for flag in list_flags(kind) for name in flag.names], program)
    if default is None:
        return tyro.cli(kind, args=words, prog=program)
    return tyro.cli(kind, args=words, prog=program, default=default)


def parse_flags(default: Command, words: Sequence[str], program: str, choices: Mapping[str, Sequence[str]]) -> Command:
    """``default``, a dataclass, with the values that the flags in ``words`` give; sections are not checked.

    A field of ``default`` that is in ``choices`` takes only the values listed there; if it is None it has no flag.
    """
    registry = ConstructorRegistry()
    registry.struct_rule(partial(_flags, choices=choices))
    kind, text = type(default), (default.__doc__ or "").partition("\n")[0]
    return tyro.cli(kind, args=words, prog=program, default=default, description=text, registry=registry)


def given(words: Sequence[str], flag: str, choices: Sequence[str] = ()) -> str | None:
    """The last value of a flag in ``words``, None without one; ``ValueError`` unless it is one of ``choices``."""
    found = None
    for i, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name.replace("_", "-") == flag:
            found = value if equals else "".join(words[i + 1 : i + 2])
    if found is not None and choices and found not in choices:
        raise ValueError(f"{flag} is {found!r}: must be one of {', '.join(choices)}")
    return found


def checked(section: Any) -> Any:
    """A dataclass, and those in it, made anew: ``ValueError`` names a field with an impossible value."""
    if not dataclasses.is_dataclass(section):
        return section
    kind: Any = type(section)
    return kind(**{name: checked(value) for name, value in vars(section).items()})


def unchecked(kind: Any, **values: Any) -> Any:
    """A dataclass made without its checks; fields that are not given have their defaults."""
    made = object.__new__(kind)
    for field in dataclasses.fields(kind):
        default = field.default if field.default is not dataclasses.MISSING else None
        object.__setattr__(made, field.name, values.get(field.name, default))
    return made


def replace_unchecked(section: Any, **values: Any) -> Any:
    """``dataclasses.replace`` without the checks."""
    return unchecked(type(section), **vars(section) | values)


def _flags(section: StructTypeInfo, choices: Mapping[str, Sequence[str]]) -> StructConstructorSpec | None:
    """The rule by which tyro reads a dataclass that has a default; None for anything else."""
    if not dataclasses.is_dataclass(section.default):
        return None
    kind: Any = type(section.default)
    prefixed = _is_prefixed(kind)
    hints, fields = get_type_hints(kind), []
    for name, value in vars(section.default).items():
        if dataclasses.is_dataclass(value):
            hint: Any = Annotated[type(value), tyro.conf.arg(name="" if name == ROOT else None, prefix_name=False)]
            text: Any = (value.__doc__ or "").partition("\n")[0]
        elif name in choices and value is None:
            continue
        else:
            hint = Literal[tuple(choices[name])] if name in choices else hints[name]
            shown = "(default: none)" if value == "" else None
            hint = Annotated[hint, tyro.conf.arg(prefix_name=prefixed, help_behavior_hint=shown)]
            text = partial(_help, kind, name)
        fields.append(StructFieldSpec(name, hint, value, text))
    return StructConstructorSpec(partial(unchecked, kind), tuple(fields))


def _is_prefixed(section: type) -> bool:
    """Whether the flags of a section have its name before theirs."""
    from limner.agents.config import AgentConfig
    from limner.cli.wishes import Wishes
    from limner.training.config import LocalConfig, RayConfig, RunConfig

    return section not in (AgentConfig, RunConfig, LocalConfig, RayConfig, Wishes)


def _default(field: dataclasses.Field[Any]) -> Any:
    """The default of a field, a section above all; None if it has none."""
    made = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
    return None if made is dataclasses.MISSING else made


def _flag(field: str, prefix: str, hint: Any, choices: Sequence[str] | None, text: str) -> Flag:
    """The flag of a field with the type ``hint``."""
    kind, *extras = (*get_args(hint),) if get_origin(hint) is Annotated else (hint,)
    called = next((extra.name for extra in extras if getattr(extra, "name", None)), field)
    name = f"{prefix}{called}".replace("_", "-")
    names = (f"--{name}", *(alias for extra in extras for alias in getattr(extra, "aliases", None) or ()))
    if any(extra in POSITIONAL for extra in extras):
        names = ()
    literals = [get_args(choice) for choice in (kind, *get_args(kind)) if get_origin(choice) is Literal]
    values: Sequence[str] | None = choices or [str(value) for each in literals for value in each] or None
    if kind is bool:
        section, dot, last = name.rpartition(".")
        names, values = (*names, f"--{section}{dot}no-{last}"), ()
    return Flag(field, names, None if values is None else tuple(values), text)


def _help(kind: type, name: str) -> str:
    """What a field is, as its docstring says, in one paragraph."""
    return " ".join(_texts(kind).get(name, "").replace("``", "").split())


@cache
def _texts(kind: type) -> dict[str, str]:
    """The docstrings of the fields of a dataclass, inherited ones included."""
    from docstring_parser import parse_from_object

    texts: dict[str, str] = {}
    for base in reversed(kind.__mro__[:-1]):
        texts |= {field.arg_name: field.description or "" for field in parse_from_object(base).params}
    return texts
