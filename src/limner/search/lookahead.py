"""Search: the renderer is cheap next to the network, so try many actions on copies of the canvas and keep the best.

Notable choices:
- Canvases are copied with all hidden state, so a tried action paints what it would have painted.
- A search works on a *renderer*, the canvases in question, and a *simulator*, a renderer of the same settings with
  ``tries`` canvases for each of them.
- First the policy proposes, then the best proposal is varied: small changes of single parts find what a coarse guess
  missed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from limner.actions import COLOURS, ActionSpace
from limner.agents.rollout import EpisodeBatch, look, observe, squared_distance
from limner.malloc import keep_freed_memory
from limner.models.policy import Acted, Memory
from limner.worlds.observation import Observation
from limner.worlds.paint.layers import Layer
from limner.worlds.world import Renderer, State, make_renderer


class Proposer(Protocol):
    """What proposes actions: a policy, or chance."""

    def act(
        self,
        observation: Observation,
        memory: Memory | None,
        generator: torch.Generator,
        *,
        count: int,
        verb: int | None = None,
    ) -> Acted:
        """As ``Policy.act``, at temperature 1."""
        ...


Score = Callable[[Tensor, Tensor], Tensor]
"""How good canvases ``uint8[N, H, W, C]`` are for goals ``uint8[N, H, W, C]``: ``float32[N]``, higher is better."""


def likeness(canvases: Tensor, goals: Tensor) -> Tensor:
    """Minus the mean squared difference."""
    return -squared_distance(canvases, goals)


class Simulator:
    """Tries actions on copies of canvases."""

    def __init__(self, renderer: Renderer, tries: int, threads: int, score: Score = likeness) -> None:
        keep_freed_memory()
        self.renderer = make_renderer(renderer.settings(), renderer.batch * tries, threads)
        self.tries, self.score = tries, score
        self.copies = np.repeat(np.arange(renderer.batch), tries)

    def best(
        self, state: State, goals: Tensor, actions: Tensor, later: Sequence[Tensor] = (), above: Layer | None = None
    ) -> tuple[Tensor, Tensor]:
        """The best of ``actions`` int64[N, tries, P] on each saved canvas, ``int64[N, P]``, and its score [N].

        ``later`` and ``above`` as for ``scores``.
        """
        top = self.scores(state, goals, actions, later, above).max(dim=1)
        return actions[torch.arange(len(actions)), top.indices], top.values

    def scores(
        self, state: State, goals: Tensor, actions: Tensor, later: Sequence[Tensor] = (), above: Layer | None = None
    ) -> Tensor:
        """Scores ``float32[N, tries]`` of the pictures after each of ``actions`` int64[N, tries, P].

        That is after the actions ``later`` int64[N, P] as well, which are the same for all tries, and under the layers
        ``above``.
        """
        self.renderer.restore(state.take(self.copies))
        self.renderer.step(actions.flatten(0, 1).numpy())
        for action in later:
            self.renderer.step(action.repeat_interleave(self.tries, dim=0).numpy())
        canvases = torch.from_numpy(self.renderer.canvas())
        if above is not None:
            canvases = above.over(canvases.view(*actions.shape[:2], *canvases.shape[1:])).flatten(0, 1)
        return self.score(canvases, goals[self.copies]).view(actions.shape[:2])


@torch.no_grad()
def try_all(
    simulator: Simulator, state: State, goals: Tensor, proposals: Tensor, space: ActionSpace, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """``proposals`` int64[N, tries, P] and as many variations of the best of them, with their scores [N, 2 · tries]."""
    scores = simulator.scores(state, goals, proposals)
    best = proposals[torch.arange(len(proposals)), scores.argmax(dim=1)]
    varied = vary(space, best.repeat_interleave(simulator.tries, dim=0), generator).view_as(proposals)
    return torch.cat([proposals, varied], 1), torch.cat([scores, simulator.scores(state, goals, varied)], 1)


def improve(
    simulator: Simulator, state: State, goals: Tensor, proposals: Tensor, space: ActionSpace, generator: torch.Generator
) -> Tensor:
    """The best action ``int64[N, P]`` of those: see ``try_all``."""
    actions, scores = try_all(simulator, state, goals, proposals, space, generator)
    return actions[torch.arange(len(actions)), scores.argmax(dim=1)]


@torch.no_grad()
def greedy_lookahead(
    renderer: Renderer, simulator: Simulator, proposer: Proposer, batch: EpisodeBatch, generator: torch.Generator
) -> None:
    """Paint episodes on the canvases of ``renderer`` towards ``batch.goal``, doing the best found at every step.

    Fills ``batch``, but for the log-probabilities.
    """
    renderer.reset()
    batch.noise.normal_(generator=generator)
    memory = None
    for t in range(batch.steps):
        look(renderer, batch, t)
        acted = proposer.act(observe(batch, t), memory, generator, count=simulator.tries)
        memory = acted.memory
        proposals = acted.actions.view(renderer.batch, simulator.tries, -1)
        batch.actions[t] = improve(simulator, renderer.save(), batch.goal, proposals, renderer.actions, generator)
        renderer.step(batch.actions[t].numpy())
    look(renderer, batch, batch.steps)


def recolour(space: ActionSpace, actions: Tensor, colour: Tensor) -> Tensor:
    """Canonical actions ``int64[N, P]``, painting in ``colour`` float32[N, 3], 0 … 1, or the nearest that there is."""
    changed = actions.clone()
    for channel, name in enumerate(COLOURS):
        part = space.index(name)
        changed[:, part] = (colour[:, channel] * (space.sizes[part] - 1)).round().long()
    return torch.from_numpy(space.canonical(changed.numpy()))


def vary(space: ActionSpace, actions: Tensor, generator: torch.Generator) -> Tensor:
    """Canonical actions ``int64[N, P]`` with some parts changed: places by a few cells, values by one step."""
    changed = actions.clone()
    count = len(actions)

    def chance(share: float) -> Tensor:
        return torch.rand(count, generator=generator) < share

    for i, part in enumerate(space.parts):
        value = actions[:, i]
        if part.grid is not None:
            rows, columns = part.grid
            reach = torch.where(chance(0.5), 0.7, 2.0)
            shift = torch.randn(2, count, generator=generator).mul(reach).round().long()
            row = (value // columns + shift[0]).clamp(0, rows - 1)
            column = (value % columns + shift[1]).clamp(0, columns - 1)
            changed[:, i] = torch.where(chance(0.5), row * columns + column, value)
        elif i == space.verb:
            continue
        elif part.values is None:
            changed[:, i] = torch.where(chance(0.25), torch.randint(part.size, (count,), generator=generator), value)
        else:
            step = torch.where(chance(0.5), 1, -1)
            changed[:, i] = torch.where(chance(0.25), (value + step).clamp(0, part.size - 1), value)
    return torch.from_numpy(space.canonical(changed.numpy()))
