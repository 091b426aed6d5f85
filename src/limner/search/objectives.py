"""Objectives of search: the negative squared error, alone or with the score of a trained critic.

Notable choices:
- Squared error alone is content with a faint blur where a line should be; a critic alone does not compare with the
  picture that is to be drawn (unless it was trained with targets). So the critic's score is added with a weight.
- Critics are only in checkpoints: an agent that ships has none.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from limner.agents.agent import find_agent
from limner.agents.checkpoint import read_manifest, read_tensors
from limner.agents.config import AgentConfig
from limner.models.config import CriticConfig
from limner.models.critic import Critic, make_critic
from limner.models.weights import load_weights
from limner.worlds.observation import preprocess
from limner.worlds.simulator import Objective, negative_mse
from limner.worlds.validation import read_section, require


@dataclass(frozen=True)
class CriticObjective:
    """A frozen critic, and the agent that it was trained with."""

    name: str
    critic: Critic
    config: AgentConfig

    def objective(self, weight: float, shape: tuple[int, int, int]) -> Objective:
        """The negative squared error plus ``weight`` times the critic's score, for canvases of ``shape`` (H, W, C).

        ``ValueError`` when the critic was trained on others, or the weight is negative.
        """
        resolution, channels = self.config.resolution, self.config.make_renderer(1).shape[2]
        name = f"the critic of {self.name!r}"
        require(channels == shape[2], f"{name} scores pictures with {channels} channels, the canvas has {shape[2]}")
        if shape[0] % resolution:
            raise ValueError(f"{name} has a resolution of {resolution} pixels, the canvas of {shape[0]} is no multiple")
        require(0 <= weight < float("inf"), f"the weight of the critic is {weight}: must be 0 or more")
        return lambda canvases, goals: negative_mse(canvases, goals) + weight * self.score(canvases, goals)

    @torch.no_grad()
    def score(self, canvases: Tensor, goals: Tensor) -> Tensor:
        """The critic's score ``float32[N]`` of canvases ``uint8[N, H, W, C]``.

        ``goals`` of that shape matter only to the critic of a conditional agent.
        """
        pictures = preprocess(canvases, self.config.resolution)
        if self.config.conditional:
            pictures = torch.cat([pictures, preprocess(goals, self.config.resolution)], dim=1)
        return self.critic.score(pictures)


def load_critic(name: str) -> CriticObjective:
    """The critic of the run or checkpoint in the folder ``name``; ``ValueError`` when there is none."""
    folder, title = find_agent(name)
    manifest = read_manifest(folder)
    section = manifest.get("training", {}).get("critic")
    if section is None or "state.safetensors" not in manifest["sha256"]:
        raise ValueError(f"{title!r} has no critic: name a run that was rewarded by one (algorithm 'spiral')")
    agent = AgentConfig.from_dict(manifest["agent"])
    state = read_tensors(folder, manifest, "state.safetensors")
    weights = {key.removeprefix("critic."): value for key, value in state.items() if key.startswith("critic.")}
    config = read_section(CriticConfig, section, "critic.")
    critic = make_critic(config, agent.make_renderer(1).shape[2], agent.resolution, agent.conditional)
    try:
        load_weights(critic, weights)
    except ValueError as error:
        raise ValueError(f"{folder / 'state.safetensors'} does not fit its configuration: {error}") from None
    return CriticObjective(title, critic.requires_grad_(False).eval(), agent)
