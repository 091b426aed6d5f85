"""Saving: a trainer's state as a checkpoint, and back.

Notable choices:
- A checkpoint is written beside its place and renamed into it, so there is never half of one. The last N are kept.
- One that would hold a number that is not finite is not written.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from limner.agents.checkpoint import SCHEMA, list_checkpoints, read_manifest, read_tensors
from limner.files import is_disk_full, made, write_atomic
from limner.models.weights import load_weights
from limner.training import NonFiniteError
from limner.training.finite import is_finite
from limner.training.part import named, within
from limner.training.trainer import Trainer


def save_checkpoint(folder: Path, trainer: Trainer, counters: Mapping[str, float]) -> Path:
    """Write ``folder/NNNNNNNN`` (the number of updates) and drop all but the last ``run.keep``.

    ``NonFiniteError`` naming the first number that is not finite, nothing written. ``OSError`` naming the checkpoint.
    """
    return begin_checkpoint(folder, trainer, counters)()


def begin_checkpoint(folder: Path, trainer: Trainer, counters: Mapping[str, float]) -> Callable[[], Path]:
    """Copy the state of ``trainer``, which may then be updated.

    What is returned writes the checkpoint, in any thread, and raises as ``save_checkpoint``.
    """
    config, updates = trainer.config, trainer.updates
    counters = {"frames": trainer.frames, **counters}
    agent, finish = named("policy", trainer.policy_learner.average), trainer.begin_snapshot()

    def write() -> Path:
        state, own = finish()
        numbers = own | counters
        scalars = {name: torch.tensor(number, dtype=torch.float64) for name, number in numbers.items()}
        every = [*agent.items(), *state.items(), *scalars.items()]
        if bad := next((name for name, tensor in every if not is_finite(tensor)), None):
            raise NonFiniteError(f"no checkpoint can be written after update {updates}: {bad} is not finite")
        manifest = {
            "schema": SCHEMA,
            "limner": version("limner"),
            "torch": torch.__version__,
            "agent": config.agent.to_dict(),
            "training": config.to_dict(),
            "counters": numbers,
        }
        for leftover in folder.glob(".writing-*"):  # of a process that was killed
            shutil.rmtree(leftover, ignore_errors=True)
        tensors = {"agent.safetensors": save(agent), "state.safetensors": save(state)}
        path = write_checkpoint(folder / f"{updates:08d}", manifest, tensors)
        for old in list_checkpoints(folder)[: -config.run.keep]:
            shutil.rmtree(old, ignore_errors=True)
        return path

    return write


def write_checkpoint(
    path: Path, manifest: Mapping[str, Any], tensors: Mapping[str, bytes], others: Mapping[str, bytes] | None = None
) -> Path:
    """Write a checkpoint as a whole: files of ``tensors``, the ``manifest`` with their hashes, and ``others``."""
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in tensors.items()}
    text = json.dumps({**manifest, "sha256": hashes}, indent=2)
    return write_folder(path, {**tensors, "manifest.json": text.encode(), **(others or {})})


def write_folder(path: Path, files: Mapping[str, bytes]) -> Path:
    """Write a folder of files as a whole: beside its place first, then renamed into it. ``OSError`` naming ``path``."""
    try:
        with (
            made(path.parent),
            tempfile.TemporaryDirectory(prefix=".writing-", dir=path.parent, ignore_cleanup_errors=True) as temporary,
        ):
            for name, data in files.items():
                write_atomic(Path(temporary) / name, data)
            os.chmod(temporary, 0o755)
            if path.exists():
                shutil.rmtree(path)
            os.replace(temporary, path)
    except OSError as error:
        needed = f", {sum(map(len, files.values())) / 2**20:.1f} MiB are needed" if is_disk_full(error) else ""
        raise OSError(error.errno, f"{error.strerror}{needed}", str(path)) from error
    return path


def restore_checkpoint(path: Path, trainer: Trainer) -> dict[str, float]:
    """Put a checkpoint's state into ``trainer``, made from the same configuration. Returns the counters."""
    manifest = read_manifest(path)
    agent, state = (read_tensors(path, manifest, f"{name}.safetensors") for name in ("agent", "state"))
    counters = _counters(path, manifest, trainer)
    try:
        load_weights(trainer.policy_learner.average, within(agent, "policy"))
        trainer.restore(state, counters)
    except (KeyError, RuntimeError, ValueError) as error:
        raise ValueError(f"{path} does not fit the configuration of this run: {error}") from None
    return counters


def _counters(path: Path, manifest: Mapping[str, Any], trainer: Trainer) -> dict[str, float]:
    counters: Any = manifest.get("counters")
    for name in trainer.begin_snapshot()().counters:
        value = counters.get(name) if isinstance(counters, dict) else None
        if not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
            raise ValueError(f"{path / 'manifest.json'} is damaged: {name!r} in counters is {value!r}")
    return dict(counters)
