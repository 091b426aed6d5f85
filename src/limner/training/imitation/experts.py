"""Experts: what is right in a state, and episodes that show it.

Some actions are perturbed (action noise), so that the policy learns what is right after an error nevertheless (Ross et
al. 2011; Laskey et al. 2017, "DART").
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from limner.agents.agent import load_agent
from limner.agents.rollout import EpisodeBatch, collect, replay
from limner.data.picture_source import PictureSource
from limner.models.policy import Policy
from limner.programs.program import first_difference, load_alike
from limner.search.lookahead import greedy_lookahead
from limner.training.buffers import RingBuffer
from limner.training.imitation.augmentation import augment, mirror
from limner.training.imitation.config import (
    AgentExpert,
    FileExpert,
    ImitationConfig,
    JointExpert,
    RandomExpert,
    SearchExpert,
)
from limner.training.part import Part
from limner.training.policy_learner import Scalars
from limner.worlds.proposals import MixedProposals, perturb
from limner.worlds.refinement import Refinement
from limner.worlds.simulator import Simulator, execute
from limner.worlds.world import Renderer

FIRST_PROGRAMS = 64
"""Programs that start from residual proposals where the policy is unconditional."""


@dataclass(eq=False, repr=False)
class Expert(Part, ABC):
    """Gives expert actions, and what is done instead where actions are perturbed. Its fields are the trainer's."""

    config: ImitationConfig
    renderer: Renderer
    source: PictureSource
    actor: Policy
    """The policy as it stood at the start of the update."""
    episodes: EpisodeBatch
    """What ``actions`` aims at its pictures."""
    generator: torch.Generator

    uses: ClassVar[int] = 1
    """Times that a demonstration is learnt from: more where making one costs as much as learning from it."""

    def __post_init__(self) -> None:
        self.options: Any = self.config.expert
        self.agent, self.batch = self.config.agent, self.config.run.episodes
        self.world, self.space = self.agent.world, self.renderer.actions
        self.fixed: int | None = None
        """How many demonstrations there are, where they are made once and for all."""

    def prepare(self) -> Scalars:
        """Find what the demonstrations of the next update are made from."""
        return {}

    @abstractmethod
    def actions(self) -> tuple[Tensor, Tensor]:
        """Aim the episodes; the expert's actions in them and those that are done, ``int64[T, B, P]`` each."""

    def _perturb(self, actions: Tensor) -> Tensor:
        """Canonical ``actions`` int64[…, P], a share of them (``action_noise``) perturbed."""
        perturbed = perturb(self.space, actions.flatten(0, -2), self.generator).view_as(actions)
        chosen = torch.rand(actions.shape[:-1], generator=self.generator) < self.options.action_noise
        return torch.where(chosen[..., None], perturbed, actions)


class RandomPrograms(Expert):
    """Random programs: each is right for the picture that it paints, exactly and for free."""

    options: RandomExpert

    def actions(self) -> tuple[Tensor, Tensor]:
        """As ``Expert.actions``."""
        programs = self.world.random_programs(self.space, self.agent.horizon, self.batch, self.generator)
        self.episodes.aim(execute(self.renderer, programs))
        return self.world.correct(self.space, programs, self._perturb)


class FoundPrograms(Expert):
    """Programs that are found for pictures of the data, kept and learnt (expert iteration: Anthony et al. 2017)."""

    options: SearchExpert | JointExpert

    def __post_init__(self) -> None:
        super().__post_init__()
        like = {"programs": self.episodes.actions.transpose(0, 1).int(), "rows": torch.zeros(1, dtype=torch.int64)}
        self.found = RingBuffer(self.options.capacity, like, "found")
        searched = replace(self.agent, conditional=True, first_action_temperature=None)
        self.drawings = EpisodeBatch.empty(searched, self.renderer)

    def prepare(self) -> Scalars:
        """Find programs of some pictures of the data, and keep them."""
        rows = self.source.draw_rows(self.batch, self.generator)
        self.drawings.aim(self.source.take(rows))
        programs, distance = self._find()
        self.found.add({"programs": programs.transpose(0, 1).int(), "rows": rows})
        return {"search/distance": distance}

    @abstractmethod
    def _find(self) -> tuple[Tensor, float]:
        """Programs ``int64[T, B, P]`` for the pictures that the drawings are aimed at, and their mean distance."""

    def actions(self) -> tuple[Tensor, Tensor]:
        """As ``Expert.actions``: programs that were found, some of them transformed (augmentation)."""
        chosen = self.found.sample(self.batch, self.generator)
        programs = chosen["programs"].transpose(0, 1).long()
        augmented = torch.rand(self.batch, generator=self.generator) < self.options.augmentation
        transformed = augment(self.space, programs, self.generator, perturbed=self.agent.conditional)
        programs = torch.where(augmented[:, None], transformed, programs)
        if self.agent.conditional:
            programs, real = self._mirror(programs, self.source.take(chosen["rows"]))
            painted = execute(self.renderer, programs)
            self.episodes.aim(torch.where(augmented[:, None, None, None], painted, real))
        return self.world.correct(self.space, programs, self._perturb)

    def _mirror(self, programs: Tensor, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Programs ``int64[T, B, P]`` and pictures ``uint8[B, H, W, C]`` as they are shown."""
        return programs, pictures

    def tensors(self) -> dict[str, Tensor]:
        """The programs that were found, and the rows of their pictures."""
        return self.found.tensors()

    def counters(self) -> dict[str, float]:
        """How many were found."""
        return {"found": self.found.added}

    def load(self, tensors: Mapping[str, Tensor], counters: Mapping[str, float]) -> None:
        """As ``Expert.load``."""
        self.found.load(tensors, int(counters["found"]))


class SearchPrograms(FoundPrograms):
    """Search refines what the policy draws or, as long as that comes closer, what greedy lookahead finds.

    Lookahead is over mixed proposals. An unconditional policy cannot propose anything for a picture: its first programs
    come from residual proposals, put in a standard order (``World.order``), and later ones start from the program of
    the most similar picture. So pictures that look alike have programs that are alike, which are easier to learn.
    """

    options: SearchExpert

    def __post_init__(self) -> None:
        super().__post_init__()
        self.lookahead_error = 0.0  # mean squared error of the last lookahead
        self.simulator = Simulator(self.renderer, self.options.candidates, self.config.run.threads)
        residual = self.world.proposals(self.space)
        self.proposer = MixedProposals(self.actor, residual) if self.agent.conditional else residual

    def counters(self) -> dict[str, float]:
        """How many were found, and how close lookahead came."""
        return super().counters() | {"lookahead_error": self.lookahead_error}

    def load(self, tensors: Mapping[str, Tensor], counters: Mapping[str, float]) -> None:
        """As ``Expert.load``."""
        super().load(tensors, counters)
        self.lookahead_error = float(counters["lookahead_error"])

    def _find(self) -> tuple[Tensor, float]:
        result = self._improve_on_policy() if self.agent.conditional else self._improve_on_similar()
        return result.actions, -result.scores.mean().item()

    def _improve_on_policy(self) -> Refinement:
        """What the policy draws or what greedy lookahead finds, refined."""
        drawings = self.drawings
        collect(self.renderer, self.actor, drawings, self.generator, self.agent.temperature)
        if drawings.distance[-1].mean() > self.lookahead_error:
            greedy_lookahead(self.renderer, self.simulator, self.proposer, drawings, self.generator)
            self.lookahead_error = drawings.distance[-1].mean().item()
        return self._refine(drawings.actions)

    def _improve_on_similar(self) -> Refinement:
        """The programs found for the most similar pictures, refined; at first what lookahead finds, in order."""
        if self.found.added < FIRST_PROGRAMS:
            greedy_lookahead(self.renderer, self.simulator, self.proposer, self.drawings, self.generator)
            result = self._refine(self.drawings.actions)
            ordered = self.world.order(self.space, result.actions)
            return result if ordered is None else self._refine(ordered)
        known = self.source.take_preprocessed(self.found.all("rows"), self.agent.resolution)
        nearest = torch.cdist(self.drawings.target.flatten(1), known.flatten(1)).argmin(dim=1)
        return self._refine(self.found.take(nearest)["programs"].transpose(0, 1).long())

    def _refine(self, actions: Tensor) -> Refinement:
        """Programs ``int64[T, B, P]`` for the pictures that the drawings are aimed at, refined."""
        kind = self.world.refinement(self.renderer)
        refinement = kind(self.renderer, self.simulator, self.drawings.targets, actions, self.proposer)
        for _ in range(self.options.sweeps):
            refinement.sweep(self.generator)
        return refinement


class JointPrograms(FoundPrograms):
    """Programs that joint search finds, which asks no policy: any number of updates learn from the same programs."""

    options: JointExpert

    def _find(self) -> tuple[Tensor, float]:
        settings, goals = self.agent.renderer, self.drawings.goal.numpy()
        seed = int(torch.randint(2**31, (), generator=self.generator))
        found = self.world.joint_programs(settings, goals, self.agent.horizon, self.options.sweeps, seed)
        programs = torch.from_numpy(found)
        replay(self.renderer, self.drawings, programs)
        return programs, self.drawings.distance[-1].mean().item()

    def _mirror(self, programs: Tensor, pictures: Tensor) -> tuple[Tensor, Tensor]:
        return mirror(self.space, programs, pictures, self.generator) if self.options.mirror else (programs, pictures)


class FilePrograms(Expert):
    """The programs of a file, in turn; the first ones once more where their number is no multiple of the batch."""

    options: FileExpert

    def __post_init__(self) -> None:
        """``ValueError`` naming the first program that does not fit the run."""
        super().__post_init__()
        programs = load_alike(self.options.path, self.renderer.settings(), self.agent.horizon)
        self.programs = torch.from_numpy(np.stack([program.actions for program in programs]))
        self.fixed, self.next = len(programs), 0

    def actions(self) -> tuple[Tensor, Tensor]:
        """As ``Expert.actions``, nothing perturbed."""
        rows = torch.arange(self.next, self.next + self.batch) % len(self.programs)
        self.next += self.batch
        programs = self.programs[rows].transpose(0, 1).contiguous()
        return programs, programs


class AgentActions(Expert):
    """What a conditional agent does for pictures of the data.

    Unlike a file it knows the right action on any canvas, also after a perturbed action; a policy is soon on canvases
    that no program of a file passed.
    """

    uses: ClassVar[int] = 3

    options: AgentExpert

    def __post_init__(self) -> None:
        """``ValueError`` unless the agent is conditional and has the run's renderer."""
        super().__post_init__()
        name = self.options.agent
        self.expert = load_agent(name, "native")
        if not self.expert.config.conditional:
            raise ValueError(f"expert.agent is {name!r}, which is unconditional: name an agent that is given pictures")
        ours, its = self.renderer.settings(), self.expert.config.make_renderer(1).settings()
        if key := first_difference(ours, its):
            raise ValueError(
                f"expert.agent is {name!r}, with renderer.{key} {its.get(key)!r}: this run has {ours[key]!r}"
            )
        self.drawings = EpisodeBatch.empty(replace(self.expert.config, horizon=self.agent.horizon), self.renderer)

    def actions(self) -> tuple[Tensor, Tensor]:
        """As ``Expert.actions``: in every state the agent's action, also after a perturbed one."""
        asked: list[Tensor] = []

        def perturbed(actions: Tensor) -> Tensor:
            asked.append(actions)
            return self._perturb(actions)

        drawings, agent = self.drawings, self.expert
        drawings.aim(self.source.draw(self.batch, self.generator))
        collect(self.renderer, agent.policy, drawings, self.generator, agent.config.temperature, perturb=perturbed)
        if self.agent.conditional:
            self.episodes.aim(drawings.goal)
        return torch.stack(asked), drawings.actions


EXPERTS: dict[type[Any], type[Expert]] = {
    SearchExpert: SearchPrograms,
    JointExpert: JointPrograms,
    RandomExpert: RandomPrograms,
    FileExpert: FilePrograms,
    AgentExpert: AgentActions,
}
"""The expert of each section of a configuration."""
