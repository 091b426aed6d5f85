"""What a policy sees before each action."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Observation(NamedTuple):
    """Everything the policy is given. ``…`` is ``[B]`` when acting and ``[T, B]`` when learning."""

    ink: Tensor
    """``float32[…, C, R, R]``: the picture so far, as ``see`` gives it."""
    target: Tensor
    """``float32[…, C, R, R]``: the picture to paint, as ``see`` gives it; no channels for an agent without targets."""
    pen: Tensor
    """``float32[…, 2]``: (x, y) in [0, 1], where the next curve starts."""
    step: Tensor
    """``float32[…]``: number of actions taken, as a fraction of the episode, in [0, 1)."""
    previous: Tensor
    """``int64[…, P]``: the previous action in canonical form; all zeros (a jump) at the start."""
    noise: Tensor
    """``float32[…, Z]``: N(0, 1), fixed for an episode."""


def whole_episodes(ink: Tensor, target: Tensor, pen: Tensor, actions: Tensor, noise: Tensor) -> Observation:
    """What is seen in B episodes before each of T ``actions`` int64[T, B, P]: observations ``[T, B, …]``.

    ``ink`` and ``pen`` are ``[T, B, …]``, ``target`` and ``noise`` ``[B, …]``.
    """
    steps, batch = actions.shape[:2]
    return Observation(
        ink=ink,
        target=target.expand(steps, *target.shape),
        pen=pen,
        step=(torch.arange(steps, device=actions.device) / steps)[:, None].expand(steps, batch),
        previous=torch.cat([torch.zeros_like(actions[:1]), actions[:-1]]),
        noise=noise.expand(steps, *noise.shape),
    )


def preprocess(canvas: Tensor, resolution: int) -> Tensor:
    """``uint8[N, H, W, C]`` on white to ink ``float32[N, C, resolution, resolution]`` in [0, 1], area-averaged.

    Ink is ``1 − value / 255``: an empty canvas is all zeros, so what a convolution pads with is paper. Height and
    width must be the same multiple of ``resolution``.
    """
    count, height, width, channels = canvas.shape
    factor = height // resolution
    assert height == width == factor * resolution, f"a canvas of {height}×{width} cannot be seen at {resolution}"
    # Two sums of whole numbers over adjacent elements: several times faster on a CPU than avg_pool2d.
    light = canvas.view(count * resolution, factor, width * channels).sum(1, dtype=torch.int32)
    light = light.view(count, resolution, resolution, factor, channels).sum(3, dtype=torch.int32)
    return 1 - light.permute(0, 3, 1, 2).float() / (255 * factor**2)


def coordinate_planes(size: int) -> Tensor:
    """``float32[2, size, size]``: x and y of every pixel centre, in [−1, 1]."""
    axis = (torch.arange(size) + 0.5) / size * 2 - 1
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    return torch.stack([x, y])
