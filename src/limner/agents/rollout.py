"""Acting: renderer ↔ policy, filling a batch of episodes.

Notable choices:
- All episodes have the same length, so a batch is arrays ``[T, B, …]``, time first, allocated once and refilled.
- Policy and critic are shown the canvas at their own resolution (rendering may be finer); it is reduced once, here.
- A batch may have several candidates for each action. One is executed; what the finished picture would be with another
  in its place, the rest of the program unchanged, is painted on copies of the canvases.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from limner.agents.config import AgentConfig
from limner.models.policy import Policy
from limner.worlds.observation import Observation, Targets, preprocess, whole_episodes
from limner.worlds.proposals import Memory
from limner.worlds.simulator import squared_distance
from limner.worlds.world import Renderer, State


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
    others: Tensor
    """``int64[T, B, K − 1, P]``: with K candidates for each action, those that were not executed."""
    others_log_prob: Tensor
    """``float32[T, B, K − 1]``: of the policy that acted."""
    others_final: Tensor
    """``float32[T, B, K − 1, C, R, R]``: the finished picture with each of them in its place, preprocessed."""
    others_distance: Tensor
    """``float32[T, B, K − 1]``: its distance, as ``distance``."""

    @classmethod
    def empty(cls, config: AgentConfig, renderer: Renderer, device: str = "cpu", candidates: int = 1) -> EpisodeBatch:
        """Arrays for episodes as ``config`` has them, one on each canvas of ``renderer``, with K ``candidates``.

        All are on ``device`` but ``canvas``, which the renderer fills: for a GPU it lies in pinned memory.
        """
        n, channels, steps = renderer.batch, renderer.shape[2], config.horizon
        resolution, targets = config.resolution, channels if config.conditional else 0
        parts, others = len(renderer.actions), (steps, n, candidates - 1)
        return cls(
            observed=torch.zeros(steps + 1, n, channels, resolution, resolution, device=device),
            canvas=torch.zeros(n, *renderer.shape, dtype=torch.uint8, pin_memory=device.startswith("cuda")),
            pen=torch.zeros(steps, n, 2, device=device),
            actions=torch.zeros(steps, n, parts, dtype=torch.int64, device=device),
            log_prob=torch.zeros(steps, n, device=device),
            noise=torch.zeros(n, config.policy.noise, device=device),
            goal=torch.zeros(n if config.conditional else 0, *renderer.shape, dtype=torch.uint8, device=device),
            target=torch.zeros(n, targets, resolution, resolution, device=device),
            distance=torch.zeros(steps + 1, n, device=device),
            others=torch.zeros(*others, parts, dtype=torch.int64, device=device),
            others_log_prob=torch.zeros(others, device=device),
            others_final=torch.zeros(*others, channels, resolution, resolution, device=device),
            others_distance=torch.zeros(others, device=device),
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
    def candidates(self) -> Tensor:
        """All candidates, ``int64[T, B, K, P]``; the first is the one that was executed."""
        return torch.cat([self.actions[:, :, None], self.others], dim=2)

    @property
    def candidates_log_prob(self) -> Tensor:
        """``float32[T, B, K]``: of the policy that acted."""
        return torch.cat([self.log_prob[:, :, None], self.others_log_prob], dim=2)

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
    count = batch.others.shape[2] + 1
    for t in range(batch.steps):
        observe_canvas(renderer, batch, t)
        now = temperature if t or first_action_temperature is None else first_action_temperature
        acted = policy.act(observation(batch, t), memory, generator, now, count)
        actions, log_prob = acted.actions.view(-1, count, acted.actions.shape[-1]), acted.log_prob.view(-1, count)
        batch.others[t], batch.others_log_prob[t] = actions[:, 1:], log_prob[:, 1:]
        done = actions[:, 0] if perturb is None else perturb(actions[:, 0])
        renderer.step(done.cpu().numpy())
        batch.actions[t], batch.log_prob[t] = done, log_prob[:, 0]
        memory = acted.memory
    observe_canvas(renderer, batch, batch.steps)
    return batch


def collect_candidates(
    renderer: Renderer, copies: Renderer | None, policy: Policy, batch: EpisodeBatch, generator: torch.Generator
) -> EpisodeBatch:
    """As ``collect``; then paint what each episode would end with if one action were another of its K candidates.

    ``copies`` has the settings of ``renderer``, and K − 1 canvases for each of its canvases; None where K is 1.
    """
    if copies is None:
        return collect(renderer, policy, batch, generator)
    states: list[State] = []

    def save(actions: Tensor) -> Tensor:
        states.append(renderer.save())
        return actions

    collect(renderer, policy, batch, generator, perturb=save)
    _finish_others(copies, states, batch)
    return batch


def _finish_others(renderer: Renderer, states: Sequence[State], batch: EpisodeBatch) -> None:
    """Paint what each episode would end with if one action were another, from the ``states`` before each action."""
    steps, episodes, count = batch.others.shape[:3]
    rows = np.repeat(np.arange(episodes), count)
    done = batch.actions.cpu().numpy()
    for t in range(steps):
        renderer.restore(states[t].take(rows))
        renderer.step(batch.others[t].flatten(0, 1).cpu().numpy())
        for later in done[t + 1 :]:
            renderer.step(later[rows])
        canvas = torch.from_numpy(renderer.canvas()).to(batch.observed.device)
        batch.others_final[t] = preprocess(canvas, batch.observed.shape[-1]).view_as(batch.others_final[t])
        if len(batch.goal):
            distance = squared_distance(canvas, batch.goal.repeat_interleave(count, dim=0))
            batch.others_distance[t] = distance.view(episodes, count)


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
