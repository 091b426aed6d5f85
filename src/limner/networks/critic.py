"""The critic (discriminator): a picture to a score, high for real ones.

Notable choices:
- DCGAN-like strided convolutions (Radford et al. 2016), no batch statistics: the gradient penalty needs a score
  that depends on one picture only (Gulrajani et al. 2017, section 4).
- Spectral normalisation (Miyato et al. 2018) is the alternative to the gradient penalty.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from limner.config import CriticConfig


class Critic(nn.Module):
    """Strided 4×4 convolutions down to 4×4 pixels, the width doubling, then one linear unit."""

    def __init__(self, config: CriticConfig, channels: int, resolution: int) -> None:
        super().__init__()
        self.reduced = config.precision == "bfloat16" or (config.precision == "native" and _has_bfloat16())
        constrain = spectral_norm if config.loss == "logistic" else lambda layer: layer
        self.convolutions = nn.ModuleList()
        width, side = config.width, resolution
        while side > 4:
            self.convolutions.append(constrain(nn.Conv2d(channels, width, 4, 2, 1)))
            channels, width, side = width, min(2 * width, 512), side // 2
        self.output = constrain(nn.Linear(channels * side * side, 1))
        self.offset: Tensor
        self.register_buffer("offset", torch.zeros(()))

    def forward(self, ink: Tensor) -> Tensor:
        """Raw scores ``float32[N]`` of ``ink`` float32[N, C, R, R] in [0, 1]."""
        with torch.autocast(ink.device.type, torch.bfloat16, enabled=self.reduced):
            x = ink
            for convolution in self.convolutions:
                x = F.leaky_relu(convolution(x), 0.2)
        score: Tensor = self.output(x.flatten(1).float())  # in bfloat16 a score of 4 would move in steps of 1/32
        return score.squeeze(-1)

    def score(self, ink: Tensor) -> Tensor:
        """Centred scores ``float32[N]``."""
        score: Tensor = self(ink) - self.offset
        return score

    def centre(self, scores: Tensor) -> None:
        """Move the free offset towards the mean of ``scores`` of real and painted pictures, half and half."""
        self.offset.lerp_(scores.mean(), 0.1)


def _has_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 in hardware; without, PyTorch emulates it, several times slower."""
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return any(capabilities.get(name) for name in ("amx_bf16", "avx512_bf16", "bf16"))
