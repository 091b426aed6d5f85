"""The critic (discriminator): a picture to a score, high for real ones.

Notable choices:
- DCGAN-like strided convolutions (Radford et al. 2016), no batch statistics: the gradient penalty needs a score that
  depends on one picture only (Gulrajani et al. 2017, section 4).
- ``pixel_unshuffle`` moves blocks of pixels into channels first: on a CPU the convolutions at full resolution take the
  most time (docs/log.md, "cheaper networks").
- Instead of pixels a critic may be given features that are learnt from the real pictures first and then fixed
  (``encoder``; as in Projected GANs, Sauer et al. 2021, whose features come from other pictures).
"""

from abc import ABC, abstractmethod
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.models.blocks import reduced_precision
from limner.models.config import CriticConfig
from limner.models.encoder import FEATURES, Encoder


class Critic(nn.Module, ABC):
    """Scores of pictures; those of real and of painted ones, half and half, have the mean 0."""

    offset: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("offset", torch.zeros(()))

    def embed(self, pictures: Tensor) -> Tensor:
        """What gradient steps and gradient penalties start from: the pictures ``float32[N, C, R, R]``, or features."""
        return pictures

    @abstractmethod
    def head(self, embedded: Tensor) -> Tensor:
        """Raw scores ``float32[N]`` of what ``embed`` returns."""

    def forward(self, pictures: Tensor) -> Tensor:
        """Raw scores ``float32[N]`` of preprocessed ``pictures`` float32[N, C, R, R] in [0, 1]."""
        return self.head(self.embed(pictures))

    def score(self, pictures: Tensor) -> Tensor:
        """Centred scores ``float32[N]`` of what ``forward`` takes."""
        score: Tensor = self(pictures) - self.offset
        return score

    def centre(self, scores: Tensor) -> None:
        """Move the offset towards the mean of ``scores`` of real and painted pictures, half and half."""
        self.offset.lerp_(scores.mean(), 0.1)


class PixelCritic(Critic):
    """Strided 4×4 convolutions down to 4×4 pixels, each of twice the width, then one linear unit.

    With ``pixel_unshuffle`` f above 1 the first is a 3×3 convolution, not strided, of f×f blocks of pixels. The
    pictures of conditional agents have the targets as further channels.
    """

    def __init__(self, config: CriticConfig, channels: int, resolution: int, conditional: bool = False) -> None:
        super().__init__()
        channels *= 2 if conditional else 1
        self.precision = config.precision
        self.pixel_unshuffle = config.pixel_unshuffle
        self.convolutions = nn.ModuleList()
        width, side = config.width, resolution
        if self.pixel_unshuffle > 1:
            side //= self.pixel_unshuffle
            self.convolutions.append(nn.Conv2d(channels * self.pixel_unshuffle**2, width, 3, padding=1))
            channels, width = width, min(2 * width, 512)
        while side > 4:
            self.convolutions.append(nn.Conv2d(channels, width, 4, 2, 1))
            channels, width, side = width, min(2 * width, 512), side // 2
        self.output = nn.Linear(channels * side * side, 1)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def head(self, embedded: Tensor) -> Tensor:
        """As ``Critic.head``."""
        device = embedded.device.type
        with torch.autocast(device, torch.bfloat16, enabled=reduced_precision(self.precision, device)):
            hidden = self._hidden(embedded)
        score: Tensor = self.output(hidden.float())  # in bfloat16 a score of 4 would move in steps of 1/32
        return score.squeeze(-1)

    def _hidden(self, pictures: Tensor) -> Tensor:
        """Inputs of the output layer, ``[N, F]``."""
        x = F.pixel_unshuffle(pictures, self.pixel_unshuffle).contiguous(memory_format=torch.channels_last)
        *convolutions, last = self.convolutions
        for convolution in convolutions:
            x = F.leaky_relu(convolution(x), 0.2)
        # flattened first, so that it lies in memory as its gradient will: otherwise leaky_relu is many times slower
        return F.leaky_relu(last(x).flatten(1), 0.2)


class FeatureCritic(Critic):
    """Three linear layers on the features of an encoder, which is fixed."""

    def __init__(self, config: CriticConfig, channels: int, resolution: int) -> None:
        super().__init__()
        self.encoder = Encoder(channels, resolution).requires_grad_(False).eval()
        sizes = ((FEATURES, 256), (256, 256), (256, 1))
        layers = [layer for size in sizes for layer in (nn.LeakyReLU(0.2), nn.Linear(*size))]
        self.layers = nn.Sequential(*layers[1:])

    def train(self, mode: bool = True) -> Self:
        """As ``nn.Module.train``; the encoder stays as it is in evaluation."""
        super().train(mode)
        self.encoder.eval()
        return self

    def embed(self, pictures: Tensor) -> Tensor:
        """Features ``float32[N, F]``, through which no gradient flows."""
        with torch.no_grad():
            features: Tensor = self.encoder(pictures)
        return features

    def head(self, embedded: Tensor) -> Tensor:
        """As ``Critic.head``."""
        score: Tensor = self.layers(embedded)
        return score.squeeze(-1)


def make_critic(config: CriticConfig, channels: int, resolution: int, conditional: bool = False) -> Critic:
    """The critic of pictures of so many channels and so many pixels a side, with random weights."""
    if config.encoder == "contrastive":
        return FeatureCritic(config, channels, resolution)
    return PixelCritic(config, channels, resolution, conditional)
