"""A judge: the critic of a run, put to use in search, which then prefers pictures that look real to it.

Notable choices:
- A score is the likeness and so much of the critic's opinion. Likeness alone is content with a faint blur where a line
  would have to be; a critic alone does not care what was to be drawn (unless it has learnt to look at targets).
- Critics are only in checkpoints: an agent that ships has none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from limner.agents.agent import find_agent
from limner.agents.checkpoint import read_manifest, read_tensors
from limner.models.critic import Critic, complement, make_critic
from limner.search.lookahead import Score, likeness
from limner.training.config import Config
from limner.worlds.observation import preprocess


@dataclass(frozen=True)
class CriticObjective:
    """A critic that has been trained, and the configuration it was trained with."""

    name: str
    critic: Critic
    config: Config

    def score(self, weight: float, shape: tuple[int, int, int]) -> Score:
        """The likeness plus ``weight`` times the critic's score, for canvases of ``shape`` (H, W, C).

        ``ValueError`` when the critic cannot see these, or the weight is negative.
        """
        resolution, channels = self.config.resolution, self.config.make_renderer(1).shape[2]
        if channels != shape[2]:
            raise ValueError(
                f"the critic of {self.name!r} judges pictures with {channels} channels, the canvas has {shape[2]}"
            )
        if shape[0] % resolution:
            raise ValueError(
                f"the critic of {self.name!r} sees {resolution} pixels a side, the canvas of {shape[0]} is no multiple"
            )
        if not 0 <= weight < float("inf"):
            raise ValueError(f"the weight of the critic is {weight}: must be 0 or more")
        return lambda canvases, goals: likeness(canvases, goals) + weight * self.opinion(canvases, goals)

    @torch.no_grad()
    def opinion(self, canvases: Tensor, goals: Tensor) -> Tensor:
        """The critic's score ``float32[N]`` of canvases ``uint8[N, H, W, C]``.

        ``goals`` of that shape matter only to the critic of a run with targets. One that is shown complements sees each
        half in turn: the mean counts.
        """
        pictures = preprocess(canvases, self.config.resolution)
        if not self.config.conditional:
            return self.critic.score(pictures)
        pictures = torch.cat([pictures, preprocess(goals, self.config.resolution)], dim=1)
        if not self.critic.complement:
            return self.critic.score(pictures)
        sides = torch.arange(4).repeat_interleave(len(pictures))
        return self.critic.score(complement(pictures.repeat(4, 1, 1, 1), sides)).view(4, -1).mean(0)


def load_critic(name: str) -> CriticObjective:
    """The critic of the run or checkpoint in the folder ``name``; ``ValueError`` when there is none."""
    folder, title = find_agent(name)
    manifest = read_manifest(folder)
    config = replace(Config.from_dict(manifest["config"]), device="cpu")
    state = read_tensors(folder, manifest, "state.safetensors")
    weights = {key.removeprefix("critic."): value for key, value in state.items() if key.startswith("critic.")}
    if not weights or not config.reward.critic:
        raise ValueError(f"{title!r} has no critic: name a run that was rewarded by one")
    if config.critic.programs:
        raise ValueError(f"the critic of {title!r} judges programs, too: name a run without critic.programs")
    critic = make_critic(config, config.make_renderer(1))
    try:
        critic.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f"{folder / 'state.safetensors'} does not fit its configuration: {error}") from None
    return CriticObjective(title, critic.requires_grad_(False).eval(), config)
