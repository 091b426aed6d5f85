"""SPIRAL: a critic learns to tell painted pictures from real ones, and its score is the agent's reward."""

from limner.training import register
from limner.training.spiral.config import SpiralConfig

register(SpiralConfig)
