"""Training: configurations, trainers, runs. An algorithm is a folder that registers itself by name.

Notable choices:
- An algorithm is a configuration and a trainer that fills the same folder of a run. Its folder calls ``register`` when
  it is imported, and it is imported when its name is first asked for.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from limner.data.picture_source import PictureSource
    from limner.training.config import TrainingConfig
    from limner.training.trainer import Trainer

__all__ = ["Algorithm", "algorithm_names", "find_algorithm", "make_trainer", "register"]


@dataclass(frozen=True)
class Algorithm:
    """A way to train, by name."""

    name: str
    summary: str
    """What is rewarded or taught, in a few words."""
    config_type: type[TrainingConfig]
    make_trainer: Callable[[Any, PictureSource], Trainer]
    """A new trainer from a ``config_type`` and the pictures of the data."""


_algorithms: dict[str, Algorithm] = {}


def register(algorithm: Algorithm) -> None:
    """Make ``algorithm`` known by its name."""
    _algorithms[algorithm.name] = algorithm


def find_algorithm(name: object) -> Algorithm:
    """The algorithm called ``name``; ``ValueError`` naming those there are."""
    if name not in _algorithms and name in _folders():
        import_module(f"limner.training.{name}")
    if not isinstance(name, str) or name not in _algorithms:
        raise ValueError(f"unknown algorithm {name!r}: must be one of {', '.join(map(repr, algorithm_names()))}")
    return _algorithms[name]


def algorithm_names() -> list[str]:
    """Names of all algorithms, sorted."""
    return sorted({*_folders(), *_algorithms})


def make_trainer(config: TrainingConfig, source: PictureSource) -> Trainer:
    """The trainer of the algorithm that ``config`` is of; ``source`` holds the pictures of its data."""
    return find_algorithm(config.algorithm).make_trainer(config, source)


@cache
def _folders() -> frozenset[str]:
    """Folders of algorithms: those that are not part of what all share."""
    return frozenset(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg)
