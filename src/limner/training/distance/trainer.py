"""Training from the distance, top to bottom: program → renderer → canvas → distance → reward → policy.

In an update the policy learns from one batch of episodes while the next is painted with the weights from before the
update. Episodes are one update old when they are learnt from; V-trace corrects for that.
"""

from limner.data.picture_source import PictureSource
from limner.models.policy import Policy
from limner.training.actor_critic import ActorCritic
from limner.training.distance.config import DistanceConfig
from limner.training.policy_learner import Scalars


class DistanceTrainer(ActorCritic):
    """The policy learns to paint its targets; there is no critic."""

    config: DistanceConfig

    def __init__(self, config: DistanceConfig, source: PictureSource) -> None:
        super().__init__(config, source)
        self.runtime.begin()

    def start_from(self, policy: Policy) -> None:
        """As ``Trainer.start_from``; the first episodes are painted anew."""
        super().start_from(policy)
        self.runtime.begin()

    def _update(self, progress: float) -> Scalars:
        """Learn from one batch of episodes while the next is painted; ``progress`` in [0, 1] is how far the run is."""
        episodes = self.runtime.take()
        scores, others = (-self.config.reward.weight * x for x in (episodes.distance, episodes.others_distance))
        return self._learn(episodes, scores, others, progress)
