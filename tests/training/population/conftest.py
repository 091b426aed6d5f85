"""Members that train in no time: weights and fitness follow from settings and frames alone."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save

from limner.agents.checkpoint import SCHEMA, list_checkpoints
from limner.training import NonFiniteError
from limner.training.population import members
from limner.training.presets import PRESETS
from limner.training.run import _saved_state
from limner.training.saving import write_folder

TINY = PRESETS["tiny"].config
CONFIG = replace(TINY, run=replace(TINY.run, frames=4 * 24))
"""Four updates of 24 frames."""


@pytest.fixture
def config() -> Any:
    """Four updates of 24 frames."""
    return CONFIG


class Script:
    """What happens to members: the fitness of each, and those whose training stops."""

    def __init__(self) -> None:
        self.trained: list[tuple[str, int, float]] = []
        self.frechet: Callable[[str, int], float] = lambda name, until: 1.0 - int(name[-2:]) / 10
        self.stops: set[tuple[str, int]] = set()
        self.extra: dict[tuple[str, int], dict[str, float]] = {}

    def train(self, config: Any, folder: Path, resume: bool = False, report: Any = None, until: int = 0) -> bool:
        """In place of ``limner.training.run.train``, from whose checks it has its own."""
        saved = _saved_state(config, folder, resume)
        weights = torch.zeros(1) if saved is None else load_file(saved / "agent.safetensors")["w"]
        start = 0 if saved is None else int(saved.name)
        self.trained.append((folder.name, until, config.learning.learning_rate))
        if (folder.name, until) in self.stops:
            raise NonFiniteError("the loss became NaN")
        if start < until:
            members.write_config(config, folder)
            weights = weights * 2 + config.learning.learning_rate * 1000 + config.run.seed
            self.log(config, folder, until)
            write_checkpoint(config, folder, until, weights)
        return True

    def log(self, config: Any, folder: Path, until: int) -> None:
        """Two lines, the means and the evaluation, after those from before this round."""
        path = folder / "log.jsonl"
        old = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        rows = [row for row in old if row["update"] < until]
        rows.append({"update": until, "frames": 24 * until, "minutes": 0.0, "policy/entropy": 5.0})
        evaluation = {"eval/normalised_frechet": self.frechet(folder.name, until), "eval/mse": 0.05}
        extra = self.extra.get((folder.name, until), {})
        rows[-1] |= {name: value for name, value in extra.items() if "eval/" not in name}
        evaluation |= {name: value for name, value in extra.items() if "eval/" in name}
        rows.append({"update": until, "frames": 24 * until, "minutes": 0.0, **evaluation})
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_checkpoint(config: Any, folder: Path, updates: int, weights: torch.Tensor) -> None:
    """A checkpoint of one weight, and of one generator; older ones but the last go."""
    state = {"w": weights, "generator.acting": torch.Generator().manual_seed(config.run.seed).get_state()}
    files = {"agent.safetensors": save({"w": weights}), "state.safetensors": save(state)}
    manifest = {
        **{"schema": SCHEMA, "agent": config.agent.to_dict(), "training": config.to_dict()},
        **{"counters": {}, "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}},
    }
    files["manifest.json"] = json.dumps(manifest).encode()
    write_folder(folder / "checkpoints" / f"{updates:08d}", files)


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Script:
    """Members train as the script says."""
    script = Script()
    monkeypatch.setattr(members, "train", script.train)
    return script


@pytest.fixture(name="write")
def write_of() -> Callable[..., None]:
    """``write_checkpoint``."""
    return write_checkpoint


def weight(folder: Path) -> float:
    """The weight in the newest checkpoint."""
    return float(load_file(list_checkpoints(folder / "checkpoints")[-1] / "agent.safetensors")["w"])


@pytest.fixture(name="weight")
def weight_of() -> Callable[[Path], float]:
    """The weight in the newest checkpoint of a run."""
    return weight
