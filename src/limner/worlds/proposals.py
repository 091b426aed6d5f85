"""Candidates for the next action: from a policy, random, where canvas and target differ, and small changes of them."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Generator, Tensor

from limner.actions import COLOURS, ActionSpace
from limner.worlds.observation import Observation

SPREAD = 0.12
"""Standard deviation of the other places of an action from the first, as a share of the canvas."""

Memory = tuple[Tensor, Tensor] | None
"""The state of an LSTM: hidden and cell, ``float32[1, N, hidden]`` each; None at first, and without an LSTM."""


class Acted(NamedTuple):
    """Proposed actions for N canvases."""

    actions: Tensor
    """``int64[N · count, P]``, canonical."""
    log_prob: Tensor
    """``float32[N · count]``."""
    memory: Memory
    """For the next step."""


class Proposer(Protocol):
    """Proposes actions: a policy at temperature 1, or ``ResidualProposals``."""

    def act(
        self, observation: Observation, memory: Memory, generator: Generator, *, count: int, verb: int | None = None
    ) -> Acted:
        """``count`` actions for each of N canvases, those of one canvas next to each other.

        ``memory`` is what the previous call returned. With a ``verb`` all actions have that verb.
        """


class ResidualProposals:
    """Random actions aimed at the residual, the difference between canvas and target.

    The first place of an action is drawn with a probability that grows with the square of the difference, the others
    near it; offsets are counted from the pen. Colours are the target's there; all other parts are uniform.
    """

    def __init__(self, space: ActionSpace, first_spread: float = 0.0, verbs: int | None = None) -> None:
        """``first_spread`` as ``SPREAD``, of the first place; only the first ``verbs`` verbs are proposed."""
        self.space, self.first_spread, self.verbs = space, first_spread, verbs

    def act(
        self, observation: Observation, memory: Memory, generator: Generator, *, count: int, verb: int | None = None
    ) -> Acted:
        """As ``Proposer.act``; log-probabilities are zeros."""
        actions = self.aim(observation.canvas, observation.target, observation.pen, generator, count, verb)
        return Acted(actions, torch.zeros(len(actions)), memory)

    def aim(
        self, canvas: Tensor, target: Tensor, pen: Tensor, generator: Generator, count: int, verb: int | None = None
    ) -> Tensor:
        """``count`` canonical actions, ``int64[N · count, P]``, for each of N canvases: see ``Observation``."""
        missing = (target - canvas).abs().mean(1)
        batch, side, _ = missing.shape
        where = torch.multinomial(missing.flatten(1).square() + 1e-9, count, replacement=True, generator=generator)
        centre = torch.stack([where // side, where % side]).flatten(1) / side + 0.5 / side
        actions = random_actions(self.space, (batch * count,), generator)
        pen = pen.flip(1).T.repeat_interleave(count, dim=1)
        spread = self.first_spread
        for i, part in enumerate(self.space.parts):
            if part.grid is not None:
                place = centre + spread * torch.randn(centre.shape, generator=generator)
                if part.sights is not None:
                    actions[:, i] = torch.cdist(place.T.contiguous(), torch.tensor(part.sights).flip(1)).argmin(dim=1)
                else:
                    place = place if part.origin == (0, 0) else place - pen + 0.5
                    row, column = ((place[k] * part.grid[k]).long().clamp(0, part.grid[k] - 1) for k in (0, 1))
                    actions[:, i] = row * part.grid[1] + column
                spread = SPREAD
        if self.space.verb is not None and verb is not None:
            actions[:, self.space.verb] = verb
        elif self.space.verb is not None and self.verbs is not None:
            actions[:, self.space.verb] %= self.verbs
        if self.space.coloured:
            there = target.flatten(2).gather(2, where[:, None].expand(-1, target.shape[1], -1))
            return recolour(self.space, actions, 1 - there.transpose(1, 2).flatten(0, 1))
        return canonical(self.space, actions)


class MixedProposals:
    """Half of the proposals from a policy, half from another proposer, which needs no learning to be of use."""

    def __init__(self, policy: Proposer, other: Proposer) -> None:
        self.policy, self.other = policy, other

    def act(
        self, observation: Observation, memory: Memory, generator: Generator, *, count: int, verb: int | None = None
    ) -> Acted:
        """As ``Proposer.act``; of each canvas the policy's actions come first."""
        own = self.policy.act(observation, memory, generator, count=count - count // 2, verb=verb)
        if count == 1:
            return own
        other = self.other.act(observation, memory, generator, count=count // 2, verb=verb)
        batch = len(observation.canvas)
        actions = torch.cat([acted.actions.view(batch, -1, len(own.actions[0])) for acted in (own, other)], dim=1)
        log_prob = torch.cat([acted.log_prob.view(batch, -1) for acted in (own, other)], dim=1)
        return Acted(actions.flatten(0, 1), log_prob.flatten(), own.memory)


def canonical(space: ActionSpace, actions: Tensor) -> Tensor:
    """A copy of ``actions`` int64[..., P] with every part that does not count set to 0."""
    return torch.from_numpy(space.canonical(actions.numpy()))


def random_actions(space: ActionSpace, shape: Sequence[int], generator: Generator) -> Tensor:
    """Actions ``int64[*shape, P]`` with uniform random values of all parts, not canonical."""
    return torch.stack([torch.randint(size, tuple(shape), generator=generator) for size in space.sizes], dim=-1)


def perturb(space: ActionSpace, actions: Tensor, generator: Generator) -> Tensor:
    """Canonical actions ``int64[N, P]`` with some parts changed: places by a few cells, values by one step."""
    changed = actions.clone()
    count = len(actions)

    def with_probability(share: float) -> Tensor:
        return torch.rand(count, generator=generator) < share

    for i, part in enumerate(space.parts):
        value = actions[:, i]
        if part.grid is not None:
            rows, columns = part.grid
            reach = torch.where(with_probability(0.5), 0.7, 2.0)
            shift = torch.randn(2, count, generator=generator).mul(reach).round().long()
            row = (value // columns + shift[0]).clamp(0, rows - 1)
            column = (value % columns + shift[1]).clamp(0, columns - 1)
            changed[:, i] = torch.where(with_probability(0.5), row * columns + column, value)
        elif i == space.verb:
            continue
        elif part.values is None:
            chosen = with_probability(0.25)
            changed[:, i] = torch.where(chosen, torch.randint(part.size, (count,), generator=generator), value)
        else:
            step = torch.where(with_probability(0.5), 1, -1)
            changed[:, i] = torch.where(with_probability(0.25), (value + step).clamp(0, part.size - 1), value)
    return canonical(space, changed)


def recolour(space: ActionSpace, actions: Tensor, colour: Tensor) -> Tensor:
    """Canonical actions ``int64[N, P]`` in the levels nearest to ``colour`` float32[N, 3], channels in [0, 1]."""
    changed = actions.clone()
    for channel, name in enumerate(COLOURS):
        part = space.index(name)
        changed[:, part] = (colour[:, channel] * (space.sizes[part] - 1)).round().long()
    return canonical(space, changed)
