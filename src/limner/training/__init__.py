"""Training: configurations, trainers, runs.

Notable choices:
- An algorithm is a folder with a configuration and a trainer. It calls ``register`` when it is imported, and it is
  imported when its name is first asked for.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from limner.data.picture_source import PictureSource
    from limner.training.config import TrainingConfig
    from limner.training.trainer import Trainer

_algorithms: dict[str, type[TrainingConfig]] = {}


class NonFiniteError(ArithmeticError):
    """Training met numbers that are not finite, and cannot go on."""


def register(config_type: type[TrainingConfig]) -> None:
    """Make an algorithm known by the name of its configuration."""
    _algorithms[config_type.algorithm] = config_type


def find_algorithm(name: object) -> type[TrainingConfig]:
    """The configuration of the algorithm called ``name``; ``ValueError`` naming those there are."""
    if name not in _algorithms and name in _folders():
        import_module(f"limner.training.{name}")
    if not isinstance(name, str) or name not in _algorithms:
        raise ValueError(f"unknown algorithm {name!r}: must be one of {', '.join(map(repr, algorithm_names()))}")
    return _algorithms[name]


def algorithm_names() -> list[str]:
    """Names of all algorithms, sorted."""
    return sorted({*_folders(), *_algorithms})


def make_trainer(config: TrainingConfig, source: PictureSource) -> Trainer:
    """The trainer that ``config`` names; ``source`` holds the pictures of its data."""
    trainer: Trainer = pkgutil.resolve_name(config.trainer)(config, source)
    return trainer


@cache
def _folders() -> frozenset[str]:
    return frozenset(path.parent.name for path in Path(__path__[0]).glob("*/config.py"))
