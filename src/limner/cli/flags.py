"""A configuration as flags of a command line.

Notable choices:
- A flag is named after its field: ``critic.width`` is ``--critic.width``. The flags of the sections ``agent``, ``run``
  and ``runtime`` have no prefix (``--horizon``). Each section is a group of the help.
- Which flags there are follows from the default: of a field that can hold one of several dataclasses, only the one that
  the default holds has flags.
- A configuration is checked when all flags are read (``checked``), not before: a default may lack what a flag adds.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Annotated, Any, Literal, TypeVar, get_type_hints

import tyro
from tyro.constructors import ConstructorRegistry, StructConstructorSpec, StructFieldSpec, StructTypeInfo

ROOT = "config"
"""The field that holds the configuration. It adds no prefix."""

Command = TypeVar("Command")


def parse_flags(default: Command, words: Sequence[str], program: str, choices: Mapping[str, Sequence[str]]) -> Command:
    """``default``, a dataclass, with the values that the flags in ``words`` give; sections are not checked.

    A field of ``default`` that is in ``choices`` takes only the values listed there; if it is None it has no flag.
    """
    registry = ConstructorRegistry()
    registry.struct_rule(partial(_flags, choices=choices))
    kind, text = type(default), (default.__doc__ or "").partition("\n")[0]
    return tyro.cli(kind, args=words, prog=program, default=default, description=text, registry=registry)


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
    from limner.agents.config import AgentConfig
    from limner.training.config import LocalConfig, RayConfig, RunConfig

    kind: Any = type(section.default)
    prefixed = kind not in (AgentConfig, RunConfig, LocalConfig, RayConfig)
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
