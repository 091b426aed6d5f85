"""Imitation: maximum likelihood on the actions of an expert."""

from limner.training import register
from limner.training.imitation.config import ImitationConfig

register(ImitationConfig)
