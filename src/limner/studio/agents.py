"""The agents that there are to choose from: those that ship, and those of the runs in a folder.

Clients name them by what this module calls them, never by a path: ``mnist``, ``runs/mine``.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from limner.agents.config import AgentConfig
from limner.agents.schema1 import migrate
from limner.agents.zoo import shipped_agents
from limner.programs.program import Program
from limner.training.listing import describe, find_runs
from limner.training.log import read_log
from limner.worlds.validation import brief

POINTS = 400
"""Points of a curve that are sent, at most."""


class Agents:
    """Agents and runs by name."""

    def __init__(self, runs: Path) -> None:
        """``runs`` is the folder in which runs are looked for, at any depth; there may be none."""
        self._root = runs

    def listed(self) -> list[dict[str, Any]]:
        """The agents, as JSON values."""
        found = []
        for name, folder in self._folders().items():
            try:
                found.append({"name": name} | _facts(folder))
            except (ValueError, KeyError, OSError, TypeError):  # a damaged run
                continue
        return found

    def name_of(self, name: object) -> str:
        """What ``load_agent`` takes for the agent that is called ``name``; ``ValueError`` without one."""
        if isinstance(name, str) and name in shipped_agents():
            return name
        return str(self._find(name))

    def blank(self, name: object) -> Program:
        """A program of the agent's renderer, without actions."""
        config = AgentConfig.from_dict(_manifest(self._find(name))["agent"])
        settings = config.make_renderer(1).settings()
        return Program(settings, np.zeros((0, len(config.actions)), np.int64), agent=str(name))

    def rewarded(self, name: object) -> bool:
        """Whether the agent was trained on rewards, so that its estimates of value mean something."""
        return bool(_facts(self._find(name))["rewarded"])

    def runs(self) -> list[dict[str, Any]]:
        """The runs, as ``training.listing.Run`` has them, with the names of those whose agents can be used."""
        if not self._root.is_dir():
            return []
        found = [(folder, describe(folder)) for folder in find_runs(self._root)]
        return [asdict(run) | {"folder": self._label(folder)} for folder, run in found]

    def curves(self, name: object) -> dict[str, list[list[float]]]:
        """By the name of each figure in the log of a run, its minutes and its values; ``ValueError`` without one."""
        folders = {self._label(folder): folder for folder in find_runs(self._root)} if self._root.is_dir() else {}
        if not isinstance(name, str) or name not in folders:
            raise ValueError(f"there is no run {brief(name)}")
        log = folders[name] / "log.jsonl"
        rows = read_log(log) if log.exists() else []
        found: dict[str, list[list[float]]] = {}
        for row in rows:
            for key, value in row.items():
                if isinstance(value, int | float) and not isinstance(value, bool) and "minutes" in row:
                    found.setdefault(key, []).append([row["minutes"], value])
        return {key: points[:: -(-len(points) // POINTS)] for key, points in found.items() if key != "minutes"}

    def _label(self, folder: Path) -> str:
        return f"{self._root.name}/{folder.relative_to(self._root)}"

    def _folders(self) -> dict[str, Path]:
        runs = find_runs(self._root) if self._root.is_dir() else []
        return shipped_agents() | {self._label(run): run for run in runs if (run / "checkpoints").is_dir()}

    def _find(self, name: object) -> Path:
        folders = self._folders()
        if not isinstance(name, str) or name not in folders:
            raise ValueError(f"there is no agent {brief(name)}")
        return folders[name]


def _manifest(folder: Path) -> dict[str, Any]:
    """The manifest of an agent, of a run that of its newest checkpoint; read here without torch."""
    if (folder / "checkpoints").is_dir():
        folder = max(path for path in (folder / "checkpoints").glob("[0-9]" * 8) if path.is_dir())
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
    return migrate(manifest) if manifest["schema"] == 1 else manifest


def _facts(folder: Path) -> dict[str, Any]:
    """What the manifest of an agent tells."""
    manifest = _manifest(folder)
    agent, algorithm = manifest["agent"], manifest["training"].get("algorithm")
    renderer = agent["renderer"]
    return {
        "conditional": bool(agent.get("conditional")),
        "horizon": agent.get("horizon"),
        "world": renderer["name"],
        "large": renderer.get("space") == "stroke" and bool(agent.get("conditional")),
        "coloured": renderer.get("color", True),
        "rewarded": algorithm != "imitation",
        "ships": folder.parent.name == "zoo",
    }
