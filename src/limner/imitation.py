"""Imitation: the policy learns, by maximum likelihood, what a teacher advises.

Notable choices:
- The teacher ``search`` improves on the policy's own proposals by trying them on copies of the canvas: expert iteration
  (Anthony et al. 2017). What was found is remembered for a while and learnt from several times.
- The teacher ``random`` draws random programs: the picture of each is a target for which its actions are right. These
  lessons are free and exact, and unlike any data.
- The teacher ``programs`` is a file of programs, for instance of a whole data set (``limner parse``): the policy
  becomes a prior over programs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from limner.actions import ActionSpace
from limner.config import Config
from limner.gallery import Gallery
from limner.learners import Metrics
from limner.lessons import Lessons
from limner.program import load_programs
from limner.rollout import EpisodeBatch, follow
from limner.search import Rehearsal, collect_improved
from limner.training import Training


class Imitation(Training):
    """A policy and its teacher."""

    def __init__(self, config: Config, gallery: Gallery) -> None:
        if config.device != "cpu":
            raise ValueError(f"device is {config.device!r}: imitation works on the CPU only; use --device cpu")
        super().__init__(config, gallery)
        self.episodes = EpisodeBatch.empty(config, self.renderer)
        self.advice = torch.zeros_like(self.episodes.actions)
        if config.imitation.teacher == "search":
            self.rehearsal = Rehearsal(self.renderer, config.imitation.tries, config.threads)
        if config.imitation.teacher == "programs":
            programs = read_actions(config.imitation.programs, self.renderer.settings(), config.steps)
            self.lessons = Lessons(len(programs), self.episodes)
            self._remember_all(programs)
        else:
            self.lessons = Lessons(config.imitation.memory, self.episodes)

    def update(self, progress: float) -> Metrics:
        """Learn from remembered lessons while the teacher prepares new ones."""
        if not len(self.lessons):
            self._teach()
            self.lessons.add(self.episodes, self.advice)
        other_side = self._beside(self._teach)
        metrics = self.policy_learner.imitate(self.lessons, self.config.imitation, progress)
        metrics |= other_side.result()
        if self.config.imitation.teacher != "programs":
            self.lessons.add(self.episodes, self.advice)
        self.actor.load_state_dict(self.policy_learner.policy.state_dict())
        self.updates += 1
        return metrics

    def tensors(self) -> dict[str, Tensor]:
        """The lessons."""
        return self.lessons.tensors()

    def counters(self) -> dict[str, float]:
        """Numbers that change from update to update."""
        return super().counters() | {"lessons": self.lessons.added}

    def load(self, tensors: Mapping[str, Tensor], counters: Mapping[str, float]) -> None:
        """Put back what ``tensors`` and ``counters`` gave."""
        super().load(tensors, counters)
        self.lessons.load(tensors, int(counters["lessons"]))

    def _teach(self) -> Metrics:
        """New episodes, and what is advised in them."""
        config, generator = self.config.imitation, self.generators["acting"]
        if config.teacher == "search":
            self._aim(self.episodes)
            self.advice = collect_improved(
                self.renderer, self.rehearsal, self.actor, self.episodes, generator, config.follow
            )
            return {"search/distance": self.episodes.distance[-1].mean().item()}
        if config.teacher == "random":
            self.advice = random_programs(self.renderer.actions, self.advice.shape, generator)
            follow(self.renderer, self.episodes, self.advice)
            self.episodes.aim(self.episodes.canvas)
        return {}

    def _remember_all(self, programs: Tensor) -> None:
        """Paint ``programs`` int64[N, T, P] and keep them as lessons, the last ones painted twice if need be."""
        batch = self.config.batch
        for start in range(0, len(programs), batch):
            rows = torch.arange(start, start + batch) % len(programs)
            actions = programs[rows].transpose(0, 1).contiguous()
            follow(self.renderer, self.episodes, actions)
            self.lessons.add(self.episodes, actions)


def read_actions(path: str, settings: dict[str, Any], steps: int) -> Tensor:
    """The actions ``int64[N, steps, P]`` of the programs in ``path`` (JSON lines).

    ``ValueError`` naming the first program that has another length or other renderer settings than ``settings``.
    """
    programs = load_programs(path)
    if not programs:
        raise ValueError(f"{path} holds no program")
    for i, program in enumerate(programs):
        if len(program) != steps:
            raise ValueError(f"{path}: program {i} has {len(program)} actions, this run has steps={steps}")
        different = [name for name in settings if program.renderer.get(name) != settings[name]]
        if different:
            name = different[0]
            raise ValueError(
                f"{path}: program {i} has renderer.{name} {program.renderer.get(name)!r}, this run {settings[name]!r}"
            )
    return torch.from_numpy(np.stack([program.actions for program in programs]))


def random_programs(space: ActionSpace, shape: torch.Size, generator: torch.Generator) -> Tensor:
    """Canonical random programs ``int64[T, B, P]``: small curves here and there.

    All parts are uniform but the places: those of one action lie around a centre, with a deviation of a sixth of the
    grid; every other action starts a new centre, uniform on the canvas, the others stay near the last.
    """
    steps, batch, _ = shape
    actions = torch.stack([torch.randint(size, (steps, batch), generator=generator) for size in space.sizes], dim=-1)
    centre = torch.rand(2, batch, generator=generator)
    for t in range(steps):
        again = torch.rand(batch, generator=generator) < 0.5
        centre = torch.where(again, torch.rand(2, batch, generator=generator), centre)
        for i, part in enumerate(space.parts):
            if part.grid is not None:
                rows, columns = part.grid
                y, x = centre + torch.randn(2, batch, generator=generator) / 6
                row = (y * rows).long().clamp(0, rows - 1)
                actions[t, :, i] = row * columns + (x * columns).long().clamp(0, columns - 1)
    return torch.from_numpy(space.canonical(actions.numpy()))
