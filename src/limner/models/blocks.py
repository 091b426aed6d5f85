"""Building blocks shared by the networks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn


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


def mlp(sizes: Sequence[int]) -> nn.Sequential:
    """Linear layers of the given sizes with ReLU between them, none after the last."""
    layers: list[nn.Module] = []
    for i, (inputs, outputs) in enumerate(pairwise(sizes)):
        layers += [nn.ReLU()] if i else []
        layers.append(nn.Linear(inputs, outputs))
    return nn.Sequential(*layers)


def reduced_precision(precision: str) -> bool:
    """Whether ``precision`` means bfloat16 here: "bfloat16", or "native" on a CPU that multiplies it in hardware.

    Without the hardware PyTorch emulates it, several times slower than float32.
    """
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    native = any(capabilities.get(name) for name in ("amx_bf16", "avx512_bf16", "bf16"))
    return precision == "bfloat16" or (precision == "native" and native)


def coordinate_planes(size: int) -> Tensor:
    """``float32[2, size, size]``: x and y of every pixel centre, in [−1, 1]."""
    axis = (torch.arange(size) + 0.5) / size * 2 - 1
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    return torch.stack([x, y])
