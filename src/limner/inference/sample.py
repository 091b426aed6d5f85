"""Sampling: an unconditional agent draws.

Notable choices:
- Pictures are made in chunks of fixed size, each from a seed of its own: the first ten pictures are the same whether
  ten are asked for or a thousand.
"""

import numpy as np
import torch

from limner.agents.agent import Agent
from limner.agents.rollout import EpisodeBatch, collect
from limner.programs.program import Program
from limner.worlds.validation import require, require_range
from limner.worlds.world import Canvas

CHUNK = 100
"""Pictures drawn at a time."""


def sample(
    agent: Agent,
    count: int,
    seed: int = 0,
    temperature: float | None = None,
    first_action_temperature: float | None = None,
) -> tuple[Canvas, list[Program]]:
    """Let ``agent`` draw ``count`` pictures: canvases ``uint8[count, H, W, C]`` and the programs that painted them.

    A ``temperature`` below 1 makes the drawings less varied, 0 takes the likeliest action every time.
    ``first_action_temperature`` is that of the first action, if it is another. Where neither is given they are those of
    the agent's configuration. ``ValueError`` when the agent is conditional, or a value is out of range.
    """
    check_sampling(agent, count, seed, temperature, first_action_temperature)
    config = agent.config
    if temperature is None:
        temperature = config.temperature
        if first_action_temperature is None:
            first_action_temperature = config.first_action_temperature
    renderer = config.make_renderer(CHUNK)
    settings = renderer.settings()
    canvases: list[Canvas] = []
    programs: list[Program] = []
    for chunk in range(-(-count // CHUNK)):
        generator = torch.Generator().manual_seed(int(np.random.SeedSequence([seed, chunk]).generate_state(1)[0]))
        episodes = EpisodeBatch.empty(config, renderer)
        collect(renderer, agent.policy, episodes, generator, temperature, first_action_temperature)
        canvases.append(episodes.canvas.numpy())
        actions = np.swapaxes(episodes.actions.numpy(), 0, 1)
        programs += [Program(settings, each, seed, agent.name) for each in actions]
    return np.concatenate(canvases)[:count], programs[:count]


def check_sampling(
    agent: Agent, count: int, seed: int, temperature: float | None, first_action_temperature: float | None
) -> None:
    """``ValueError`` as ``sample``, which takes the same arguments."""
    require(count >= 1, f"count is {count}: must be at least 1")
    require_range("seed", seed, 0, 2**63 - 1)
    require_range("temperature", temperature, 0, 10)
    require_range("first_action_temperature", first_action_temperature, 0, 10)
    require(not agent.config.conditional, f"agent {agent.name!r} draws pictures that it is given: use limner evaluate")
