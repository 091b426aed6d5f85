"""``limner train``: train an agent, let it draw, write a report."""

# No ``from __future__ import annotations`` here: tyro has to see the types of a class made in a function.
# ruff: noqa: T201 (printing is what a command line does)

import dataclasses
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from limner.cli.choose import Runnable, choose
from limner.cli.output import prepare_folder
from limner.cli.results import SHEET, write_pairs, write_report, write_samples

if TYPE_CHECKING:
    from limner.training.config import TrainingConfig


def parse_train(words: Sequence[str]) -> Runnable:
    """The command ``limner train``: a preset, every field of which is a flag, or a run to resume."""
    if words[:1] == ["--resume"]:
        return tyro.cli(Resume, args=words[1:], prog="limner train --resume")
    from limner.training import algorithm_names
    from limner.training.imitation.config import EXPERTS
    from limner.training.presets import PRESETS
    from limner.worlds import world_names

    choices = {name: preset.teaches for name, preset in PRESETS.items()}
    choices |= {w: f"in the world {w!r}: all else by default" for w in world_names() if w not in PRESETS}
    name = choose("limner train", "PRESET", choices | {"--resume FOLDER": "continue the run in a folder"}, words)
    rest = list(words[1:])
    algorithm = _take(rest, "--algorithm", algorithm_names())
    expert = _take(rest, "--expert", EXPERTS)
    world = _take(rest, "--world", world_names())
    default = _default(name, algorithm, expert, world)

    @dataclass(frozen=True)
    class Train:
        """Train an agent, then let it draw and write a report.

        --algorithm spiral | distance | imitation, --expert search | random | file | agent (of imitation) and --world
        NAME choose what is trained, and which of the flags below there are.
        """

        config: Annotated[type(default), tyro.conf.arg(name="")]  # type: ignore[valid-type]
        out: Path
        """Folder of the run."""

        def run(self) -> None:
            """Train, then draw and report."""
            _run(self.config, self.out, resume=False)

    flags = (tyro.conf.AvoidSubcommands,)  # of unions only the chosen one has flags
    return tyro.cli(
        Train, args=rest, prog=f"limner train {name}", default=Train(default, Path("runs") / name), config=flags
    )


@dataclass(frozen=True)
class Resume:
    """Continue a run from its newest checkpoint, with all its settings."""

    folder: tyro.conf.Positional[Path]
    """Of the run."""
    frames: int | None = None
    """Environment steps in the whole run, if they are to be others than before."""
    minutes: float | None = None
    """Minutes of the whole run, if they are to be others than before."""
    threads: int | None = None
    """As in ``limner train``; the results do not depend on it."""

    def run(self) -> None:
        """Read, train, then draw and report."""
        from limner.training.run import read_run

        config = read_run(self.folder)
        given = {name: getattr(self, name) for name in ("frames", "minutes", "threads")}
        limits = {name: value for name, value in given.items() if value is not None}
        config = dataclasses.replace(config, run=dataclasses.replace(config.run, **limits))
        _run(config, self.folder, resume=True)


def _run(config: "TrainingConfig", folder: Path, resume: bool) -> None:
    """Train in ``folder``, then draw and report."""
    prepare_folder(folder)
    from limner.agents.agent import load_agent
    from limner.data import load_dataset
    from limner.inference.evaluate import reconstruct
    from limner.inference.sample import sample
    from limner.training.progress import watch
    from limner.training.run import train

    with watch(config) as report:
        complete = train(config, folder, resume, report)
    if not complete:
        print(f"limner: stopped and saved; limner train --resume {folder} continues", file=sys.stderr)
        raise KeyboardInterrupt
    agent = load_agent(str(folder))
    if config.agent.conditional:
        write_pairs(folder, reconstruct(agent, load_dataset(config.run.data, "test"), limit=SHEET))
    else:
        write_samples(folder, *sample(agent, SHEET, config.run.seed))
    write_report(folder)


def _take(words: list[str], flag: str, choices: Any) -> str | None:
    """The value of a flag that decides which other flags there are, taken out of ``words``; None where it is not."""
    for i, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name == flag:
            value = value if equals else words[i + 1] if i + 1 < len(words) else ""
            if value not in choices:
                raise ValueError(f"{flag} is {value!r}: must be one of {', '.join(choices)}")
            del words[i : i + 1 + (not equals)]
            return value
    return None


def _default(name: str, algorithm: str | None, expert: str | None, world: str | None) -> Any:
    """What the flags start from: a preset, or a world; with another algorithm, expert or world, if one is asked for.

    It is not checked: only the configuration that is made of it and the flags is.
    """
    from limner.agents.config import AgentConfig
    from limner.training import find_algorithm
    from limner.training.imitation.config import EXPERTS
    from limner.training.presets import PRESETS
    from limner.worlds import find_world

    if name in PRESETS:
        config: Any = PRESETS[name].config
    else:
        kind = find_algorithm(algorithm or "spiral")
        config = _unchecked(kind, agent=_unchecked(AgentConfig, renderer=find_world(name).settings_type()))
    if world is not None:
        agent = _unchecked(AgentConfig, **vars(config.agent) | {"renderer": find_world(world).settings_type()})
        config = _unchecked(type(config), **vars(config) | {"agent": agent})
    if algorithm is not None and algorithm != config.algorithm:
        config = _converted(config, find_algorithm(algorithm))
    if expert is not None:
        if config.algorithm != "imitation":
            raise ValueError(f"--expert is {expert!r}: it is for --algorithm imitation, not {config.algorithm!r}")
        if expert != config.expert.name:
            config = _unchecked(type(config), **vars(config) | {"expert": EXPERTS[expert]()})
    return config


def _converted(config: Any, kind: type) -> Any:
    """A configuration of another algorithm, with the fields that both have, in sections too; others are defaults."""
    new = vars(_unchecked(kind, agent=config.agent))
    for name, value in vars(config).items():
        if name not in new:
            continue
        if type(value) is not type(new[name]) and dataclasses.is_dataclass(value):
            shared = {key: inner for key, inner in vars(value).items() if key in vars(new[name])}
            value = _unchecked(type(new[name]), **vars(new[name]) | shared)
        new[name] = value
    return _unchecked(kind, **new)


def _unchecked(kind: Any, **values: Any) -> Any:
    """A dataclass made without its checks; fields that are not given have their defaults."""
    made = object.__new__(kind)
    for field in dataclasses.fields(kind):
        default = field.default if field.default is not dataclasses.MISSING else None
        object.__setattr__(made, field.name, values.get(field.name, default))
    return made
