"""``limner info``: what is installed and found on this machine."""

import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from limner.cli.terminal import show
from limner.worlds import find_world, world_names


@dataclass(frozen=True)
class Info:
    """Show versions, the renderer, data sets, presets and agents that are found."""

    json: bool = False
    """Print one JSON object."""

    def run(self) -> None:
        """Look and print."""
        show(info(), self.json)


def info() -> dict[str, Any]:
    """Versions, facts of the worlds, data sets, presets and agents, as JSON-able values."""
    from limner.agents.zoo import shipped_agents
    from limner.data import NAMES
    from limner.data.root import DATA_VARIABLE, data_folder
    from limner.training.presets import PRESETS

    folder = str(data_folder() or f"none: name one in {DATA_VARIABLE}, or fetch one with 'limner data fetch'")
    packages = ("limner", "torch", "numpy", "gymnasium")
    return {
        "versions": {"python": platform.python_version()} | {name: version(name) for name in packages},
        "renderer": {key: value for name in world_names() for key, value in _world(name).items()},
        "data": {"data folder": folder} | {name: _dataset(name) for name in NAMES},
        "presets": {
            name: f"{preset.teaches} ({preset.config.run.data}, {preset.config.agent.horizon} actions a picture)"
            for name, preset in PRESETS.items()
        },
        "agents": list(shipped_agents()),
    }


def _world(name: str) -> dict[str, Any]:
    try:
        return find_world(name).facts()
    except ImportError as error:
        return {name: f"cannot be loaded: {error}"}


def _dataset(name: str) -> str:
    from limner.data import load_dataset

    try:
        return f"found, {len(load_dataset(name))} pictures to train on"
    except ValueError as error:
        return f"not found: {error}"
