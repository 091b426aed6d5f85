"""What is installed and found on this machine."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = ("limner", "torch", "numpy", "gymnasium")


def info() -> dict[str, Any]:
    """Versions, brush folders, data sets, presets and agents, as JSON-able values."""
    return {
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES},
        "renderer": _renderer(),
        "data": _data(),
        "presets": _presets(),
        "agents": _agents(),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _renderer() -> dict[str, Any]:
    try:
        from limner.worlds.paint import _paint
        from limner.worlds.paint.brushes import brush_folders, brush_names
    except ImportError as error:
        return {"paint": f"cannot be loaded: {error}"}
    folders = [str(folder) for folder in brush_folders() if folder.is_dir()]
    return {"libmypaint": _paint.libmypaint, "brushes": len(brush_names()), "brush folders": folders}


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
        name: f"{config.data}, {config.policy.network} network, {config.steps} actions a picture"
        for name, config in PRESETS.items()
    }


def _agents() -> list[str]:
    """Names of the agents that come with Limner."""
    from limner.agents.zoo import shipped_agents

    return list(shipped_agents())
