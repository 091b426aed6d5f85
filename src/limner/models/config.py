"""The sections of a configuration that networks are made from; ``limner train --help`` reads them without torch."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from limner.worlds.validation import check_fields, require

Precision = Literal["float32", "bfloat16", "native"]
"""Number format of inner layers. ``native`` is bfloat16 where the device multiplies it in hardware, else float32."""


@dataclass(frozen=True)
class PolicyConfig:
    """The network that writes programs."""

    network: Literal["small", "pointer", "paper"] = "small"
    """Architecture: small or pointer (locations chosen by a pointer), which CPU cores can train, or the published
    one."""
    channels: int = 32
    """Channels of the first convolution."""
    hidden: int = 256
    """Length of the vector that the decoder starts from."""
    lstm: bool = False
    """Put an LSTM between torso and decoder, as in the published network."""
    spatial_heads: bool = False
    """Choose locations by deconvolutions, as in the published network, instead of a linear layer."""
    noise: int = 10
    """Length of the noise vector that is drawn for each episode."""
    blind: bool = False
    """Show the policy its target, but not the canvas: for comparison (Ganin et al. 2018, section 5.2). For conditional
    agents."""
    precision: Precision = "float32"
    """Number format of all layers before the heads; native is bfloat16 where the device multiplies it in hardware, else
    float32."""

    def __post_init__(self) -> None:
        check_fields(self, "policy.", positive="channels hidden", not_negative="noise")
        require(
            not (self.spatial_heads and self.network == "pointer"),
            "policy.spatial_heads is True: policy.network 'pointer' has location heads of its own; switch it off",
        )


@dataclass(frozen=True)
class CriticConfig:
    """The network that tells real pictures from painted ones, and how it learns."""

    removed: ClassVar[dict[str, str]] = {"target": "beside"}
    """Fields of earlier versions, with the values that asked for what is now always done."""
    loss: Literal["wasserstein", "relativistic"] = "wasserstein"
    """Loss: Wasserstein (SPIRAL), or relativistic, of pairs of a real and a painted picture (R3GAN)."""
    encoder: Literal["none", "contrastive"] = "none"
    """What is scored: pixels, or features of an encoder that learns from the real pictures before training begins, by
    contrast of augmented views (SimCLR), and is then fixed. With features width, pixel_unshuffle and precision do not
    count, and the gradient penalty is on features. For unconditional agents."""
    encoder_steps: int = 600
    """Gradient steps of the encoder, with 256 pictures each."""
    width: int = 16
    """Channels of the first convolution; they double with each of the following."""
    pixel_unshuffle: int = 1
    """Side, in pixels, of the blocks that become channels before the first convolution: 1, 2, 4 or 8. 4 is quicker on a
    CPU."""
    learning_rate: float = 2e-4
    """Learning rate of Adam, with β = (0.5, 0.999)."""
    batch_size: int = 64
    """Real pictures, and as many painted ones, per gradient step."""
    steps_per_update: int = 4
    """Gradient steps per update."""
    gradient_penalty: float = 10.0
    """Weight of the gradient penalty. 0: none. Between real and painted pictures gradients are to have norm 1
    (Wasserstein), with a weight of 10; or on both they are to vanish (relativistic), with a weight of .2."""
    gradient_penalty_share: float = 1.0
    """Share of the batch, in [0, 1], on which the gradient penalty is estimated. On all of it, the penalty is two
    thirds of the work of a step."""
    precision: Precision = "float32"
    """Number format of the convolutions, as of the policy."""
    replay: int = 20
    """Painted pictures are taken from this many of the last batches of episodes."""
    data: str = ""
    """Data set shown as real instead of that of the run. With pictures that an agent painted (``programs:FILE``), the
    brush is no clue, and the critic has to tell shapes apart. For unconditional agents."""

    def __post_init__(self) -> None:
        check_fields(
            self,
            "critic.",
            positive="encoder_steps width learning_rate batch_size steps_per_update replay gradient_penalty_share",
            not_negative="gradient_penalty",
            share="gradient_penalty_share",
        )
        block = self.pixel_unshuffle
        require(block in (1, 2, 4, 8), f"critic.pixel_unshuffle is {block}: must be 1, 2, 4 or 8")
