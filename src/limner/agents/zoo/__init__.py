"""The agents that come with the library: a folder each, with weights, manifest and model card (``card.md``)."""

from importlib import resources
from pathlib import Path


def shipped_agents() -> dict[str, Path]:
    """Names and folders of the agents that come with the library."""
    folder = Path(str(resources.files("limner.agents.zoo")))
    return {path.parent.name: path.parent for path in sorted(folder.glob("*/manifest.json"))}
