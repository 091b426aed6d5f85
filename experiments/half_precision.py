"""What it changes to round the weights of an agent to half precision, as those that ship are: it draws with both.

    python experiments/half_precision.py runs/mine --data mnist --count 1000

Notable choices:
- An unconditional agent is measured as in training, against as many test pictures; a conditional one by its error on
  ``count`` test pictures without search.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import numpy as np
import torch
import tyro

from limner.agents.agent import Agent, load_agent
from limner.data import load_dataset
from limner.inference.evaluate import generation_reference, reconstruct
from limner.inference.sample import sample
from limner.metrics.generation import evaluate_pictures
from limner.programs.program import Program


@dataclass(frozen=True)
class HalfPrecision:
    """Which agents, and what they draw."""

    agents: tyro.conf.Positional[tuple[str, ...]]
    """Names of agents, or folders of runs."""
    data: str = "mnist-5k"
    """Data set whose test pictures are drawn or compared with."""
    count: int = 1000
    """Pictures at most."""


def main(asked: HalfPrecision) -> None:
    """Draw and print a table."""
    torch.set_num_threads(1)
    print("| agent | pictures | programs that differ | figures in float32 | in half precision |\n|---|---|---|---|---|")
    for name in asked.agents:
        agent = load_agent(name)
        (whole, before), (half, after) = (drawn(each, asked) for each in (agent, rounded(agent)))
        differ = sum(not np.array_equal(a.actions, b.actions) for a, b in zip(before, after, strict=True))
        print(f"| {agent.name} | {len(before)} | {differ} | {whole} | {half} |", flush=True)


def rounded(agent: Agent) -> Agent:
    """The agent with the weights that half precision leaves of its own."""
    policy = copy.deepcopy(agent.policy)
    policy.load_state_dict({name: tensor.half() for name, tensor in policy.state_dict().items()})
    return replace(agent, policy=policy)


def drawn(agent: Agent, asked: HalfPrecision) -> tuple[str, list[Program]]:
    """How good the agent's drawings are, in words; and their programs."""
    if agent.config.conditional:
        result = reconstruct(agent, load_dataset(asked.data, "test"), asked.count)
        return f"squared error {result.metrics.mse:.5f}, similarity {result.metrics.ssim:.4f}", result.programs
    reference = generation_reference(agent.config, asked.data)
    canvases, programs = sample(agent, reference.count)
    found = evaluate_pictures(canvases, reference)
    shares = f"precision {found.precision:.3f}, coverage {found.coverage:.3f}"
    return f"normalised {found.normalised_frechet:.4f}, {shares}", programs


if __name__ == "__main__":
    main(tyro.cli(HalfPrecision, description=__doc__))
