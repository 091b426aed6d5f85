"""Observations: what a policy, or another proposer of actions, is given before each action."""

from typing import NamedTuple, Self

import torch
from torch import Tensor


class Observation(NamedTuple):
    """The input of a policy. ``…`` is ``[B]`` when acting and ``[T, B]`` when learning."""

    canvas: Tensor
    """``float32[…, C, R, R]``: the picture so far, as ``preprocess`` gives it."""
    target: Tensor
    """``float32[…, C, R, R]``: the picture to paint, likewise; without channels for an unconditional agent."""
    pen: Tensor
    """``float32[…, 2]``: (x, y) in [0, 1], where the next curve starts."""
    step: Tensor
    """``float32[…]``: number of actions taken, as a fraction of the episode, in [0, 1)."""
    previous: Tensor
    """``int64[…, P]``: the previous action in canonical form; all zeros (a jump) at the start."""
    noise: Tensor
    """``float32[…, Z]``: N(0, 1), fixed for an episode."""


class Targets(NamedTuple):
    """Targets of B episodes."""

    goal: Tensor
    """``uint8[B, H, W, C]``, as large as the canvas."""
    target: Tensor
    """``float32[B, C, R, R]``: the same as ``preprocess`` gives it."""
    noise: Tensor
    """``float32[B, Z]``: of the episodes."""

    def take(self, rows: Tensor) -> Self:
        """Those of the episodes ``rows`` int64[M]."""
        return type(self)(*(tensor[rows] for tensor in self))


def whole_episodes(canvas: Tensor, target: Tensor, pen: Tensor, actions: Tensor, noise: Tensor) -> Observation:
    """The observations ``[T, B, …]`` before each of T ``actions`` int64[T, B, P] of B episodes.

    ``canvas`` and ``pen`` are ``[T, B, …]``, ``target`` and ``noise`` ``[B, …]``.
    """
    steps, batch = actions.shape[:2]
    return Observation(
        canvas=canvas,
        target=target.expand(steps, *target.shape),
        pen=pen,
        step=(torch.arange(steps, device=actions.device) / steps)[:, None].expand(steps, batch),
        previous=torch.cat([torch.zeros_like(actions[:1]), actions[:-1]]),
        noise=noise.expand(steps, *noise.shape),
    )


def preprocess(canvas: Tensor, resolution: int) -> Tensor:
    """``uint8[N, H, W, C]`` to ``float32[N, C, resolution, resolution]`` in [0, 1], inverted and area-averaged.

    A value is ``1 − byte / 255``: white is 0, like the padding of a convolution. Height and width must be the same
    multiple of ``resolution``.
    """
    count, height, width, channels = canvas.shape
    factor = height // resolution
    assert height == width == factor * resolution, f"{height}×{width} is no multiple of {resolution}"
    # Two sums of whole numbers over adjacent elements: several times faster on a CPU than avg_pool2d.
    light = canvas.view(count * resolution, factor, width * channels).sum(1, dtype=torch.int32)
    light = light.view(count, resolution, resolution, factor, channels).sum(3, dtype=torch.int32)
    # By a tensor: a GPU divides by a number through its reciprocal, and white would not be exactly 0.
    white = torch.full((), 255 * factor**2, dtype=torch.float32, device=canvas.device)
    return 1 - light.permute(0, 3, 1, 2).float() / white
