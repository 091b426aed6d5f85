"""How many drawings depend on how a CPU rounds: each agent draws in processes that use other instructions.

    python experiments/rounding.py --count 300

Notable choices:
- Processes stand for CPUs: PyTorch, oneDNN and MKL are told by environment variables which instructions to use.
- Conditional agents are shown test digits.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass

import torch
import tyro

from limner.agents.agent import load_agent
from limner.data import load_dataset
from limner.inference.draw import draw
from limner.inference.sample import sample

CPUS = {
    "this one": {},
    "AVX2": {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"},
    "neither AVX-512 nor AVX2": {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41"},
}
"""Environment variables by what they stand for."""


@dataclass(frozen=True)
class Rounding:
    """Which agents, and how many drawings."""

    agents: tuple[str, ...] = ("mnist", "omniglot-prior", "mnist-reconstruct", "omniglot")
    count: int = 300
    data: str = "mnist-5k"
    """Data set whose test pictures conditional agents draw."""
    print: bool = False
    """Print the programs of the first agent as JSON and do nothing else."""


def programs(name: str, asked: Rounding) -> list[list[list[int]]]:
    """The actions of the agent's drawings."""
    agent = load_agent(name)
    if not agent.config.conditional:
        return [program.actions.tolist() for program in sample(agent, asked.count)[1]]
    pictures = load_dataset(asked.data, "test").spread(asked.count).pictures(agent.config.renderer.canvas)
    return [program.actions.tolist() for drawings in draw(agent, pictures) for program in drawings.programs]


def main(asked: Rounding) -> None:
    """Draw in each process, and print how many drawings differ from those of the first."""
    if asked.print:
        torch.set_num_threads(1)
        print(json.dumps(programs(asked.agents[0], asked)))
        return
    print(f"of {asked.count} drawings differ\n\n| agent | {' | '.join(list(CPUS)[1:])} |\n{'|---' * len(CPUS)}|")
    for name in asked.agents:
        command = [sys.executable, __file__, "--agents", name, "--data", asked.data]
        command += ["--count", str(asked.count), "--print"]
        drawn = []
        for variables in CPUS.values():
            done = subprocess.run(command, env=os.environ | variables, stdout=subprocess.PIPE, check=True)
            drawn.append(json.loads(done.stdout))
        differ = [sum(a != b for a, b in zip(drawn[0], other, strict=True)) for other in drawn[1:]]
        print(f"| {name} | {' | '.join(map(str, differ))} |", flush=True)


if __name__ == "__main__":
    main(tyro.cli(Rounding, description=__doc__))
