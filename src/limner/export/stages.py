"""The stages of a run: the runs that its agent went through, each started from the one before."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from limner.training.log import read_log
from limner.worlds.validation import require

Log = Sequence[Mapping[str, Any]]


class Stage(NamedTuple):
    """A run that led to an agent."""

    folder: Path
    config: Mapping[str, Any]
    """What is in its ``config.json``; empty without one."""
    log: Log

    @property
    def algorithm(self) -> str:
        """How it learned."""
        return str(self.config.get("algorithm", "training"))


def stages(folder: Path) -> list[Stage]:
    """The run in ``folder``, and before it those that it started from, where their folders are still there.

    ``ValueError`` naming the file, and the line where it has lines, when one is damaged.
    """
    found: list[Stage] = []
    current: Path | None = folder
    while current is not None and all(current.resolve() != stage.folder.resolve() for stage in found):
        config = read_object(current / "config.json")
        log = read_log(current / "log.jsonl") if (current / "log.jsonl").exists() else []
        found.insert(0, Stage(current, config, log))
        current = _start(config)
    return found


def starts(stages: Sequence[Stage]) -> list[dict[str, float]]:
    """The frames and minutes, counted from the start of the first stage, at which each of them begins."""
    found, now = [], dict.fromkeys(("frames", "minutes"), 0.0)
    for stage in stages:
        found.append(now)
        now = {key: value + max((r[key] for r in stage.log if key in r), default=0.0) for key, value in now.items()}
    return found


def joined(stages: Sequence[Stage]) -> list[dict[str, Any]]:
    """One log of all stages: frames and minutes count from the start of the first."""
    return [
        {**record, **{key: record[key] + value for key, value in start.items() if key in record}}
        for stage, start in zip(stages, starts(stages), strict=True)
        for record in stage.log
    ]


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file, empty without the file; ``ValueError`` when it is damaged."""
    if not path.exists():
        return {}
    try:
        data: dict[str, Any] = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path}: not JSON ({error})") from None
    require(isinstance(data, dict), f"{path}: must hold a JSON object")
    return data


def _start(config: Mapping[str, Any]) -> Path | None:
    """The folder of the run that a run started from; None when it started from nothing, or from an agent elsewhere."""
    run = config.get("run")
    name = run.get("start") if isinstance(run, dict) else None
    if not name or not isinstance(name, str):
        return None
    folder = Path(name)
    if folder.parent.name == "checkpoints":
        folder = folder.parent.parent
    return folder if (folder / "config.json").exists() else None
