"""The critic (discriminator): a picture to a score, high for real ones.

Notable choices:
- DCGAN-like strided convolutions (Radford et al. 2016), no batch statistics: the gradient penalty needs a score
  that depends on one picture only (Gulrajani et al. 2017, section 4).
- For a CPU, ``fold`` moves blocks of pixels into channels first: the large, thin convolutions at full resolution are
  what takes a CPU longest (measured: docs/experiments.md, "cheaper networks").
- A joint critic (Donahue et al. 2017, "BiGAN"; Dumoulin et al. 2017, "ALI") reads the program by convolutions along
  it, since a stroke starts where the last one ended, and joins both in a hidden layer: whether a picture and a program
  belong together is no sum of two scores.
- Spectral normalisation (Miyato et al. 2018) is the alternative to the gradient penalty.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from limner.actions import ActionSpace
from limner.models.blocks import reduced_precision
from limner.models.description import description_shape, separate
from limner.training.config import Config, CriticConfig
from limner.worlds.world import Renderer

READING = 32
"""Channels of the convolutions along a program."""
JOINED = 128
"""Width of the layer where picture and program meet."""


class Critic(nn.Module):
    """Strided 4×4 convolutions down to 4×4 pixels, the width doubling, then one linear unit.

    With ``fold`` f above 1 the first is a 3×3 convolution, not strided, of f×f blocks of pixels. With targets, pictures
    have these as further channels, or are complemented by them (see ``complement``).
    """

    def __init__(
        self,
        config: CriticConfig,
        channels: int,
        resolution: int,
        conditional: bool = False,
        programs: tuple[ActionSpace, int] | None = None,
    ) -> None:
        """A joint critic is given ``programs``: their action space, and the number of their actions."""
        super().__init__()
        self.complement = config.target == "complement"
        channels *= 2 if conditional and not self.complement else 1
        self.reduced = reduced_precision(config.precision)
        self.fold = config.fold
        constrain = spectral_norm if config.loss == "logistic" else lambda layer: layer
        self.convolutions = nn.ModuleList()
        width, side, pictured = config.width, resolution, channels
        if self.fold > 1:
            side //= self.fold
            self.convolutions.append(constrain(nn.Conv2d(channels * self.fold**2, width, 3, padding=1)))
            channels, width = width, min(2 * width, 512)
        while side > 4:
            self.convolutions.append(constrain(nn.Conv2d(channels, width, 4, 2, 1)))
            channels, width, side = width, min(2 * width, 512), side // 2
        features = channels * side * side
        self.space = None if programs is None else programs[0]
        if programs is not None:
            self.picture, self.description = (pictured, resolution, resolution), description_shape(*programs)
            steps, numbers = self.description
            self.reading = nn.ModuleList(
                constrain(nn.Conv1d(inputs, READING, 3, padding=1)) for inputs in (numbers, READING)
            )
            self.joining = constrain(nn.Linear(features + steps * READING, JOINED))
            features = JOINED
        self.output = constrain(nn.Linear(features, 1))
        self.offset: Tensor
        self.register_buffer("offset", torch.zeros(()))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, ink: Tensor) -> Tensor:
        """Raw scores ``float32[N]`` of ``ink`` float32[N, C, R, R] in [0, 1]; of pairs float32[N, D] if it is joint."""
        program = None
        if self.space is not None:
            pixels, program = separate(ink, self.description)
            ink, program = pixels.reshape(-1, *self.picture), program.transpose(1, 2)
        with torch.autocast(ink.device.type, torch.bfloat16, enabled=self.reduced):
            x = F.pixel_unshuffle(ink, self.fold).contiguous(memory_format=torch.channels_last)
            for convolution in self.convolutions:
                x = F.leaky_relu(convolution(x), 0.2)
            if program is not None:
                for convolution in self.reading:
                    program = F.leaky_relu(convolution(program), 0.2)
                x = F.leaky_relu(self.joining(torch.cat([x.flatten(1), program.flatten(1)], dim=1)), 0.2)
        score: Tensor = self.output(x.flatten(1).float())  # in bfloat16 a score of 4 would move in steps of 1/32
        return score.squeeze(-1)

    def score(self, ink: Tensor) -> Tensor:
        """Centred scores ``float32[N]`` of what ``forward`` takes."""
        score: Tensor = self(ink) - self.offset
        return score

    def centre(self, scores: Tensor) -> None:
        """Move the free offset towards the mean of ``scores`` of real and painted pictures, half and half."""
        self.offset.lerp_(scores.mean(), 0.1)


def make_critic(config: Config, renderer: Renderer) -> Critic:
    """A new critic for the run that ``config`` describes, of canvases like those of ``renderer``."""
    programs = (renderer.actions, config.steps) if config.critic.programs else None
    return Critic(config.critic, renderer.shape[2], config.resolution, config.conditional, programs)


def complement(pictures: Tensor, sides: Tensor) -> Tensor:
    """Pictures of which one half is the target's, ``float32[N, C, R, R]`` (Mellor et al. 2019, "complement").

    Given are pictures with their targets as further channels, ``float32[N, 2C, R, R]``, and which half is replaced, by
    ``sides`` int64[N]: 0 left, 1 right, 2 top, 3 bottom. What is real and what is painted then differ in the other half
    only, which must go with the first: the critic judges likeness without the pixels to compare.
    """
    picture, target = pictures.chunk(2, dim=1)
    half = torch.arange(picture.shape[-1], device=pictures.device) * 2 < picture.shape[-1]
    first = torch.where((sides < 2)[:, None, None], half[None, None, :], half[None, :, None])
    given = first ^ (sides % 2 == 1)[:, None, None]
    return torch.where(given[:, None], target, picture)
