"""Checkpoints: a folder with the agent, the rest of the run's state, and a manifest. Nothing is pickled.

Notable choices:
- ``agent.safetensors`` is the averaged policy, all that drawing needs; ``state.safetensors`` is what resuming
  needs on top. A shipped agent is the same folder without the state.
- ``manifest.json`` holds the configuration, the counters and the SHA-256 of the other files.
- A checkpoint is written beside its place and renamed into it, so there is never half of one. The last N are kept;
  when the newest is damaged, the one before it is used.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from limner.files import write_atomic

if TYPE_CHECKING:
    from limner.training.trainer import Training

SCHEMA = 1
logger = logging.getLogger(__name__)


def save_checkpoint(folder: Path, training: Training, counters: Mapping[str, float]) -> Path:
    """Write ``folder/NNNNNNNN`` (the number of updates) and drop all but the last ``config.keep``."""
    files = {
        "agent.safetensors": save(_named("policy", training.policy_learner.average)),
        "state.safetensors": save(_state(training)),
    }
    manifest = {
        "schema": SCHEMA,
        "limner": version("limner"),
        "torch": torch.__version__,
        "config": training.config.to_dict(),
        "counters": {
            "frames": training.frames,
            **training.counters(),
            **counters,
        },
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    }
    files["manifest.json"] = json.dumps(manifest, indent=2).encode()
    for leftover in folder.glob(".writing-*"):  # of a process that was killed
        shutil.rmtree(leftover, ignore_errors=True)
    path = write_folder(folder / f"{training.updates:08d}", files)
    for old in list_checkpoints(folder)[: -training.config.keep]:
        shutil.rmtree(old, ignore_errors=True)
    return path


def write_folder(path: Path, files: Mapping[str, bytes]) -> Path:
    """Write a folder of files as a whole: beside its place first, then renamed into it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".writing-", dir=path.parent))
    try:
        for name, data in files.items():
            write_atomic(temporary / name, data)
        os.chmod(temporary, 0o755)
        if path.exists():
            shutil.rmtree(path)
        os.replace(temporary, path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return path


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of a checkpoint or agent folder; ``ValueError`` when it is damaged or newer than this version."""
    try:
        manifest: dict[str, Any] = json.loads((path / "manifest.json").read_bytes())
    except FileNotFoundError:
        raise ValueError(f"{path} is not a checkpoint: it has no manifest.json") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path / 'manifest.json'} is damaged: {error}") from None
    schema = manifest.get("schema") if isinstance(manifest, dict) else None
    if not isinstance(schema, int) or schema < 1:
        raise ValueError(f"{path / 'manifest.json'} is not a Limner manifest: schema is {schema!r}")
    if schema > SCHEMA:
        raise ValueError(
            f"{path} has schema {schema}, this version of Limner reads up to {SCHEMA}: "
            "upgrade with pip install -U limner"
        )
    if not isinstance(manifest.get("config"), dict) or not isinstance(manifest.get("sha256"), dict):
        raise ValueError(f"{path / 'manifest.json'} is damaged: config or sha256 is missing")
    return manifest


def read_tensors(path: Path, manifest: Mapping[str, Any], name: str) -> dict[str, Tensor]:
    """One of the checkpoint's files, checked against the manifest; ``ValueError`` when it is damaged."""
    try:
        data = (path / name).read_bytes()
    except FileNotFoundError:
        raise ValueError(f"{path} has no {name}: it is incomplete, or an agent without the state to resume") from None
    if hashlib.sha256(data).hexdigest() != manifest["sha256"].get(name):
        raise ValueError(f"{path / name} is damaged: its SHA-256 is not the one in manifest.json")
    try:
        tensors: dict[str, Tensor] = load(data)
    except SafetensorError as error:
        raise ValueError(f"{path / name} is damaged: {error}") from None
    return tensors


def newest_checkpoint(folder: Path) -> Path:
    """The newest intact checkpoint in ``folder``; damaged ones are passed over with a warning."""
    problems = []
    for path in reversed(list_checkpoints(folder)):
        try:
            manifest = read_manifest(path)
            for name in manifest["sha256"]:
                read_tensors(path, manifest, name)
            return path
        except ValueError as error:
            logger.warning("passed over: %s", error)
            problems.append(str(error))
    raise ValueError(f"no usable checkpoint in {folder}" + "".join(f"\n  {problem}" for problem in problems))


def restore_checkpoint(path: Path, training: Training) -> dict[str, float]:
    """Put a checkpoint's state into ``training``, made from the same configuration. Returns the counters."""
    manifest = read_manifest(path)
    agent = read_tensors(path, manifest, "agent.safetensors")
    state = read_tensors(path, manifest, "state.safetensors")
    counters = _counters(path, manifest, training)
    try:
        _load_module(training.policy_learner.average, agent, "policy")
        for name, module in training.modules().items():
            _load_module(module, state, name)
        for name, optimizer in training.optimizers().items():
            _load_adam(optimizer, state, name)
        for name, generator in training.generators.items():
            generator.set_state(state[f"generator.{name}"])
        training.load(state, counters)
    except (KeyError, RuntimeError) as error:
        raise ValueError(f"{path} does not fit the configuration of this run: {error}") from None
    return counters


def _counters(path: Path, manifest: Mapping[str, Any], training: Training) -> dict[str, float]:
    counters: Any = manifest.get("counters")
    for name in training.counters():
        value = counters.get(name) if isinstance(counters, dict) else None
        if not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
            raise ValueError(f"{path / 'manifest.json'} is damaged: {name!r} in counters is {value!r}")
    return dict(counters)


def list_checkpoints(folder: Path) -> list[Path]:
    """The checkpoints in ``folder``, oldest first, damaged ones included; none when there is no such folder."""
    return sorted(p for p in folder.glob("[0-9]" * 8) if p.is_dir()) if folder.is_dir() else []


def _named(prefix: str, module: nn.Module) -> dict[str, Tensor]:
    return {f"{prefix}.{name}": tensor.detach().cpu().contiguous() for name, tensor in module.state_dict().items()}


def _state(training: Training) -> dict[str, Tensor]:
    tensors = {name: tensor.cpu().contiguous() for name, tensor in training.tensors().items()}
    for name, module in training.modules().items():
        tensors |= _named(name, module)
    for name, optimizer in training.optimizers().items():
        for index, slots in optimizer.state_dict()["state"].items():
            tensors |= {f"{name}.{index}.{slot}": value.cpu().contiguous() for slot, value in slots.items()}
    for name, generator in training.generators.items():
        tensors[f"generator.{name}"] = generator.get_state()
    return tensors


def _load_module(module: nn.Module, tensors: Mapping[str, Tensor], prefix: str) -> None:
    dot = len(prefix) + 1
    module.load_state_dict({k[dot:]: v for k, v in tensors.items() if k.startswith(prefix + ".")})


def _load_adam(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor], name: str) -> None:
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    slots: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith(name + "."):
            index, slot = key[len(name) + 1 :].split(".", 1)
            if value.dim():  # fused Adam walks through memory: its slots must lie there as the parameters do
                value = torch.empty_like(parameters[int(index)], device="cpu").copy_(value)
            slots.setdefault(int(index), {})[slot] = value
    optimizer.load_state_dict({"state": slots, "param_groups": optimizer.state_dict()["param_groups"]})
