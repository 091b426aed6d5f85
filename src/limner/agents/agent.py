"""Letting a trained agent draw.

Notable choices:
- Pictures are made in chunks of fixed size, each from a seed of its own: the first ten pictures are the same
  whether ten are asked for or a thousand.
- An agent is found by the name of one that ships with the library, or by the folder of a run or of a checkpoint.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from limner.agents.checkpoint import newest_checkpoint, read_manifest, read_tensors
from limner.agents.rollout import EpisodeBatch, collect
from limner.agents.zoo import shipped_agents
from limner.models.policy import Policy, make_policy
from limner.programs.program import Program
from limner.training.config import Config
from limner.worlds.world import Canvas

CHUNK = 100


@dataclass(frozen=True)
class Agent:
    """A policy that has been trained, and the configuration it was trained with."""

    name: str
    policy: Policy
    config: Config


def load_agent(name: str) -> Agent:
    """The agent called ``name``, or in the folder ``name``; ``ValueError`` when there is none or it is damaged.

    It draws on the CPU, wherever it was trained.
    """
    folder, title = find_agent(name)
    manifest = read_manifest(folder)
    config = replace(Config.from_dict(manifest["config"]), device="cpu")
    tensors = read_tensors(folder, manifest, "agent.safetensors")
    renderer = config.make_renderer(1)
    policy = make_policy(config, renderer)
    try:
        policy.load_state_dict({key.removeprefix("policy."): tensor for key, tensor in tensors.items()})
    except RuntimeError as error:
        raise ValueError(f"{folder / 'agent.safetensors'} does not fit its configuration: {error}") from None
    return Agent(title, policy.eval(), config)


def find_agent(name: str) -> tuple[Path, str]:
    """The folder of the agent called ``name``, or in the folder ``name``, and a title; ``ValueError`` without one."""
    folder = Path(name)
    shipped = shipped_agents()
    if name in shipped:
        return shipped[name], name
    if (folder / "checkpoints").is_dir():
        return newest_checkpoint(folder / "checkpoints"), folder.resolve().name
    if folder.is_dir():
        return folder, folder.resolve().name
    raise ValueError(
        f"there is no agent {name!r}: name one that ships with Limner ({', '.join(shipped) or 'none'}), "
        "or the folder of a run or of a checkpoint"
    )


def sample(
    agent: Agent, count: int, seed: int = 0, temperature: float | None = None, opening: float | None = None
) -> tuple[Canvas, list[Program]]:
    """Let ``agent`` draw ``count`` pictures: canvases ``uint8[count, H, W, C]`` and the programs that painted them.

    A ``temperature`` below 1 makes it bolder and less varied, 0 takes the likeliest action every time. ``opening`` is
    that of the first action, if it is another. Where neither is given they are those of the agent's configuration.
    """
    if count < 1:
        raise ValueError(f"count is {count}: must be at least 1")
    if not 0 <= seed < 2**63:
        raise ValueError(f"seed is {seed}: must be in 0 … 2^63 − 1")
    config = agent.config
    if config.conditional:
        raise ValueError(f"agent {agent.name!r} draws pictures that it is given: use limner evaluate")
    if temperature is not None:
        config = replace(config, temperature=temperature, opening=opening)
    elif opening is not None:
        config = replace(config, opening=opening)
    renderer = config.make_renderer(CHUNK)
    settings = renderer.settings()
    canvases: list[Canvas] = []
    programs: list[Program] = []
    for chunk in range(-(-count // CHUNK)):
        generator = torch.Generator().manual_seed(int(np.random.SeedSequence([seed, chunk]).generate_state(1)[0]))
        episodes = EpisodeBatch.empty(config, renderer)
        collect(renderer, agent.policy, episodes, generator, config.temperature, config.opening)
        canvases.append(episodes.canvas.numpy())
        programs += [
            Program(settings, episodes.actions[:, i].numpy(), seed=seed, agent=agent.name)
            for i in range(renderer.batch)
        ]
    return np.concatenate(canvases)[:count], programs[:count]
