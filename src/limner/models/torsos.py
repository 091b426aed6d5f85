"""Torsos: what the policy sees to one vector.

- ``small`` learns on two CPU cores: 32×32 input, two strided convolutions, two hidden layers.
- ``paper`` is the published network ([P] figure 5, completed from the authors' released agent).
- ``pointer``, in a file of its own, leaves a map of places beside the vector.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.actions import ActionSpace
from limner.models.blocks import ResidualBlock, reduced_precision
from limner.models.conditioning import Conditioning
from limner.training.config import PolicyConfig
from limner.worlds.observation import Observation, coordinate_planes


class SmallTorso(nn.Module):
    """Two convolutions, by 4 and by 2, and two hidden layers: few large steps are what a CPU is quick at.

    A number per channel and place takes the part of the coordinate planes.
    """

    def __init__(self, actions: ActionSpace, config: PolicyConfig, channels: int, resolution: int) -> None:
        super().__init__()
        width, side = config.channels, resolution // 8
        self.reduced = reduced_precision(config.precision)
        self.first = nn.Conv2d(channels, width, 6, 4, 1)
        self.place = nn.Parameter(torch.zeros(width, 2 * side, 2 * side))
        self.second = nn.Conv2d(width, 2 * width, 4, 2, 1)
        self.conditioning = Conditioning(actions, config.noise, config.hidden)
        self.hidden = nn.Linear(2 * width * side * side, config.hidden)
        self.output = nn.Linear(config.hidden, config.hidden)

    def forward(self, observation: Observation) -> tuple[Tensor, None]:
        """Observations of N canvases to ``float32[N, hidden]``, and no map."""
        with torch.autocast(observation.ink.device.type, torch.bfloat16, enabled=self.reduced):
            x = F.relu(self.first(observation.ink) + self.place)
            x = F.relu(self.second(x))
            x = F.relu(self.hidden(x.flatten(1)) + self.conditioning(observation))
            x = F.relu(self.output(x))
        return x.float(), None


class PaperTorso(nn.Module):
    """5×5/32, conditioning, three 4×4 stride 2/32, eight residual blocks, FC 256 ([P] figure 5a)."""

    def __init__(self, actions: ActionSpace, config: PolicyConfig, channels: int, resolution: int) -> None:
        super().__init__()
        side = resolution // 8
        self.planes: Tensor
        self.register_buffer("planes", coordinate_planes(resolution), persistent=False)
        self.first = nn.Conv2d(channels + 2, 32, 5, padding=2)
        self.conditioning = Conditioning(actions, config.noise, 32)
        self.down = nn.ModuleList(nn.Conv2d(32, 32, 4, 2, 1) for _ in range(3))
        self.blocks = nn.Sequential(*(ResidualBlock(32) for _ in range(8)))
        self.output = nn.Linear(32 * side * side, config.hidden)

    def forward(self, observation: Observation) -> tuple[Tensor, None]:
        """Observations of N canvases to ``float32[N, hidden]``, and no map."""
        planes = self.planes.expand(len(observation.ink), -1, -1, -1)
        x = self.first(torch.cat([observation.ink, planes], dim=1))
        x = F.relu(x + self.conditioning(observation)[:, :, None, None])
        for convolution in self.down:
            x = F.relu(convolution(x))
        x = F.relu(self.blocks(x))
        return F.relu(self.output(x.flatten(1))), None
