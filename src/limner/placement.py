"""Placement: what could stand in a picture beside the objects that stand there."""

from __future__ import annotations

import torch
from torch import Tensor

from limner.actions import CHANGE, PLACE, SKIP, ActionSpace
from limner.networks.observation import Observation, see
from limner.rollout import EpisodeBatch
from limner.search import Proposer


class Placer:
    """Asks a proposer for objects as if all others of a program had been placed before."""

    def __init__(self, space: ActionSpace, proposer: Proposer, batch: EpisodeBatch) -> None:
        """``batch`` has the targets that there are."""
        self.proposer, self.batch = proposer, batch
        self.op = space.index("op")

    def propose(self, canvas: Tensor, pen: Tensor, others: Tensor, generator: torch.Generator, count: int) -> Tensor:
        """``count`` canonical actions for each picture, ``int64[B, count, P]``: to place an object, or to skip.

        ``others`` int64[T, B, P] have painted ``canvas`` uint8[B, H, W, C], and left the pen at ``pen`` float32[B, 2].
        """
        steps, size, _ = others.shape
        placed = others[..., self.op] != SKIP
        last = (placed * torch.arange(1, steps + 1)[:, None]).amax(0) - 1
        previous = others[last.clamp(min=0), torch.arange(size)] * (last >= 0)[:, None]
        batch = self.batch
        observation = Observation(
            ink=see(canvas, batch.ink.shape[-1]),
            target=batch.target,
            pen=pen,
            step=placed.sum(0) / batch.steps,
            previous=previous,
            noise=batch.noise,
        )
        actions = self.proposer.act(observation, None, generator, count=count).actions
        op = actions[:, self.op]
        actions[:, self.op] = torch.where(op == CHANGE, PLACE, op)
        return actions.view(size, count, -1)
