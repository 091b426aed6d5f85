"""What an agent holds of a drawing that is under way: where it would go on, and what it expects of it."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from limner.agents.agent import Agent
from limner.agents.rollout import EpisodeBatch, observation, observe_canvas
from limner.data import Pictures
from limner.programs.program import Program, first_difference
from limner.worlds.proposals import Memory
from limner.worlds.validation import require


@dataclass(frozen=True)
class Outlook:
    """What an agent holds of a drawing."""

    part: str
    """Name of the part that says where the next action goes on."""
    places: NDArray[np.float32]
    """Probability of each cell of it, ``float32[rows, columns]``; they add up to 1."""
    value: float
    """The rewards to come, as the policy estimates them. It means something only if it was trained on rewards."""


@torch.no_grad()
def outlook(agent: Agent, program: Program, goal: Pictures | None = None, seed: int = 0) -> Outlook:
    """What ``agent`` holds of the picture that ``program`` paints, before its next action.

    ``goal`` uint8[S, S, C], as large as the agent's canvas, is what a conditional agent is to draw; ``seed`` that of
    its noise. ``ValueError`` when the program is for another renderer, is as long as the agent's drawings, or the goal
    is missing or of another size, or actions have no place.
    """
    config = agent.config
    renderer = config.make_renderer(1)
    settings = renderer.settings()
    name = first_difference(settings, program.renderer | {"canvas": settings["canvas"]})
    require(name is None, f"the program has another renderer.{name} than {agent.name!r}, which has no view of it")
    most, count = config.horizon, len(program)
    require(count < most, f"{agent.name!r} draws {most} actions: of one after {count} it has no view")
    episodes = EpisodeBatch.empty(config, renderer)
    if config.conditional:
        fits = goal is not None and goal.dtype == np.uint8 and goal.shape == renderer.shape
        require(fits, f"{agent.name!r} draws pictures: it needs one of {list(renderer.shape)}")
        episodes.aim(torch.from_numpy(np.array(goal)[None]))
    episodes.noise.normal_(generator=torch.Generator().manual_seed(seed))
    memory: Memory = None
    renderer.reset()
    for t in range(count + 1):
        observe_canvas(renderer, episodes, t)
        if t == count or agent.policy.lstm is not None:
            found = agent.policy.outlook(observation(episodes, t), memory)
            memory = found.memory
        if t < count:
            episodes.actions[t] = torch.from_numpy(program.actions[t].copy())
            renderer.step(program.actions[t : t + 1])
    if found.place is None:
        raise ValueError(f"the actions of {agent.name!r} have no place")
    index, log_probs = found.place
    part = config.actions.parts[index]
    assert part.grid is not None
    return Outlook(part.name, log_probs[0].exp().reshape(part.grid).numpy(), float(found.value[0]))
