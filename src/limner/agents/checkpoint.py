"""Reading checkpoints: a folder with the agent, the rest of a run's state, and a manifest. Nothing is pickled.

Notable choices:
- ``agent.safetensors`` is the averaged policy, all that drawing needs; ``state.safetensors`` is what resuming needs
  besides. A shipped agent is the same folder without the state.
- ``manifest.json`` holds the agent's configuration, the whole configuration of its training, the counters, and the
  SHA-256 of the other files.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from limner.agents.schema1 import migrate
from limner.worlds.validation import require

SCHEMA = 2
logger = logging.getLogger(__name__)


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of a checkpoint or agent folder, of this schema; one of an earlier schema is brought to it.

    ``ValueError`` when it is damaged or newer than this version.
    """
    file = path / "manifest.json"
    try:
        manifest: dict[str, Any] = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise ValueError(f"{path} is not a checkpoint: it has no manifest.json") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is damaged: {error}") from None
    schema: Any = manifest.get("schema") if isinstance(manifest, dict) else None
    require(isinstance(schema, int) and schema >= 1, f"{file} is not a Limner manifest: schema is {schema!r}")
    newer = f"{path} has schema {schema}, this version of Limner reads up to {SCHEMA}"
    require(schema <= SCHEMA, f"{newer}: upgrade with pip install -U limner")
    for name in ("config", "sha256") if schema == 1 else ("agent", "training", "sha256"):
        require(isinstance(manifest.get(name), dict), f"{file} is damaged: {name} is missing")
    try:
        return migrate(manifest) if schema == 1 else manifest
    except ValueError as error:
        raise ValueError(f"{file} is damaged: {error}") from None


def read_tensors(path: Path, manifest: Mapping[str, Any], name: str) -> dict[str, Tensor]:
    """One of the checkpoint's files, checked against the manifest; ``ValueError`` when it is damaged."""
    try:
        data = (path / name).read_bytes()
    except FileNotFoundError:
        raise ValueError(f"{path} has no {name}: it is incomplete, or an agent without the state to resume") from None
    intact = hashlib.sha256(data).hexdigest() == manifest["sha256"].get(name)
    require(intact, f"{path / name} is damaged: its SHA-256 is not the one in manifest.json")
    try:
        return load(data)
    except SafetensorError as error:
        raise ValueError(f"{path / name} is damaged: {error}") from None


def check_checkpoint(path: Path) -> None:
    """``ValueError`` when a file of the checkpoint is missing or damaged."""
    manifest = read_manifest(path)
    for name in manifest["sha256"]:
        read_tensors(path, manifest, name)


def newest_checkpoint(folder: Path) -> Path:
    """The newest intact checkpoint in ``folder``; damaged ones are passed over with a warning."""
    problems = []
    for path in reversed(list_checkpoints(folder)):
        try:
            check_checkpoint(path)
            return path
        except ValueError as error:
            logger.warning("passed over: %s", error)
            problems.append(str(error))
    raise ValueError(f"no usable checkpoint in {folder}" + "".join(f"\n  {problem}" for problem in problems))


def list_checkpoints(folder: Path) -> list[Path]:
    """The checkpoints in ``folder``, oldest first, damaged ones included; none when there is no such folder."""
    return sorted(path for path in folder.glob("[0-9]" * 8) if path.is_dir())
