"""Imitation: the policy learns, by maximum likelihood, what a teacher advises.

Notable choices:
- The teacher ``search`` looks for programs of pictures of the data. It refines what the policy draws, or, as long as
  that comes closer, what the policy and chance propose and looking ahead chooses. What it finds is remembered and
  learnt: expert iteration (Anthony et al. 2017).
- The teacher ``random`` draws random programs, which are right for the pictures that they paint.
- The teacher ``programs`` is a file of programs, for instance of a whole data set (``limner parse``).
- The teacher ``agent`` is an agent with targets that draws pictures of the data. Unlike a file it can be asked what is
  right on any canvas, also on one where something went wrong.
- A policy without targets becomes a prior over programs: those of the file, of the agent, or those that the search
  finds. It cannot propose anything, so chance makes up the first programs, whose strokes are arranged
  (``stroke_order``). All later ones descend from the program of the most similar picture: what looks alike is
  then drawn alike, and much easier to learn.
- Lessons of remembered programs are painted anew for every update. Some are dreams, variations of programs towards the
  pictures that these paint; without targets, whole programs are turned and stretched, but no action on its own, which
  nothing would make right. And some actions are done a little wrong (slips), so that the policy sees canvases on which
  something went wrong and what is right there nevertheless (Ross et al. 2011; Laskey et al. 2017, "DART").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from limner.agents.agent import Agent, load_agent
from limner.agents.rollout import EpisodeBatch, collect, follow, paint
from limner.data.picture_source import PictureSource
from limner.programs.program import first_difference, load_alike
from limner.search.lookahead import Proposer, Simulator, greedy_lookahead, vary
from limner.training.config import Config
from limner.training.imitation.augmentation import correct, dream, random_programs
from limner.training.imitation.lessons import Lessons
from limner.training.policy_learner import Metrics
from limner.training.trainer import Training
from limner.worlds.observation import preprocess
from limner.worlds.paint.refinement import Refinement
from limner.worlds.paint.stroke_order import can_order_strokes, order_strokes
from limner.worlds.proposals import MixedProposals, ResidualProposals
from limner.worlds.scenes.refinement import refine
from limner.worlds.world import Renderer

REUSED = 3
"""Times that a lesson by an agent is learnt: asking costs as much as learning does."""
FOREBEARS = 64
"""Programs that a prior's search makes up by chance; later ones are descended from the most similar picture's."""


class Imitation(Training):
    """A policy and its teacher."""

    def __init__(self, config: Config, source: PictureSource) -> None:
        if config.device != "cpu":
            raise ValueError(f"device is {config.device!r}: imitation works on the CPU only; use --device cpu")
        super().__init__(config, source)
        self.episodes = EpisodeBatch.empty(config, self.renderer)
        settings = config.imitation
        if settings.teacher == "programs":
            programs = read_actions(settings.programs, self.renderer.settings(), config.steps)
            self.lessons = Lessons(len(programs), self.episodes)
            self._remember_all(programs)
            return
        if settings.teacher == "agent":
            self.teacher = load_teacher(settings.agent, self.renderer)
            self.sketches = EpisodeBatch.empty(replace(self.teacher.config, steps=config.steps), self.renderer)
        used = REUSED if settings.teacher == "agent" else 1
        painted = -(-settings.steps * settings.batch // (used * config.batch)) * config.batch
        self.lessons, self.spare = (Lessons(painted, self.episodes) for _ in range(2))
        if settings.teacher == "search":
            self.known = torch.zeros(settings.memory, *self.episodes.actions[:, 0].shape, dtype=torch.int32)
            self.rows = torch.zeros(settings.memory, dtype=torch.int64)
            self.found = 0
            self.looked_ahead = 0.0  # how close the last look ahead came
            self.simulator = Simulator(self.renderer, settings.tries, config.threads)
            self.sketches = EpisodeBatch.empty(replace(config, conditional=True, opening=None), self.renderer)

    def update(self, progress: float) -> Metrics:
        """Learn from lessons while the teacher prepares new ones."""
        again = self.config.imitation.teacher == "programs"
        if not len(self.lessons):
            self._teach()
            self.lessons, self.spare = self.spare, self.lessons
        other_side = self._beside(dict if again else self._teach)
        metrics = self.policy_learner.imitate(self.lessons, self.config.imitation, progress)
        metrics |= other_side.result()
        if not again:
            self.lessons, self.spare = self.spare, self.lessons
        self.actor.load_state_dict(self.policy_learner.policy.state_dict())
        self.updates += 1
        return metrics

    def tensors(self) -> dict[str, Tensor]:
        """The lessons, and the programs that were found."""
        if self.config.imitation.teacher != "search":
            return self.lessons.tensors()
        return self.lessons.tensors() | {"known": self.known[: self.found], "rows": self.rows[: self.found]}

    def counters(self) -> dict[str, float]:
        """Numbers that change from update to update."""
        counters = super().counters() | {"lessons": self.lessons.added}
        if self.config.imitation.teacher == "search":
            counters |= {"found": self.found, "looked_ahead": self.looked_ahead}
        return counters

    def load(self, tensors: Mapping[str, Tensor], counters: Mapping[str, float]) -> None:
        """Put back what ``tensors`` and ``counters`` gave."""
        super().load(tensors, counters)
        self.lessons.load(tensors, int(counters["lessons"]))
        if self.config.imitation.teacher == "search":
            self.found, self.looked_ahead = int(counters["found"]), float(counters["looked_ahead"])
            self.known[: len(tensors["known"])] = tensors["known"]
            self.rows[: len(tensors["rows"])] = tensors["rows"]

    def _teach(self) -> Metrics:
        """Find programs, then fill ``spare`` with lessons."""
        metrics = self._search() if self.config.imitation.teacher == "search" else {}
        self.spare.added = 0
        for _ in range(len(self.spare.advice) // self.config.batch):
            self._paint_lessons()
        return metrics

    def _search(self) -> Metrics:
        """Programs of some pictures of the data, into the memory."""
        rows = torch.randint(len(self.source), (self.config.batch,), generator=self.generators["acting"])
        self.sketches.aim(self.source.take(rows))
        found = self._improve_on_policy() if self.config.conditional else self._improve_on_forebears()
        places = torch.arange(self.found, self.found + len(rows)) % len(self.known)
        self.known[places] = found.actions.transpose(0, 1).int()
        self.rows[places] = rows
        self.found += len(rows)
        return {"search/distance": -found.scores.mean().item()}

    def _improve_on_policy(self) -> Refinement:
        """What the policy draws, or, as long as that comes closer, what looking ahead finds; refined."""
        sketches, generator = self.sketches, self.generators["acting"]
        collect(self.renderer, self.actor, sketches, generator, self.config.temperature)
        if sketches.distance[-1].mean() > self.looked_ahead:
            self._look_ahead(MixedProposals(self.actor, self.renderer.actions))
            self.looked_ahead = sketches.distance[-1].mean().item()
        return self._refine(sketches.actions)

    def _improve_on_forebears(self) -> Refinement:
        """The known programs of the most similar pictures, refined; the first are made up by chance and arranged."""
        space = self.renderer.actions
        if self.found < FOREBEARS:
            self._look_ahead(ResidualProposals(space))
            found = self._refine(self.sketches.actions)
            return self._refine(order_strokes(space, found.actions)) if can_order_strokes(space) else found
        pictures = self.source.take(self.rows[: self.found])
        known, goals = preprocess(pictures, self.config.resolution).flatten(1), self.sketches.target.flatten(1)
        nearest = torch.cdist(goals, known).argmin(dim=1)
        return self._refine(self.known[nearest].transpose(0, 1).long())

    def _look_ahead(self, proposer: Proposer) -> None:
        greedy_lookahead(self.renderer, self.simulator, proposer, self.sketches, self.generators["acting"])

    def _refine(self, actions: Tensor) -> Refinement:
        """Programs ``int64[T, B, P]`` of what is sketched, refined."""
        renderer, sketches = self.renderer, self.sketches
        proposer = (
            MixedProposals(self.actor, renderer.actions)
            if self.config.conditional
            else ResidualProposals(renderer.actions)
        )
        refinement = refine(renderer, self.simulator, sketches, actions, proposer, self.config.threads)
        for _ in range(self.config.imitation.sweeps):
            refinement.sweep(self.generators["acting"])
        return refinement

    def _paint_lessons(self) -> None:
        """A batch of lessons into ``spare``."""
        if self.config.imitation.teacher == "agent":
            advice, done = self._demonstrate()
        else:
            advice, done = correct(self.renderer.actions, self._right_programs(), self._slip)
        self.episodes.noise.normal_(generator=self.generators["acting"])
        follow(self.renderer, self.episodes, done)
        self.spare.add(self.episodes, advice)

    def _right_programs(self) -> Tensor:
        """Programs ``int64[T, B, P]``, random or remembered, that are right for what the episodes are aimed at."""
        generator, episodes, space = self.generators["acting"], self.episodes, self.renderer.actions
        settings = self.config.imitation
        if settings.teacher == "random":
            actions = random_programs(space, episodes.actions.shape, generator)
            episodes.aim(paint(self.renderer, actions))
            return actions
        chosen = torch.randint(min(self.found, len(self.known)), (self.config.batch,), generator=generator)
        known = self.known[chosen].transpose(0, 1).long()
        dreaming = torch.rand(self.config.batch, generator=generator) < settings.dreams
        dreamt = dream(space, known, generator, retouched=self.config.conditional)
        actions = torch.where(dreaming[:, None], dreamt, known)
        if self.config.conditional:
            real = self.source.take(self.rows[chosen])
            episodes.aim(torch.where(dreaming[:, None, None, None], paint(self.renderer, actions), real))
        return actions

    def _demonstrate(self) -> tuple[Tensor, Tensor]:
        """Let the agent draw pictures of the data: what it would do in each state, and what was done there instead.

        Both are ``int64[T, B, P]``; they differ where the hand slipped.
        """
        generator, sketches, agent = self.generators["acting"], self.sketches, self.teacher
        advice: list[Tensor] = []

        def hand(actions: Tensor) -> Tensor:
            advice.append(actions)
            return self._slip(actions)

        sketches.aim(self.source.draw(self.config.batch, generator))
        collect(self.renderer, agent.policy, sketches, generator, agent.config.temperature, hand=hand)
        if self.config.conditional:
            self.episodes.aim(sketches.goal)
        return torch.stack(advice), sketches.actions

    def _slip(self, actions: Tensor) -> Tensor:
        """Canonical ``actions`` int64[…, P], some of them done a little wrong."""
        generator = self.generators["acting"]
        varied = vary(self.renderer.actions, actions.flatten(0, -2), generator).view_as(actions)
        slips = torch.rand(actions.shape[:-1], generator=generator) < self.config.imitation.slips
        return torch.where(slips[..., None], varied, actions)

    def _remember_all(self, programs: Tensor) -> None:
        """Paint ``programs`` int64[N, T, P] and keep them as lessons, the last ones painted twice if need be."""
        batch = self.config.batch
        for start in range(0, len(programs), batch):
            rows = torch.arange(start, start + batch) % len(programs)
            actions = programs[rows].transpose(0, 1).contiguous()
            follow(self.renderer, self.episodes, actions)
            self.lessons.add(self.episodes, actions)


def read_actions(path: str, settings: dict[str, Any], steps: int) -> Tensor:
    """The actions ``int64[N, steps, P]`` of the programs in ``path`` (JSON lines): see ``load_alike``."""
    return torch.from_numpy(np.stack([program.actions for program in load_alike(path, settings, steps)]))


def load_teacher(name: str, renderer: Renderer) -> Agent:
    """The agent called ``name``, or in the folder ``name``; ``ValueError`` unless it has targets and this renderer."""
    agent = load_agent(name)
    if not agent.config.conditional:
        raise ValueError(f"imitation.agent is {name!r}, which draws without targets: name one that is given pictures")
    settings, its = renderer.settings(), agent.config.make_renderer(1).settings()
    if key := first_difference(settings, its):
        raise ValueError(
            f"imitation.agent is {name!r}, with renderer.{key} {its.get(key)!r}: this run has {settings[key]!r}"
        )
    return agent
