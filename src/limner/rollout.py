"""Acting: renderer ↔ policy, filling a batch of episodes.

Notable choices:
- All episodes have the same length, so a batch is arrays ``[T, B, …]``, time first, allocated once and refilled.
- Policy and critic see the canvas at a resolution of their own (rendering may be finer); it is reduced once, here.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from limner.networks.observation import Observation, see
from limner.networks.policy import Memory, Policy
from limner.renderers import Renderer


@dataclass
class EpisodeBatch:
    """T actions of B episodes, and what the T + 1 canvases around them look like."""

    ink: Tensor
    """``float32[T + 1, B, C, R, R]``: the canvas as seen before each action, and after the last."""
    canvas: Tensor
    """``uint8[B, H, W, C]``: the canvas itself, at the end the finished pictures."""
    pen: Tensor
    """``float32[T, B, 2]``."""
    actions: Tensor
    """``int64[T, B, P]``, canonical."""
    log_prob: Tensor
    """``float32[T, B]``: of the policy that acted."""
    noise: Tensor
    """``float32[B, Z]``."""

    @classmethod
    def empty(cls, renderer: Renderer, steps: int, resolution: int, noise: int, device: str = "cpu") -> EpisodeBatch:
        """Arrays for ``steps`` actions on the renderer's canvases, seen at ``resolution`` pixels a side.

        All are on ``device`` but the canvas, which the renderer paints.
        """
        n, channels = renderer.batch, renderer.shape[2]
        return cls(
            ink=torch.zeros(steps + 1, n, channels, resolution, resolution, device=device),
            canvas=torch.zeros(n, *renderer.shape, dtype=torch.uint8),
            pen=torch.zeros(steps, n, 2, device=device),
            actions=torch.zeros(steps, n, len(renderer.actions), dtype=torch.int64, device=device),
            log_prob=torch.zeros(steps, n, device=device),
            noise=torch.zeros(n, noise, device=device),
        )

    @property
    def steps(self) -> int:
        """Number of actions T."""
        return self.actions.shape[0]

    @property
    def final(self) -> Tensor:
        """The finished pictures as seen, ``float32[B, C, R, R]``."""
        return self.ink[-1]

    def observations(self, episodes: Tensor | None = None) -> Observation:
        """What the policy saw, ``[T, B, …]``, of all episodes or of ``episodes`` int64[B]."""
        rows = slice(None) if episodes is None else episodes
        actions = self.actions[:, rows]
        noise = self.noise[rows]
        steps, batch = actions.shape[:2]
        return Observation(
            ink=self.ink[:-1, rows],
            pen=self.pen[:, rows],
            step=(torch.arange(steps, device=actions.device) / steps)[:, None].expand(steps, batch),
            previous=torch.cat([torch.zeros_like(actions[:1]), actions[:-1]]),
            noise=noise.expand(steps, *noise.shape),
        )


@torch.no_grad()
def collect(
    renderer: Renderer,
    policy: Policy,
    batch: EpisodeBatch,
    generator: torch.Generator,
    temperature: float = 1.0,
) -> EpisodeBatch:
    """Let ``policy`` paint one episode on every canvas of ``renderer``; fills ``batch`` and returns it."""
    resolution = batch.ink.shape[-1]
    renderer.reset()
    batch.noise.normal_(generator=generator)
    previous = torch.zeros_like(batch.actions[0])
    memory: Memory | None = None
    for t in range(batch.steps):
        renderer.canvas(batch.canvas.numpy())
        batch.ink[t] = see(batch.canvas, resolution)
        batch.pen[t] = torch.from_numpy(renderer.pen())
        step = batch.pen.new_full((renderer.batch,), t / batch.steps)
        seen = Observation(batch.ink[t], batch.pen[t], step, previous, batch.noise)
        acted = policy.act(seen, memory, generator, temperature)
        renderer.step(acted.actions.cpu().numpy())
        batch.actions[t], batch.log_prob[t] = acted.actions, acted.log_prob
        previous, memory = acted.actions, acted.memory
    renderer.canvas(batch.canvas.numpy())
    batch.ink[-1] = see(batch.canvas, resolution)
    return batch
