"""``population.json``: the configuration of a population, and everything that has happened to its members.

Notable choices:
- It is written whole, atomically, after each event. What a member is follows from its last events.
- Copies are planned first, written down, and then made. While they are made no member trains, so a plan that a kill
  interrupted is made again from its start, with the same result.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from limner.files import write_atomic
from limner.training.config import TrainingConfig, read_config
from limner.training.population.settings import PopulationConfig, Settings, frames_of_update
from limner.worlds.validation import check_fields, plain, read_section, require

FILE = "population.json"
SCHEMA = 1


@dataclass(frozen=True)
class Event:
    """What happened to a member."""

    round: int
    """Counted from 1; 0 before the first."""
    member: int
    event: Literal["started", "trained", "collapsed", "copied", "revived", "perturbed"]
    """Copied and revived: it has the weights and the settings of its parent now. Then these are perturbed."""
    frames: int
    """Environment steps behind the member's newest state."""
    learning_rate: float
    """As a multiple of the configuration's."""
    entropy_cost: float
    """As a multiple of the configuration's."""
    fitness: float | None = None
    """More is better. None where nothing was measured, or it is not finite."""
    parent: int | None = None
    """The member whose weights it has been given."""
    reason: str | None = None
    """Why it counts as collapsed or was revived."""

    def __post_init__(self) -> None:
        check_fields(self, "history.", positive="learning_rate entropy_cost", not_negative="round member frames parent")

    @property
    def settings(self) -> Settings:
        """After the event."""
        return Settings(self.learning_rate, self.entropy_cost)


@dataclass(frozen=True)
class Copy:
    """A copy that is planned."""

    member: int
    parent: int
    event: Literal["copied", "revived"]
    learning_rate: float
    """Perturbed, as a multiple of the configuration's."""
    entropy_cost: float
    """Perturbed, as a multiple of the configuration's."""
    reason: str | None = None

    def __post_init__(self) -> None:
        check_fields(self, "pending.", positive="learning_rate entropy_cost", not_negative="member parent")

    @property
    def settings(self) -> Settings:
        """After the copy."""
        return Settings(self.learning_rate, self.entropy_cost)


@dataclass
class History:
    """A population: its configuration, its events, and what it is about to do."""

    folder: Path
    population: PopulationConfig
    """As fitted."""
    training: TrainingConfig
    """What members have in common."""
    round: int = 1
    """The one that is not complete."""
    ends_round: bool = False
    """Whether the round is complete once the pending copies are made."""
    pending: list[Copy] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def save(self) -> None:
        """Write ``population.json``."""
        values = {
            "schema": SCHEMA,
            "population": plain(self.population),
            "training": self.training.to_dict(),
            "round": self.round,
            "ends_round": self.ends_round,
            "pending": [plain(copy) for copy in self.pending],
            "history": [plain(event) for event in self.events],
        }
        write_atomic(self.folder / FILE, json.dumps(values, indent=1, allow_nan=False))

    def last(self, member: int, suits: Callable[[Event], bool] = lambda event: True) -> Event | None:
        """The last event of a member that ``suits``."""
        return next((event for event in reversed(self.events) if event.member == member and suits(event)), None)

    def state(self, member: int) -> Event:
        """The last event of a member, which has its settings and frames."""
        event = self.last(member)
        assert event is not None, "it has started"
        return event

    def updates(self, member: int) -> int:
        """Updates behind a member's newest state."""
        return self.state(member).frames // frames_of_update(self.training)

    def verdict(self, member: int) -> Event | None:
        """How a member did in this round: the event, trained or collapsed, that ended it; None before that."""
        return self.last(member, lambda event: event.round == self.round and event.event in ("trained", "collapsed"))

    def fitness(self, member: int) -> float | None:
        """What a member was last measured to be, or its parent, whose weights it has; None for a collapsed one."""
        event = self.last(member, lambda event: event.event != "perturbed")
        return None if event is None or event.event == "collapsed" else event.fitness

    def best(self) -> int:
        """The best member, by its fitness; the first one where nothing was measured."""
        numbers = [(value, -i) for i in range(self.population.members) if (value := self.fitness(i)) is not None]
        return -max(numbers)[1] if numbers else 0

    @property
    def complete(self) -> bool:
        """Whether all rounds are."""
        return self.round > self.population.rounds(self.training)


def is_population(folder: Path) -> bool:
    """Whether ``folder`` is that of a population."""
    return (folder / FILE).exists()


def read_history(folder: Path) -> History:
    """The population in ``folder``; ``ValueError`` when there is none, or its file is damaged."""
    file = folder / FILE
    try:
        values: Any = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise ValueError(f"{folder} holds no population: it has no {FILE}") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is damaged: {error}") from None
    schema = values.get("schema") if isinstance(values, dict) else None
    require(schema == SCHEMA, f"{file} has schema {schema!r}, this version of Limner reads {SCHEMA}: use the other one")
    try:
        population = read_section(PopulationConfig, values.get("population"), "population.")
        history = History(folder, population, read_config(values.get("training")))
        history.round, history.ends_round = int(values["round"]), bool(values["ends_round"])
        history.pending = [read_section(Copy, row, "pending.") for row in values["pending"]]
        history.events = [read_section(Event, row, "history.") for row in values["history"]]
        rows: list[Event | Copy] = [*history.events, *history.pending]
        numbers = {number for row in rows for number in (row.member, row.parent)}
        started = {event.member for event in history.events}
        assert started == set(range(population.members)) >= numbers - {None}, "members are missing, or unknown"
    except (KeyError, TypeError, AssertionError, ValueError) as error:
        raise ValueError(f"{file} is damaged: {error}") from None
    return history


def expect_no_population(folder: Path) -> None:
    """``ValueError`` when ``folder`` holds a population or a run already."""
    taken = [name for name in (FILE, "config.json", "log.jsonl", "checkpoints") if (folder / name).exists()]
    kind = "population" if FILE in taken else "run"
    held = f"{folder} already holds a {kind}: continue it with --resume {folder}, or choose another --out"
    require(not taken, held)
