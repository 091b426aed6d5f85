"""``limner info``: what is installed and found on this machine."""

import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from limner.cli.terminal import show
from limner.worlds import find_world, world_names

PACKAGES = ("limner", "torch", "numpy", "gymnasium")


@dataclass(frozen=True)
class Info:
    """Show versions, the renderer, data sets, presets and agents that are found."""

    json: bool = False
    """Print one JSON object."""

    def run(self) -> None:
        """Look and print."""
        show(info(), self.json)


def info() -> dict[str, Any]:
    """Versions, brush folders, data sets, presets and agents, as JSON-able values."""
    return {
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES},
        "renderer": {key: value for name in world_names() for key, value in _world(name).items()},
        "data": _data(),
        "presets": _presets(),
        "agents": _agents(),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _world(name: str) -> dict[str, Any]:
    try:
        return find_world(name).facts()
    except ImportError as error:
        return {name: f"cannot be loaded: {error}"}


def _data() -> dict[str, str]:
    """The data folder, then data sets by name: found, or what is missing."""
    from limner.data import NAMES, load_dataset
    from limner.data.root import DATA_VARIABLE, data_folder

    def look(name: str) -> str:
        try:
            return f"found, {len(load_dataset(name))} pictures to train on"
        except ValueError as error:
            return f"not found: {error}"

    folder = str(data_folder() or f"none: name one in {DATA_VARIABLE}, or fetch one with 'limner data fetch'")
    return {"data folder": folder} | {name: look(name) for name in NAMES}


def _presets() -> dict[str, str]:
    from limner.training.presets import PRESETS

    return {
        name: f"{preset.teaches} ({preset.config.run.data}, {preset.config.agent.horizon} actions a picture)"
        for name, preset in PRESETS.items()
    }


def _agents() -> list[str]:
    """Names of the agents that come with Limner."""
    from limner.agents.zoo import shipped_agents

    return list(shipped_agents())
