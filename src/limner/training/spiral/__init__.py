"""SPIRAL: a critic learns to tell painted pictures from real ones, and its score is the agent's reward."""

from __future__ import annotations

from typing import TYPE_CHECKING

from limner.training import Algorithm, register
from limner.training.spiral.config import SpiralConfig

if TYPE_CHECKING:
    from limner.data.picture_source import PictureSource
    from limner.training.trainer import Trainer


def _make_trainer(config: SpiralConfig, source: PictureSource) -> Trainer:
    from limner.training.spiral.trainer import SpiralTrainer

    return SpiralTrainer(config, source)


register(Algorithm("spiral", "the score of a critic that learns what is real", SpiralConfig, _make_trainer))
