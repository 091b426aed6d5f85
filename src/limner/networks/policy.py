"""The policy: what it sees to a distribution over the next action, and the value of where it is.

Notable choices:
- ``small`` learns on two CPU cores: 32×32 input, two strided convolutions, two hidden layers, linear heads.
- ``paper`` is the published network ([P] figure 5, completed from the authors' released agent).
- Time is folded into the batch everywhere but in the LSTM, which alone needs the order of steps.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.actions import PAINT, ActionSpace
from limner.config import PolicyConfig
from limner.networks.blocks import ResidualBlock, mlp, reduced_precision
from limner.networks.decoder import Decoder
from limner.networks.observation import Observation, coordinate_planes

Memory = tuple[Tensor, Tensor]


class Acted(NamedTuple):
    """What acting once returns, for N canvases."""

    actions: Tensor
    """``int64[N, P]``, canonical."""
    log_prob: Tensor
    """``float32[N]``."""
    memory: Memory | None
    """The LSTM's state for the next step, when there is one."""


class Evaluated(NamedTuple):
    """Log-probability, entropy and value, ``float32[T, B]`` each."""

    log_prob: Tensor
    entropy: Tensor
    value: Tensor


class Conditioning(nn.Module):
    """Previous action, pen, step and noise to one vector that is added to every pixel ([P] appendix).

    Each part of the previous action is embedded in 16 numbers; parts that did not count are zeroed.
    """

    def __init__(self, actions: ActionSpace, noise: int, outputs: int) -> None:
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(size, 16) for size in actions.sizes)
        conditional = torch.tensor([part.only_when_painting for part in actions.parts])
        self.conditional: Tensor
        self.register_buffer("conditional", conditional, persistent=False)
        self.flag = actions.index("flag") if "flag" in actions else None
        self.action = mlp([16 * len(actions), 64, 32, outputs])
        self.rest = mlp([3 + noise, 64, outputs])

    def forward(self, observation: Observation) -> Tensor:
        """One vector per observation, ``float32[N, outputs]``."""
        previous = observation.previous
        embedded = torch.stack([embed(previous[:, i]) for i, embed in enumerate(self.embeddings)], dim=1)
        if self.flag is not None:
            hidden = self.conditional & (previous[:, self.flag] != PAINT)[:, None]
            embedded = embedded.masked_fill(hidden[..., None], 0.0)
        rest = torch.cat([observation.pen, observation.step[:, None], observation.noise], dim=-1)
        vector: Tensor = self.action(embedded.flatten(1)) + self.rest(rest)
        return vector


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

    def forward(self, observation: Observation) -> Tensor:
        """Observations of N canvases to ``float32[N, hidden]``."""
        with torch.autocast(observation.ink.device.type, torch.bfloat16, enabled=self.reduced):
            x = F.relu(self.first(observation.ink) + self.place)
            x = F.relu(self.second(x))
            x = F.relu(self.hidden(x.flatten(1)) + self.conditioning(observation))
            x = F.relu(self.output(x))
        return x.float()


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

    def forward(self, observation: Observation) -> Tensor:
        """Observations of N canvases to ``float32[N, hidden]``."""
        planes = self.planes.expand(len(observation.ink), -1, -1, -1)
        x = self.first(torch.cat([observation.ink, planes], dim=1))
        x = F.relu(x + self.conditioning(observation)[:, :, None, None])
        for convolution in self.down:
            x = F.relu(convolution(x))
        x = F.relu(self.blocks(x))
        return F.relu(self.output(x.flatten(1)))


class Policy(nn.Module):
    """Observation → torso → (LSTM) → autoregressive decoder and value."""

    def __init__(self, actions: ActionSpace, config: PolicyConfig, channels: int, resolution: int) -> None:
        super().__init__()
        torso = PaperTorso if config.network == "paper" else SmallTorso
        self.torso = torso(actions, config, channels, resolution)
        self.lstm = nn.LSTM(config.hidden, config.hidden) if config.lstm else None
        self.decoder = Decoder(actions, config.hidden, spatial=config.spatial_heads)
        self.value = nn.Linear(config.hidden, 1)

    def act(
        self,
        observation: Observation,
        memory: Memory | None,
        generator: torch.Generator,
        temperature: float = 1.0,
    ) -> Acted:
        """Draw one action for each of N canvases; ``memory`` is what the previous call returned, None at first."""
        core = self.torso(observation)
        if self.lstm is not None:
            output, memory = self.lstm(core[None], memory)
            core = output[0]
        decoded = self.decoder.sample(core, generator, temperature)
        return Acted(decoded.actions, decoded.log_prob, memory)

    def evaluate(self, observation: Observation, actions: Tensor) -> Evaluated:
        """Whole episodes: observation ``[T, B, …]`` and canonical ``actions`` int64[T, B, P]."""
        steps, batch = actions.shape[:2]
        core = self.torso(Observation(*(x.flatten(0, 1) for x in observation)))
        if self.lstm is not None:
            core = self.lstm(core.view(steps, batch, -1))[0].flatten(0, 1)
        decoded = self.decoder.evaluate(core, actions.flatten(0, 1))
        value = self.value(core).squeeze(-1)
        return Evaluated(*(x.view(steps, batch) for x in (decoded.log_prob, decoded.entropy, value)))
