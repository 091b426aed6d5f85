"""Torsos without a map: an observation to one vector. ``pointer.PointerTorso`` gives a map of features beside it."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.actions import ActionSpace
from limner.models.blocks import Conditioning, ResidualBlock, coordinate_planes
from limner.models.config import PolicyConfig
from limner.worlds.observation import Observation


class SmallTorso(nn.Module):
    """Two convolutions, of stride 4 and 2, and two hidden layers, for 32×32 pictures and two CPU cores.

    A learned bias per channel and place takes the part of coordinate planes.
    """

    def __init__(self, actions: ActionSpace, config: PolicyConfig, channels: int, resolution: int) -> None:
        super().__init__()
        width, side = config.channels, resolution // 8
        self.first = nn.Conv2d(channels, width, 6, 4, 1)
        self.place = nn.Parameter(torch.zeros(width, 2 * side, 2 * side))
        self.second = nn.Conv2d(width, 2 * width, 4, 2, 1)
        self.conditioning = Conditioning(actions, config.noise, config.hidden)
        self.hidden = nn.Linear(2 * width * side * side, config.hidden)
        self.output = nn.Linear(config.hidden, config.hidden)

    def forward(self, observation: Observation) -> tuple[Tensor, None]:
        """Observations of N canvases to ``[N, hidden]``, and no map."""
        x = F.relu(self.first(observation.canvas) + self.place)
        x = F.relu(self.second(x))
        x = F.relu(self.hidden(x.flatten(1)) + self.conditioning(observation))
        return F.relu(self.output(x)), None


class PaperTorso(nn.Module):
    """The published network ([P] figure 5a, completed from the authors' released agent; 32 channels).

    5×5 convolution, conditioning, three 4×4 convolutions of stride 2, eight residual blocks and a linear layer.
    """

    planes: Tensor

    def __init__(self, actions: ActionSpace, config: PolicyConfig, channels: int, resolution: int) -> None:
        super().__init__()
        side, width = resolution // 8, config.channels
        self.register_buffer("planes", coordinate_planes(resolution), persistent=False)
        self.first = nn.Conv2d(channels + 2, width, 5, padding=2)
        self.conditioning = Conditioning(actions, config.noise, width)
        self.down = nn.ModuleList(nn.Conv2d(width, width, 4, 2, 1) for _ in range(3))
        self.blocks = nn.Sequential(*(ResidualBlock(width) for _ in range(8)))
        self.output = nn.Linear(width * side * side, config.hidden)

    def forward(self, observation: Observation) -> tuple[Tensor, None]:
        """Observations of N canvases to ``[N, hidden]``, and no map."""
        planes = self.planes.expand(len(observation.canvas), -1, -1, -1)
        x = self.first(torch.cat([observation.canvas, planes], dim=1))
        x = F.relu(x + self.conditioning(observation)[:, :, None, None])
        for convolution in self.down:
            x = F.relu(convolution(x))
        x = F.relu(self.blocks(x))
        return F.relu(self.output(x.flatten(1))), None
