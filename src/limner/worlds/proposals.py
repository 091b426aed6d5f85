"""ResidualProposals: proposals without learning, aimed at what is still missing.

An agent's first teacher, and the search that every agent has to be better than.
"""

from __future__ import annotations

import torch
from torch import Tensor

from limner.actions import SKIP, ActionSpace
from limner.models.policy import Acted, Memory, Policy
from limner.search.lookahead import recolour
from limner.worlds.observation import Observation

REACH = 0.12
"""Deviation of the other places of an action from the first, as a share of the canvas."""


class ResidualProposals:
    """Takes the place of a policy.

    An action's first place is drawn where canvas and target differ, with a probability that grows with the square of
    the difference, the others near it, all counted from the pen if they are offsets; colours are the target's there;
    all else is uniform, but that nothing is skipped. Objects may stand where only their edge is seen: their places lie
    near what is missing, too.
    """

    def __init__(self, space: ActionSpace) -> None:
        self.space = space

    def act(
        self,
        observation: Observation,
        memory: Memory | None,
        generator: torch.Generator,
        *,
        count: int,
        verb: int | None = None,
    ) -> Acted:
        """``count`` canonical actions for each of N canvases, as ``Policy.act``; log-probabilities are zeros."""
        actions = self.aim(observation.ink, observation.target, observation.pen, generator, count, verb)
        return Acted(actions, torch.zeros(len(actions)), memory)

    def aim(
        self,
        ink: Tensor,
        target: Tensor,
        pen: Tensor,
        generator: torch.Generator,
        count: int,
        verb: int | None = None,
    ) -> Tensor:
        """``count`` canonical actions, ``int64[N · count, P]``, for each of N canvases: see ``Observation``."""
        missing = (target - ink).abs().mean(1)
        batch, side, _ = missing.shape
        where = torch.multinomial(missing.flatten(1).square() + 1e-9, count, replacement=True, generator=generator)
        centre = torch.stack([where // side, where % side]).flatten(1) / side + 0.5 / side
        actions = torch.stack([torch.randint(n, (batch * count,), generator=generator) for n in self.space.sizes], -1)
        pen = pen.flip(1).T.repeat_interleave(count, dim=1)
        reach = REACH / 2 if "op" in self.space else 0.0
        for i, part in enumerate(self.space.parts):
            if part.grid is not None:
                place = centre + reach * torch.randn(centre.shape, generator=generator)
                if part.sights is not None:
                    actions[:, i] = torch.cdist(place.T.contiguous(), torch.tensor(part.sights).flip(1)).argmin(dim=1)
                else:
                    place = place if part.origin == (0, 0) else place - pen + 0.5
                    row, column = ((place[k] * part.grid[k]).long().clamp(0, part.grid[k] - 1) for k in (0, 1))
                    actions[:, i] = row * part.grid[1] + column
                reach = REACH
        if "op" in self.space:
            op = self.space.index("op")
            actions[:, op] = actions[:, op] % SKIP
        if self.space.verb is not None and verb is not None:
            actions[:, self.space.verb] = verb
        if self.space.coloured:
            there = target.flatten(2).gather(2, where[:, None].expand(-1, target.shape[1], -1))
            return recolour(self.space, actions, 1 - there.transpose(1, 2).flatten(0, 1))
        return torch.from_numpy(self.space.canonical(actions.numpy()))


class MixedProposals:
    """A policy that gives every second proposal to chance, so that a search finds something before it has learnt."""

    def __init__(self, policy: Policy, space: ActionSpace) -> None:
        self.policy, self.chance = policy, ResidualProposals(space)

    def act(
        self,
        observation: Observation,
        memory: Memory | None,
        generator: torch.Generator,
        *,
        count: int,
        verb: int | None = None,
    ) -> Acted:
        """``count`` actions for each of N canvases, the policy's first; as ``Policy.act``."""
        own = self.policy.act(observation, memory, generator, count=count - count // 2, verb=verb)
        if count == 1:
            return own
        other = self.chance.act(observation, memory, generator, count=count // 2, verb=verb)
        batch = len(observation.ink)
        actions = torch.cat([acted.actions.view(batch, -1, len(own.actions[0])) for acted in (own, other)], dim=1)
        log_prob = torch.cat([acted.log_prob.view(batch, -1) for acted in (own, other)], dim=1)
        return Acted(actions.flatten(0, 1), log_prob.flatten(), own.memory)
