"""What a network looks like: the sections of a configuration that networks are made from.

Notable choices:
- Values without behaviour, and no torch: ``limner train --help`` reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from limner.worlds.validation import check_fields, require

Precision = Literal["float32", "bfloat16", "native"]
"""Of a network's inner layers. ``native`` is bfloat16 on a CPU that multiplies it in hardware, float32 elsewhere."""


@dataclass(frozen=True)
class PolicyConfig:
    """The network that writes programs."""

    network: Literal["small", "pointer", "paper"] = "small"
    """Two that CPU cores can train, the second with locations chosen by a pointer, and the published one."""
    channels: int = 32
    """Width of the first convolution."""
    hidden: int = 256
    """Width of the vector that the decoder starts from."""
    lstm: bool = False
    """An LSTM between torso and decoder, as in the paper's network."""
    spatial_heads: bool = False
    """Locations by deconvolution (the paper's) instead of a linear layer."""
    noise: int = 10
    """Size of the noise vector that is fixed for an episode."""
    blind: bool = False
    """Do not show the canvas, only the target: for comparison (Ganin et al. 2018, section 5.2)."""
    precision: Precision = "float32"
    """Of everything before the heads."""

    def __post_init__(self) -> None:
        check_fields(self, "policy.", positive="channels hidden", not_negative="noise")
        require(
            not (self.spatial_heads and self.network == "pointer"),
            "policy.spatial_heads is True: policy.network 'pointer' has location heads of its own; switch it off",
        )


@dataclass(frozen=True)
class CriticConfig:
    """The network that tells real pictures from painted ones, and how it learns."""

    loss: Literal["wasserstein", "logistic"] = "wasserstein"
    """Wasserstein (SPIRAL), or logistic with spectral normalisation (SPIRAL++, which has a gradient penalty of 0)."""
    width: int = 16
    """Channels of the first convolution; they double with each of the following."""
    pixel_unshuffle: int = 1
    """Pixels a side of the blocks that become channels before the first convolution; 4 is quicker on a CPU."""
    learning_rate: float = 2e-4
    """Of Adam with β = (0.5, 0.999)."""
    batch_size: int = 64
    """Real pictures, and as many painted ones, in a gradient step."""
    steps_per_update: int = 4
    """Gradient steps per update."""
    gradient_penalty: float = 10.0
    """Weight λ of the gradient penalty; 0 for none."""
    gradient_penalty_share: float = 1.0
    """Share of the batch that the penalty is estimated from; it is two thirds of the work of a step."""
    precision: Precision = "float32"
    """Of its convolutions."""
    replay: int = 20
    """Painted pictures come from the last so many batches of episodes."""
    target: Literal["beside", "complement"] = "beside"
    """How a conditional agent's target is shown: as further channels (SPIRAL), or in place of one half of the picture,
    so that the two cannot be compared pixel by pixel (SPIRAL++)."""
    data: str = ""
    """Data set to show as real instead of that of the run. With what an agent painted (``programs:FILE``) the brush
    tells nothing and the critic has to tell shapes apart."""

    def __post_init__(self) -> None:
        check_fields(
            self,
            "critic.",
            positive="width learning_rate batch_size steps_per_update replay gradient_penalty_share",
            not_negative="gradient_penalty",
            share="gradient_penalty_share",
        )
        require(
            self.pixel_unshuffle in (1, 2, 4, 8),
            f"critic.pixel_unshuffle is {self.pixel_unshuffle}: must be 1, 2, 4 or 8",
        )
