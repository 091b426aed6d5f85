"""Acting: renderer ↔ policy, filling a batch of episodes.

Notable choices:
- All episodes have the same length, so a batch is arrays ``[T, B, …]``, time first, allocated once and refilled.
- Policy and critic are shown the canvas at their own resolution (rendering may be finer); it is reduced once, here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from limner.agents.config import AgentConfig
from limner.models.policy import Policy
from limner.worlds.observation import Observation, Targets, preprocess, whole_episodes
from limner.worlds.proposals import Memory
from limner.worlds.simulator import squared_distance
from limner.worlds.world import Renderer


@dataclass
class EpisodeBatch:
    """T actions of B episodes, and what the T + 1 canvases around them look like."""

    observed: Tensor
    """``float32[T + 1, B, C, R, R]``: the preprocessed canvas before each action, and after the last."""
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
    goal: Tensor
    """``uint8[B, H, W, C]``: the pictures to paint, as large as the canvas; none, ``uint8[0, H, W, C]``, without."""
    target: Tensor
    """``float32[B, C, R, R]``: the same preprocessed; no channels, ``[B, 0, R, R]``, without."""
    distance: Tensor
    """``float32[T + 1, B]``: mean squared difference of canvas and goal, values in [0, 1]; zeros without."""

    @classmethod
    def empty(cls, config: AgentConfig, renderer: Renderer, device: str = "cpu") -> EpisodeBatch:
        """Arrays for episodes as ``config`` has them, one on each canvas of ``renderer``.

        All are on ``device`` but ``canvas``, which the renderer fills: for a GPU it lies in pinned memory.
        """
        n, channels, steps = renderer.batch, renderer.shape[2], config.horizon
        resolution, targets = config.resolution, channels if config.conditional else 0
        return cls(
            observed=torch.zeros(steps + 1, n, channels, resolution, resolution, device=device),
            canvas=torch.zeros(n, *renderer.shape, dtype=torch.uint8, pin_memory=device.startswith("cuda")),
            pen=torch.zeros(steps, n, 2, device=device),
            actions=torch.zeros(steps, n, len(renderer.actions), dtype=torch.int64, device=device),
            log_prob=torch.zeros(steps, n, device=device),
            noise=torch.zeros(n, config.policy.noise, device=device),
            goal=torch.zeros(n if config.conditional else 0, *renderer.shape, dtype=torch.uint8, device=device),
            target=torch.zeros(n, targets, resolution, resolution, device=device),
            distance=torch.zeros(steps + 1, n, device=device),
        )

    def aim(self, goal: Tensor) -> None:
        """Set the pictures to paint, ``uint8[B, H, W, C]``."""
        self.goal.copy_(goal)
        self.target.copy_(preprocess(self.goal, self.target.shape[-1]))

    @property
    def steps(self) -> int:
        """Number of actions T."""
        return self.actions.shape[0]

    @property
    def targets(self) -> Targets:
        """What the episodes are to paint."""
        return Targets(self.goal, self.target, self.noise)

    @property
    def final(self) -> Tensor:
        """The finished pictures, preprocessed, with the targets as further channels: ``float32[B, C or 2C, R, R]``."""
        return torch.cat([self.observed[-1], self.target], dim=1)

    def observations(self, episodes: Tensor | None = None) -> Observation:
        """What the policy was given, ``[T, B, …]``, in all episodes or in ``episodes`` int64[B]."""
        rows = slice(None) if episodes is None else episodes
        observed, pen, actions = self.observed[:-1, rows], self.pen[:, rows], self.actions[:, rows]
        return whole_episodes(observed, self.target[rows], pen, actions, self.noise[rows])


@torch.no_grad()
def collect(
    renderer: Renderer,
    policy: Policy,
    batch: EpisodeBatch,
    generator: torch.Generator,
    temperature: float = 1.0,
    first_action_temperature: float | None = None,
    perturb: Callable[[Tensor], Tensor] | None = None,
) -> EpisodeBatch:
    """Let ``policy`` paint one episode on every canvas of ``renderer``; fills ``batch`` and returns it.

    ``batch.aim`` has set the targets before, if there are any. What is executed is ``perturb`` of what the policy
    samples, both canonical ``int64[B, P]``; the log-probabilities are those of what it samples.
    """
    renderer.reset()
    batch.noise.normal_(generator=generator)
    memory: Memory = None
    for t in range(batch.steps):
        observe_canvas(renderer, batch, t)
        now = temperature if t or first_action_temperature is None else first_action_temperature
        acted = policy.act(observation(batch, t), memory, generator, now)
        done = acted.actions if perturb is None else perturb(acted.actions)
        renderer.step(done.cpu().numpy())
        batch.actions[t], batch.log_prob[t] = done, acted.log_prob
        memory = acted.memory
    observe_canvas(renderer, batch, batch.steps)
    return batch


def replay(renderer: Renderer, batch: EpisodeBatch, actions: Tensor) -> None:
    """Execute given canonical ``actions`` int64[T, B, P] on the canvases of ``renderer``; fills ``batch``."""
    renderer.reset()
    for t in range(batch.steps):
        observe_canvas(renderer, batch, t)
        renderer.step(actions[t].numpy())
        batch.actions[t] = actions[t]
    observe_canvas(renderer, batch, batch.steps)


def observe_canvas(renderer: Renderer, batch: EpisodeBatch, t: int) -> None:
    """Store canvas and pen after ``t`` actions in ``batch``."""
    renderer.canvas(batch.canvas.numpy())
    canvas = batch.canvas.to(batch.observed.device)  # as bytes; waits, because the renderer writes there next
    batch.observed[t] = preprocess(canvas, batch.observed.shape[-1])
    if len(batch.goal):
        batch.distance[t] = squared_distance(canvas, batch.goal)
    if t < batch.steps:
        batch.pen[t] = torch.from_numpy(renderer.pen())


def observation(batch: EpisodeBatch, t: int) -> Observation:
    """What the policy is given before action ``t``, ``[B, …]``."""
    return Observation(
        canvas=batch.observed[t],
        target=batch.target,
        pen=batch.pen[t],
        step=batch.pen.new_full((batch.pen.shape[1],), t / batch.steps),
        previous=batch.actions[t - 1] if t else torch.zeros_like(batch.actions[0]),
        noise=batch.noise,
    )
