"""Training from the distance, top to bottom: program → renderer → canvas → distance → reward → policy.

In an update the policy learns from one batch of episodes while the actor, the policy as it stood at the start, paints
the next. Episodes are one update old when they are learnt from; V-trace corrects for that.
"""

from limner.training.actor_critic import ActorCritic
from limner.training.distance.config import DistanceConfig
from limner.training.policy_learner import Scalars


class DistanceTrainer(ActorCritic):
    """The policy learns to paint its targets; there is no critic."""

    config: DistanceConfig

    def _update(self, progress: float) -> Scalars:
        """Learn from one batch of episodes while the next is painted; ``progress`` in [0, 1] is how far the run is."""
        acting_side = self._beside(lambda: self._act(self.spare))
        metrics = self._learn(-self.config.reward.weight * self.episodes.distance, progress)
        acting_side.result()
        self._swap()
        return metrics
