"""The configuration of SPIRAL."""

from dataclasses import dataclass
from typing import ClassVar

from limner.models.config import CriticConfig
from limner.training.config import Device, PolicyGradientConfig, RewardConfig, TrainingConfig, check_policy_gradient
from limner.worlds.validation import check_fields, require


@dataclass(frozen=True)
class SpiralReward(RewardConfig):
    """What the agent is rewarded for, beside the critic's score."""

    distance: float = 0.0
    """Weight of minus the distance to the target (mean squared error of values in [0, 1]), added to the score. For
    conditional agents."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fields(self, "reward.", not_negative="distance")


@dataclass(frozen=True)
class SpiralConfig(TrainingConfig):
    """A run whose reward is the score of a critic."""

    algorithm: ClassVar[str] = "spiral"
    trainer: ClassVar[str] = "limner.training.spiral.trainer:SpiralTrainer"
    device: Device = "cpu"
    """Device of the networks. Rendering is always done by the CPU."""
    critic: CriticConfig = CriticConfig()
    reward: SpiralReward = SpiralReward()
    learning: PolicyGradientConfig = PolicyGradientConfig()

    def __post_init__(self) -> None:
        check_fields(self, "")
        check_policy_gradient(self, self.learning, self.reward)
        resolution, conditional = self.agent.resolution, self.agent.conditional
        require(
            self.critic.pixel_unshuffle * 4 <= resolution,
            f"critic.pixel_unshuffle is {self.critic.pixel_unshuffle}: must leave 4 of the {resolution} pixels "
            "(resolution) or more",
        )
        require(
            not (self.critic.encoder != "none" and conditional),
            f"critic.encoder is {self.critic.encoder!r}: must be 'none' for a conditional agent",
        )
        require(
            conditional or not self.reward.distance,
            f"reward.distance is {self.reward.distance}: it needs a target; set conditional",
        )
        require(
            not (conditional and self.critic.data),
            f"critic.data is {self.critic.data!r}: a conditional agent's critic is shown its targets; leave it out",
        )
