"""Experts: what is right in a state, and episodes that show it.

Notable choices:
- ``RandomPrograms``: a random program is right for the picture that it paints, exactly and for free.
- ``SearchPrograms``: search finds programs of pictures of the data. It refines what the policy draws or, as long as
  that comes closer, what greedy lookahead over mixed proposals finds. What is found is kept and learnt: expert
  iteration (Anthony et al. 2017). An unconditional policy cannot propose anything for a picture: its first programs
  come from residual proposals, put in a standard order (``World.order``), and later ones start from the program of the
  most similar picture. So pictures that look alike have programs that are alike, which are easier to learn.
- ``FilePrograms``: the programs of a file.
- ``AgentActions``: a conditional agent that draws pictures of the data. Unlike a file it knows the right action on any
  canvas, also after a perturbed action; a policy is soon on canvases that no program of a file passed.
- Some actions are perturbed (action noise), so that the policy learns what is right after an error nevertheless
  (Ross et al. 2011; Laskey et al. 2017, "DART").
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from limner.agents.agent import Agent, load_agent
from limner.agents.rollout import EpisodeBatch, collect
from limner.data.picture_source import PictureSource
from limner.models.policy import Policy
from limner.programs.program import first_difference, load_alike
from limner.search.lookahead import greedy_lookahead
from limner.training.buffers import RingBuffer
from limner.training.imitation.augmentation import augment
from limner.training.imitation.config import AgentExpert, FileExpert, ImitationConfig, RandomExpert, SearchExpert
from limner.training.policy_learner import Scalars
from limner.worlds.proposals import MixedProposals, Proposer
from limner.worlds.refinement import Refinement
from limner.worlds.simulator import Simulator, execute
from limner.worlds.variation import perturb
from limner.worlds.world import Renderer

FIRST_PROGRAMS = 64
"""Programs that start from residual proposals where the policy is unconditional."""


@dataclass(frozen=True)
class Setting:
    """What experts work with: it belongs to the trainer."""

    config: ImitationConfig
    renderer: Renderer
    source: PictureSource
    actor: Policy
    """The policy as it stood at the start of the update."""
    episodes: EpisodeBatch
    """What ``actions`` aims at its pictures."""
    generator: torch.Generator


class Expert(ABC):
    """Gives expert actions, and what is done instead where actions are perturbed."""

    uses: ClassVar[int] = 1
    """Times that a demonstration is learnt from: more where making one costs as much as learning from it."""
    fixed: int | None = None
    """How many demonstrations there are, where they are made once and for all."""

    def __init__(self, setting: Setting) -> None:
        self.setting, self.renderer, self.source = setting, setting.renderer, setting.source
        self.agent, self.world, self.space = setting.config.agent, setting.config.agent.world, setting.renderer.actions
        self.episodes, self.generator, self.batch = setting.episodes, setting.generator, setting.config.run.episodes

    def prepare(self) -> Scalars:
        """Find what the demonstrations of the next update are made from."""
        return {}

    @abstractmethod
    def actions(self) -> tuple[Tensor, Tensor]:
        """Aim the episodes; the expert's actions in them and those that are done, ``int64[T, B, P]`` each."""

    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint holds of it."""
        return {}

    def counters(self) -> dict[str, float]:
        """Numbers that a checkpoint holds of it."""
        return {}

    def load(self, tensors: Mapping[str, Tensor], counters: Mapping[str, float]) -> None:
        """Put back what ``tensors`` and ``counters`` gave."""
        return

    def _perturb(self, actions: Tensor, share: float) -> Tensor:
        """Canonical ``actions`` int64[…, P], a ``share`` of them perturbed."""
        perturbed = perturb(self.space, actions.flatten(0, -2), self.generator).view_as(actions)
        chosen = torch.rand(actions.shape[:-1], generator=self.generator) < share
        return torch.where(chosen[..., None], perturbed, actions)


class RandomPrograms(Expert):
    """Random programs, each towards the picture that it paints."""

    def __init__(self, setting: Setting, expert: RandomExpert) -> None:
        super().__init__(setting)
        self.noise = expert.action_noise

    def actions(self) -> tuple[Tensor, Tensor]:
        """As ``Expert.actions``."""
        programs = self.world.random_programs(self.space, self.agent.horizon, self.batch, self.generator)
        self.episodes.aim(execute(self.renderer, programs))
        return self.world.correct(self.space, programs, lambda actions: self._perturb(actions, self.noise))


class SearchPrograms(Expert):
    """Programs that search finds for pictures of the data."""

    def __init__(self, setting: Setting, expert: SearchExpert) -> None:
        super().__init__(setting)
        self.config = expert
        like = {"programs": self.episodes.actions.transpose(0, 1).int(), "rows": torch.zeros(1, dtype=torch.int64)}
        self.found = RingBuffer(expert.capacity, like, "found")
        self.lookahead_error = 0.0  # mean squared error of the last lookahead
        self.simulator = Simulator(self.renderer, expert.candidates, setting.config.run.threads)
        searched = replace(self.agent, conditional=True, first_action_temperature=None)
        self.drawings = EpisodeBatch.empty(searched, self.renderer)

    def prepare(self) -> Scalars:
        """Find programs of some pictures of the data, and keep them."""
        rows = self.source.draw_rows(self.batch, self.generator)
        self.drawings.aim(self.source.take(rows))
        result = self._improve_on_policy() if self.agent.conditional else self._improve_on_similar()
        self.found.add({"programs": result.actions.transpose(0, 1).int(), "rows": rows})
        return {"search/distance": -result.scores.mean().item()}

    def actions(self) -> tuple[Tensor, Tensor]:
        """As ``Expert.actions``: programs that were found, some of them transformed (augmentation)."""
        chosen = self.found.sample(self.batch, self.generator)
        programs = chosen["programs"].transpose(0, 1).long()
        augmented = torch.rand(self.batch, generator=self.generator) < self.config.augmentation
        transformed = augment(self.space, programs, self.generator, perturbed=self.agent.conditional)
        programs = torch.where(augmented[:, None], transformed, programs)
        if self.agent.conditional:
            real = self.source.take(chosen["rows"])
            painted = execute(self.renderer, programs)
            self.episodes.aim(torch.where(augmented[:, None, None, None], painted, real))
        noise = self.config.action_noise
        return self.world.correct(self.space, programs, lambda actions: self._perturb(actions, noise))

    def tensors(self) -> dict[str, Tensor]:
        """The programs that were found, and the rows of their pictures."""
        return self.found.tensors()

    def counters(self) -> dict[str, float]:
        """How many were found, and how close lookahead came."""
        return {"found": self.found.added, "lookahead_error": self.lookahead_error}

    def load(self, tensors: Mapping[str, Tensor], counters: Mapping[str, float]) -> None:
        """As ``Expert.load``."""
        self.found.load(tensors, int(counters["found"]))
        self.lookahead_error = float(counters["lookahead_error"])

    def _improve_on_policy(self) -> Refinement:
        """What the policy draws or, as long as that comes closer, what greedy lookahead finds; refined."""
        drawings = self.drawings
        collect(self.renderer, self.setting.actor, drawings, self.generator, self.agent.temperature)
        if drawings.distance[-1].mean() > self.lookahead_error:
            self._look_ahead(MixedProposals(self.setting.actor, self.world.proposals(self.space)))
            self.lookahead_error = drawings.distance[-1].mean().item()
        return self._refine(drawings.actions)

    def _improve_on_similar(self) -> Refinement:
        """The programs found for the most similar pictures, refined; at first what lookahead finds, in order."""
        if self.found.added < FIRST_PROGRAMS:
            self._look_ahead(self.world.proposals(self.space))
            result = self._refine(self.drawings.actions)
            ordered = self.world.order(self.space, result.actions)
            return result if ordered is None else self._refine(ordered)
        known = self.source.take_preprocessed(self.found.all("rows"), self.agent.resolution)
        nearest = torch.cdist(self.drawings.target.flatten(1), known.flatten(1)).argmin(dim=1)
        return self._refine(self.found.take(nearest)["programs"].transpose(0, 1).long())

    def _look_ahead(self, proposer: Proposer) -> None:
        greedy_lookahead(self.renderer, self.simulator, proposer, self.drawings, self.generator)

    def _refine(self, actions: Tensor) -> Refinement:
        """Programs ``int64[T, B, P]`` for the pictures that the drawings are aimed at, refined."""
        residual = self.world.proposals(self.space)
        proposer = MixedProposals(self.setting.actor, residual) if self.agent.conditional else residual
        refinement = self.world.refine(self.renderer, self.simulator, self.drawings.targets, actions, proposer)
        for _ in range(self.config.sweeps):
            refinement.sweep(self.generator)
        return refinement


class FilePrograms(Expert):
    """The programs of a file, in turn; the first ones once more where their number is no multiple of the batch."""

    def __init__(self, setting: Setting, expert: FileExpert) -> None:
        """``ValueError`` naming the first program that does not fit the run."""
        super().__init__(setting)
        programs = load_alike(expert.path, self.renderer.settings(), self.agent.horizon)
        self.programs = torch.from_numpy(np.stack([program.actions for program in programs]))
        self.fixed, self.next = len(programs), 0

    def actions(self) -> tuple[Tensor, Tensor]:
        """As ``Expert.actions``, nothing perturbed."""
        rows = torch.arange(self.next, self.next + self.batch) % len(self.programs)
        self.next += self.batch
        programs = self.programs[rows].transpose(0, 1).contiguous()
        return programs, programs


class AgentActions(Expert):
    """What a conditional agent does for pictures of the data."""

    uses: ClassVar[int] = 3

    def __init__(self, setting: Setting, expert: AgentExpert) -> None:
        """``ValueError`` unless the agent is conditional and has the run's renderer."""
        super().__init__(setting)
        self.noise = expert.action_noise
        self.expert = load_expert(expert.agent, self.renderer)
        self.drawings = EpisodeBatch.empty(replace(self.expert.config, horizon=self.agent.horizon), self.renderer)

    def actions(self) -> tuple[Tensor, Tensor]:
        """As ``Expert.actions``: in every state the agent's action, also after a perturbed one."""
        asked: list[Tensor] = []

        def perturbed(actions: Tensor) -> Tensor:
            asked.append(actions)
            return self._perturb(actions, self.noise)

        drawings, agent = self.drawings, self.expert
        drawings.aim(self.source.draw(self.batch, self.generator))
        collect(self.renderer, agent.policy, drawings, self.generator, agent.config.temperature, perturb=perturbed)
        if self.agent.conditional:
            self.episodes.aim(drawings.goal)
        return torch.stack(asked), drawings.actions


def load_expert(name: str, renderer: Renderer) -> Agent:
    """The agent ``name``, or in that folder; ``ValueError`` unless it is conditional and has this renderer."""
    agent = load_agent(name)
    if not agent.config.conditional:
        raise ValueError(f"expert.agent is {name!r}, which is unconditional: name an agent that is given pictures")
    settings, its = renderer.settings(), agent.config.make_renderer(1).settings()
    if key := first_difference(settings, its):
        raise ValueError(
            f"expert.agent is {name!r}, with renderer.{key} {its.get(key)!r}: this run has {settings[key]!r}"
        )
    return agent


EXPERTS: dict[type[Any], Callable[[Setting, Any], Expert]] = {
    SearchExpert: SearchPrograms,
    RandomExpert: RandomPrograms,
    FileExpert: FilePrograms,
    AgentExpert: AgentActions,
}


def make_expert(setting: Setting) -> Expert:
    """The expert that the configuration describes."""
    return EXPERTS[type(setting.config.expert)](setting, setting.config.expert)
