"""One member of a population: training it for a round, assessing it, and giving it the state of another one.

Notable choices:
- A copy is a checkpoint of the other member with this member's configuration in its manifest. So a run still refuses to
  be resumed with other settings than those it was saved with, and settings change by copies alone.
- Weights, moments of the optimizers and the replay buffer are copied; random generators start anew, or the copy would
  act as the original does.
"""

import math
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from limner.agents.checkpoint import check_checkpoint, list_checkpoints, newest_checkpoint, read_manifest, read_tensors
from limner.training import NonFiniteError
from limner.training.config import PolicyGradientConfig, TrainingConfig
from limner.training.log import Record, read_log
from limner.training.progress import is_evaluation
from limner.training.run import train, write_config
from limner.training.saving import write_checkpoint

EMPTY = 0.99
"""Share of empty canvases from which on an agent that makes pictures up counts as collapsed."""
DETERMINISTIC = 0.01
"""Entropy in nats per action below which a policy that learns from rewards counts as collapsed: it tries nothing."""


class Outcome(NamedTuple):
    """How a member's round went."""

    finished: bool
    """False when it was interrupted."""
    failure: str | None = None
    """Why training had to stop."""


class Assessment(NamedTuple):
    """What the log tells of a member's round."""

    fitness: float | None
    """More is better; None when it is missing or not finite."""
    collapse: str | None
    """Why it counts as collapsed."""


def folder_of(folder: Path, member: int) -> Path:
    """The folder of a member's run."""
    return folder / f"member-{member:02d}"


def begin(config: TrainingConfig, folder: Path) -> bool:
    """Whether the run in ``folder`` is to be resumed; one that has no checkpoint yet has ``config`` from now on."""
    begun = any((folder / name).exists() for name in ("log.jsonl", "checkpoints"))
    if begun and not list_checkpoints(folder / "checkpoints"):
        write_config(config, folder)
    return begun


def train_member(
    config: TrainingConfig, folder: Path, until: int, report: Callable[[Record], None] | None = None
) -> Outcome:
    """Train a member until it has made so many updates, evaluate it and save it; in ``folder``, from what is there.

    ``ValueError`` as ``train``.
    """
    try:
        return Outcome(train(config, folder, begin(config, folder), report, until))
    except NonFiniteError as error:
        return Outcome(True, str(error))


def failure_of(work: Callable[[], object]) -> str | None:
    """Do ``work`` of a member; why its training has to stop, if it has to."""
    try:
        work()
    except NonFiniteError as error:
        return str(error)
    return None


def assess(config: TrainingConfig, folder: Path, fitness: str, after: int, until: int) -> Assessment:
    """Assess the updates from ``after`` to ``until`` by the log in ``folder``.

    ``fitness`` as ``PopulationConfig.fitness``.
    """
    path = folder / "log.jsonl"
    log = [row for row in (read_log(path) if path.exists() else []) if after < row.get("update", 0) <= until]
    evaluation: Record = next((row for row in reversed(log) if is_evaluation(row) and row["update"] == until), {})
    means = [row for row in log if not is_evaluation(row)]
    values = {
        "critic": evaluation.get("eval/score"),
        "frechet": _minus(evaluation.get("eval/normalised_frechet")),
        "mse": _minus(evaluation.get("eval/mse")),
    }
    value = values[fitness]
    if value is None or not math.isfinite(value):
        return Assessment(None, f"its fitness ({fitness}) is not finite")
    if (empty := evaluation.get("eval/empty", 0.0)) >= EMPTY:
        return Assessment(value, f"{empty:.0%} of its canvases are empty")
    rewarded = isinstance(getattr(config, "learning", None), PolicyGradientConfig)
    entropy = next((row["policy/entropy"] for row in reversed(means) if "policy/entropy" in row), math.inf)
    if rewarded and entropy < DETERMINISTIC:
        return Assessment(value, f"its entropy is {entropy:.2g} nats per action")
    return Assessment(value, None)


def intact_checkpoint(folder: Path, updates: int) -> Path | None:
    """The newest intact checkpoint of the run in ``folder``, if it is not from before so many ``updates``.

    Damaged ones are named in warnings.
    """
    if not list_checkpoints(folder / "checkpoints"):
        return None
    try:
        newest = newest_checkpoint(folder / "checkpoints")
    except ValueError:
        return None
    return newest if int(newest.name) >= updates else None


def align(folders: Sequence[Path], least: int) -> None:
    """Take members back to the newest update, of ``least`` or more, of which all have an intact checkpoint.

    If ``least`` is 0 that may be the start. Where damage has left no such update it is the newest of those that most
    members have, and the others lose their checkpoints.
    """
    held = {folder: {0} if least == 0 else set[int]() for folder in folders}
    for folder in folders:
        for checkpoint in list_checkpoints(folder / "checkpoints"):
            with suppress(ValueError):
                check_checkpoint(checkpoint)
                held[folder] |= {int(checkpoint.name)} if int(checkpoint.name) >= least else set()
    counts = Counter(update for updates in held.values() for update in updates)
    if not counts:
        return
    common = max(counts, key=lambda update: (counts[update], update))
    for folder in folders:
        for checkpoint in list_checkpoints(folder / "checkpoints"):
            if int(checkpoint.name) > common or common not in held[folder]:
                shutil.rmtree(checkpoint)


def copy_checkpoint(source: Path, folder: Path, config: TrainingConfig, seed: int) -> None:
    """Make a copy of the checkpoint ``source`` the only one of the run in ``folder``, which has ``config`` from now on.

    Random generators start from ``seed``. ``ValueError`` when ``source`` is damaged; then nothing has changed. The copy
    is written beside its place and renamed; what is replaced goes afterwards.
    """
    manifest = read_manifest(source)
    tensors = {name: read_tensors(source, manifest, name) for name in ("agent.safetensors", "state.safetensors")}
    tensors["state.safetensors"] |= _generators(tensors["state.safetensors"], seed)
    manifest["training"] = config.to_dict()
    files = {name: save(values) for name, values in tensors.items()}
    copy = write_checkpoint(folder / "checkpoints" / source.name, manifest, files)
    for other in list_checkpoints(folder / "checkpoints"):
        if other != copy:
            shutil.rmtree(other)
    write_config(config, folder)


def _generators(state: dict[str, Tensor], seed: int) -> dict[str, Tensor]:
    """New states for the generators in a state, of the same kinds."""
    names = sorted(name for name in state if name.startswith("generator."))
    seeds = np.random.SeedSequence(seed).generate_state(max(len(names), 1), np.uint64) >> np.uint64(1)
    made = {}
    for name, number in zip(names, seeds.tolist(), strict=False):
        generator = torch.Generator().manual_seed(number)
        if state[name].shape != generator.get_state().shape:
            generator = torch.Generator("cuda").manual_seed(number)
        made[name] = generator.get_state()
    return made


def _minus(value: float | None) -> float | None:
    return None if value is None else -value
