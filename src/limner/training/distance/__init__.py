"""Distance: minus the distance to the target is the agent's reward. There is no critic."""

from limner.training import register
from limner.training.distance.config import DistanceConfig

register(DistanceConfig)
