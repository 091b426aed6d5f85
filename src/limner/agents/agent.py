"""Agents: finding one by the name of one that ships, or the folder of a run or of a checkpoint, and loading it."""

from dataclasses import dataclass
from pathlib import Path

from limner.agents.checkpoint import newest_checkpoint, read_manifest, read_tensors
from limner.agents.config import AgentConfig
from limner.agents.zoo import shipped_agents
from limner.models.config import Precision
from limner.models.policy import Policy
from limner.models.weights import load_weights


@dataclass(frozen=True)
class Agent:
    """A policy that has been trained, and what it draws with."""

    name: str
    policy: Policy
    config: AgentConfig

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from limner.agents.notebook import agent_html

        return agent_html(self)


def make_policy(config: AgentConfig) -> Policy:
    """A new policy with random weights for the agent that ``config`` describes."""
    channels = config.make_renderer(1).shape[2]
    return Policy(config.actions, config.policy, channels, config.resolution, config.conditional)


def load_agent(name: str, precision: Precision = "float32") -> Agent:
    """The agent called ``name``, or in the folder ``name``; ``ValueError`` when there is none or it is damaged.

    It draws on the CPU, wherever it was trained, and computes in ``precision``, whatever it was trained in: in float32
    a seed gives the same drawings on any CPU, but for actions that rounding decides.
    """
    folder, title = find_agent(name)
    manifest = read_manifest(folder)
    config = AgentConfig.from_dict(manifest["agent"])
    tensors = read_tensors(folder, manifest, "agent.safetensors")
    policy = make_policy(config)
    try:
        load_weights(policy, {key.removeprefix("policy."): tensor for key, tensor in tensors.items()})
    except ValueError as error:
        raise ValueError(f"{folder / 'agent.safetensors'} does not fit its configuration: {error}") from None
    policy.precision = precision
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
