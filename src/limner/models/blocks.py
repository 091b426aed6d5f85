"""Building blocks shared by the networks. [P] is Ganin et al. 2018."""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.actions import ActionSpace
from limner.worlds.observation import Observation


class ResidualBlock(nn.Module):
    """``x + conv(relu(conv(relu(x))))``, 3×3, the width unchanged ([P] appendix: 32 channels)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """``float32[N, channels, H, W]`` to the same."""
        change: Tensor = self.second(F.relu(self.first(F.relu(x))))
        return x + change


class Conditioning(nn.Module):
    """Previous action, pen, step and noise to one vector that is added to every pixel ([P] appendix).

    Each part of the previous action is embedded in 16 numbers; parts that did not count are zeroed.
    """

    mask_table: Tensor

    def __init__(self, actions: ActionSpace, noise: int, outputs: int) -> None:
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(size, 16) for size in actions.sizes)
        self.verb = actions.verb
        self.register_buffer("mask_table", torch.from_numpy(actions.mask_table), persistent=False)
        self.action = mlp([16 * len(actions), 64, 32, outputs])
        self.rest = mlp([3 + noise, 64, outputs])

    def forward(self, observation: Observation) -> Tensor:
        """One vector per observation, ``float32[N, outputs]``."""
        previous = observation.previous
        embedded = torch.stack([embed(previous[:, i]) for i, embed in enumerate(self.embeddings)], dim=1)
        if self.verb is not None:
            counts = self.mask_table[previous[:, self.verb]]
            embedded = embedded.masked_fill(~counts[..., None], 0.0)
        rest = torch.cat([observation.pen, observation.step[:, None], observation.noise], dim=-1)
        vector: Tensor = self.action(embedded.flatten(1)) + self.rest(rest)
        return vector


def mlp(sizes: Sequence[int]) -> nn.Sequential:
    """Linear layers of the given sizes with ReLU between them, none after the last."""
    layers = [layer for inputs, outputs in pairwise(sizes) for layer in (nn.ReLU(), nn.Linear(inputs, outputs))]
    return nn.Sequential(*layers[1:])


def reduced_precision(precision: str, device: str = "cpu") -> bool:
    """Whether ``precision`` means bfloat16 on a ``device``, "cpu" or "cuda".

    It does if it is "bfloat16", or "native" where the device multiplies bfloat16 in hardware. Without the hardware
    PyTorch emulates it, several times slower than float32.
    """
    return precision == "bfloat16" or (precision == "native" and _multiplies_bfloat16(device))


@cache
def _multiplies_bfloat16(device: str) -> bool:
    if device == "cuda":
        return torch.cuda.get_device_capability() >= (8, 0)
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return any(capabilities.get(name) for name in ("amx_bf16", "avx512_bf16", "bf16"))


def coordinate_planes(size: int) -> Tensor:
    """``float32[2, size, size]``: x and y of every pixel centre, in [−1, 1]."""
    axis = (torch.arange(size) + 0.5) / size * 2 - 1
    return torch.stack(torch.meshgrid(axis, axis, indexing="xy"))
