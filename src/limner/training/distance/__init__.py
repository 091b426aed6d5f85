"""Distance: minus the distance to the target is the agent's reward. There is no critic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from limner.training import Algorithm, register
from limner.training.distance.config import DistanceConfig

if TYPE_CHECKING:
    from limner.data.picture_source import PictureSource
    from limner.training.trainer import Trainer


def _make_trainer(config: DistanceConfig, source: PictureSource) -> Trainer:
    from limner.training.distance.trainer import DistanceTrainer

    return DistanceTrainer(config, source)


register(Algorithm("distance", "minus the distance to the target picture", DistanceConfig, _make_trainer))
