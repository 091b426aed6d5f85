"""Conditioning: what the policy is given beside the pictures, as one vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from limner.actions import ActionSpace
from limner.models.blocks import mlp
from limner.worlds.observation import Observation


class Conditioning(nn.Module):
    """Previous action, pen, step and noise to one vector that is added to every pixel ([P] appendix).

    Each part of the previous action is embedded in 16 numbers; parts that did not count are zeroed.
    """

    def __init__(self, actions: ActionSpace, noise: int, outputs: int) -> None:
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(size, 16) for size in actions.sizes)
        self.verb = actions.verb
        self.mask_table: Tensor
        self.register_buffer("mask_table", torch.from_numpy(actions.mask_table), persistent=False)
        self.action = mlp([16 * len(actions), 64, 32, outputs])
        self.rest = mlp([3 + noise, 64, outputs])

    def forward(self, observation: Observation) -> Tensor:
        """One vector per observation, ``float32[N, outputs]``."""
        previous = observation.previous
        embedded = torch.stack([embed(previous[:, i]) for i, embed in enumerate(self.embeddings)], dim=1)
        if self.verb is not None:
            counts = self.mask_table[previous[:, self.verb]]
            embedded = embedded.masked_fill(~counts[..., None], 0.0)
        rest = torch.cat([observation.pen, observation.step[:, None], observation.noise], dim=-1)
        vector: Tensor = self.action(embedded.flatten(1)) + self.rest(rest)
        return vector
