"""The autoregressive decoder: a vector to a distribution over actions, one part after the other.

Sampling and evaluating are one loop, so both compute the probability of an action in the same way. A part that does not
count (``ActionSpace.mask_table``) is 0 and contributes neither log-probability nor entropy.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.actions import ActionSpace
from limner.models.blocks import ResidualBlock, mlp
from limner.models.config import PolicyConfig
from limner.models.pointer import PointerHead


class Decoded(NamedTuple):
    """``actions`` int64[N, P] in canonical form, their ``log_prob`` [N] and the ``entropy`` [N] along the way."""

    actions: Tensor
    log_prob: Tensor
    entropy: Tensor


class SpatialHead(nn.Module):
    """Logits of a location from a vector: 4×4×16, convolution, eight residual blocks, deconvolutions ([P] appendix)."""

    def __init__(self, inputs: int, grid: int) -> None:
        super().__init__()
        doublings = (grid // 4).bit_length() - 1
        assert grid == 4 << doublings, f"a spatial head needs a grid of 4·2ⁿ, got {grid}"
        self.linear = nn.Linear(inputs, 4 * 4 * 16)
        upward: list[nn.Module] = []
        for _ in range(doublings):
            upward += [nn.ConvTranspose2d(32, 32, 4, 2, 1), nn.ReLU()]
        self.body = nn.Sequential(
            nn.Conv2d(16, 32, 3, padding=1),
            *(ResidualBlock(32) for _ in range(8)),
            *upward,
            nn.Conv2d(32, 1, 3, padding=1),
        )

    def forward(self, z: Tensor) -> Tensor:
        """``float32[N, inputs]`` to logits ``float32[N, grid²]``."""
        logits: Tensor = self.body(self.linear(z).view(-1, 16, 4, 4))
        return logits.flatten(1)


class Decoder(nn.Module):
    """Chooses the parts of an action in order; after each, ``z ← relu(z + MLP(z ⊕ embed(part)))`` ([P] figure 5b)."""

    mask_table: Tensor

    def __init__(self, actions: ActionSpace, config: PolicyConfig) -> None:
        super().__init__()
        self.space = actions
        self.register_buffer("mask_table", torch.from_numpy(actions.mask_table), persistent=False)
        width = config.hidden
        self.heads = nn.ModuleList()
        for part in actions.parts:
            square = part.grid is not None and part.grid[0] == part.grid[1]
            side = math.isqrt(part.size)
            if square and config.network == "pointer":
                self.heads.append(PointerHead(width, config.channels, side))
            elif square and config.spatial_heads:
                self.heads.append(SpatialHead(width, side))
            else:
                head = nn.Linear(width, part.size)
                nn.init.orthogonal_(head.weight, 0.01)
                nn.init.zeros_(head.bias)
                self.heads.append(head)
        self.embeddings = nn.ModuleList(nn.Embedding(size, 16) for size in actions.sizes[:-1])
        features = [head.features if isinstance(head, PointerHead) else 0 for head in self.heads]
        middle = [64] if config.network == "pointer" else [16, 32]
        self.updates = nn.ModuleList(mlp([width + 16 + more, *middle, width]) for more in features[:-1])

    def sample(
        self,
        z: Tensor,
        generator: torch.Generator,
        temperature: float = 1.0,
        places: Tensor | None = None,
        verb: int | None = None,
    ) -> Decoded:
        """Draw actions for ``z`` float32[N, width]. A ``temperature`` of 0 takes the likeliest value of each part.

        ``places`` are the maps of a pointer torso, ``float32[M, features, MAP²]``: one for every N / M rows of ``z``.
        With a ``verb`` all actions have that verb. ``log_prob`` and ``entropy`` are those at temperature 1.
        """

        def choose(index: int, log_probs: Tensor) -> Tensor:
            if index == self.space.verb and verb is not None:
                return torch.full((len(z),), verb, device=z.device)
            if temperature == 0:
                return log_probs.argmax(-1)
            cumulative = (log_probs / temperature).softmax(-1).cumsum(-1)
            uniform = torch.rand(len(z), 1, generator=generator, device=z.device)
            below = cumulative <= uniform * cumulative[:, -1:]
            return below.sum(-1).clamp(max=log_probs.shape[-1] - 1)

        return self._decode(z, places, choose)

    def evaluate(self, z: Tensor, actions: Tensor, places: Tensor | None = None) -> Decoded:
        """Log-probability and entropy of given canonical ``actions`` int64[N, P]."""
        return self._decode(z, places, lambda index, log_probs: actions[:, index])

    def next_place(self, z: Tensor, places: Tensor | None = None) -> tuple[int, Tensor] | None:
        """The first part that is a location, and its log-probabilities ``float32[N, cells]``; None without one.

        Parts before it have their likeliest values, the verb the first full one.
        """
        found: list[tuple[int, Tensor]] = []

        def note(index: int, log_probs: Tensor) -> Tensor:
            if self.space.parts[index].grid is not None:
                found.append((index, log_probs))
            if index == self.space.verb:
                return torch.full((len(z),), self.space.full_verbs[0], device=z.device)
            return log_probs.argmax(-1)

        self._decode(z, places, note)
        return found[0] if found else None

    def _decode(self, z: Tensor, places: Tensor | None, choose: Callable[[int, Tensor], Tensor]) -> Decoded:
        log_prob, entropy = z.new_zeros(len(z)), z.new_zeros(len(z))
        counts = self.mask_table[:1]
        chosen: list[Tensor] = []
        for i, part in enumerate(self.space.parts):
            head = self.heads[i]
            pointer = head if places is not None and isinstance(head, PointerHead) else None
            logits = head(z) if pointer is None else pointer(z, places)
            log_probs = F.log_softmax(logits, dim=-1)
            value = choose(i, log_probs)
            part_log_prob = log_probs.gather(-1, value[:, None]).squeeze(-1)
            part_entropy = -(log_probs.exp() * log_probs).sum(-1)
            if part.dependent:
                count = counts[:, i]
                value, part_log_prob, part_entropy = value * count, part_log_prob * count, part_entropy * count
            if i == self.space.verb:
                counts = self.mask_table[value]
            log_prob, entropy = log_prob + part_log_prob, entropy + part_entropy
            chosen.append(value)
            if i + 1 < len(self.space.parts):
                there = [] if pointer is None or places is None else [pointer.features_at(places, value)]
                z = F.relu(z + self.updates[i](torch.cat([z, self.embeddings[i](value), *there], dim=-1)))
        return Decoded(torch.stack(chosen, dim=-1), log_prob, entropy)
