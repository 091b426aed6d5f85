"""Greedy lookahead: at every step many actions are tried on copies of the canvas, and the best is done.

Notable choices:
- A proposer proposes, then the best proposal is perturbed: small changes of single parts find what a coarse guess
  missed.
"""

import torch
from torch import Tensor

from limner.actions import ActionSpace
from limner.agents.rollout import EpisodeBatch, observation, observe_canvas
from limner.worlds.proposals import Proposer, perturb
from limner.worlds.simulator import Simulator
from limner.worlds.world import Renderer, State


@torch.no_grad()
def best_action(
    simulator: Simulator, state: State, goals: Tensor, proposals: Tensor, space: ActionSpace, generator: torch.Generator
) -> Tensor:
    """The best ``int64[N, P]`` of ``proposals`` int64[N, candidates, P] and as many perturbations of their best."""
    scores = simulator.scores(state, goals, proposals)
    rows = torch.arange(len(proposals))
    best = proposals[rows, scores.argmax(dim=1)]
    perturbed = perturb(space, best.repeat_interleave(simulator.candidates, dim=0), generator).view_as(proposals)
    actions = torch.cat([proposals, perturbed], 1)
    scores = torch.cat([scores, simulator.scores(state, goals, perturbed)], 1)
    return actions[rows, scores.argmax(dim=1)]


@torch.no_grad()
def greedy_lookahead(
    renderer: Renderer, simulator: Simulator, proposer: Proposer, batch: EpisodeBatch, generator: torch.Generator
) -> None:
    """Paint episodes on the canvases of ``renderer`` towards ``batch.goal``, with the best action found at every step.

    Fills ``batch``, but for the log-probabilities.
    """
    renderer.reset()
    batch.noise.normal_(generator=generator)
    memory = None
    for t in range(batch.steps):
        observe_canvas(renderer, batch, t)
        acted = proposer.act(observation(batch, t), memory, generator, count=simulator.candidates)
        memory = acted.memory
        proposals = acted.actions.view(renderer.batch, simulator.candidates, -1)
        batch.actions[t] = best_action(simulator, renderer.save(), batch.goal, proposals, renderer.actions, generator)
        renderer.step(batch.actions[t].numpy())
    observe_canvas(renderer, batch, batch.steps)
