"""The configuration of training from the distance alone."""

from dataclasses import dataclass
from typing import ClassVar

from limner.training.config import Device, PolicyGradientConfig, RewardConfig, TrainingConfig, check_policy_gradient
from limner.worlds.validation import check_fields, require


@dataclass(frozen=True)
class DistanceReward(RewardConfig):
    """What the agent is rewarded for."""

    weight: float = 100.0
    """Factor on minus the distance to the target, which is the mean squared error of values in [0, 1]."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fields(self, "reward.", positive="weight")


@dataclass(frozen=True)
class DistanceConfig(TrainingConfig):
    """A run whose reward is minus the distance to the target."""

    algorithm: ClassVar[str] = "distance"
    trainer: ClassVar[str] = "limner.training.distance.trainer:DistanceTrainer"
    device: Device = "cpu"
    """Device of the networks. Rendering is always done by the CPU."""
    reward: DistanceReward = DistanceReward()
    learning: PolicyGradientConfig = PolicyGradientConfig()

    def __post_init__(self) -> None:
        check_fields(self, "")
        require(self.agent.conditional, "algorithm is 'distance', but the agent has no targets: set conditional")
        check_policy_gradient(self, self.learning, self.reward)
