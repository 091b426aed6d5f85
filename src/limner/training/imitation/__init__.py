"""Imitation: maximum likelihood on the actions of an expert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from limner.training import Algorithm, register
from limner.training.imitation.config import ImitationConfig

if TYPE_CHECKING:
    from limner.data.picture_source import PictureSource
    from limner.training.trainer import Trainer


def _make_trainer(config: ImitationConfig, source: PictureSource) -> Trainer:
    from limner.training.imitation.trainer import ImitationTrainer

    return ImitationTrainer(config, source)


register(
    Algorithm(
        "imitation", "an expert's actions: search, random programs, a file, an agent", ImitationConfig, _make_trainer
    )
)
