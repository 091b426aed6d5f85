"""A critic that sees the program beside the picture against one that sees the picture alone, from the same agent.

    limner parse mnist --agent mnist-reconstruct --out programs.jsonl
    python experiments/joint_critic.py --start runs/prior --programs programs.jsonl --out runs/joint-critic

``--start`` is an unconditional agent, as ``recipes/mnist.sh`` makes it. Both kinds of runs go on from it with SPIRAL
and are held near it. They differ in the critic alone; the same seed paints the same first episodes. Frames are equal;
minutes stand in the table, whose first row is the agent itself.

Notable choices:
- A joint critic (Donahue et al. 2017, "BiGAN"; Dumoulin et al. 2017, "ALI") reads the program by convolutions along it,
  since a stroke starts where the last one ended, and joins both in a hidden layer: whether a picture and a program
  belong together is no sum of two scores. Real are pictures of the data with the programs that were found for them.
- The gradient penalty needs points between a real and a painted pair. So a program is described by numbers between
  which one can move: a location by its coordinates, a scale by its rank, a verb by one number for each of its values. 0
  stands for what does not count, and an action that is not there is all zeros, as is the padding of a convolution.
- A picture and its program lie in one vector: what keeps, draws, mixes and penalises pictures does so with pairs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
import tyro
from torch import Tensor, nn

from limner.actions import ActionSpace, Part
from limner.agents.agent import load_agent
from limner.agents.rollout import EpisodeBatch
from limner.data import load_dataset
from limner.data.picture_source import PictureSource
from limner.models.config import CriticConfig
from limner.models.critic import PixelCritic
from limner.models.encoder import Draw
from limner.programs.program import Program, load_alike
from limner.training import make_trainer, register
from limner.training.buffers import RingBuffer
from limner.training.evaluation import Record, make_evaluation
from limner.training.presets import PRESETS
from limner.training.progress import watch
from limner.training.run import train_once
from limner.training.spiral.config import SpiralConfig
from limner.training.spiral.critic_learner import CriticLearner, CriticSide
from limner.training.spiral.trainer import SpiralTrainer
from limner.worlds.observation import preprocess
from limner.worlds.validation import require
from limner.worlds.world import Renderer

READING, JOINED = 32, 128
"""Channels of the convolutions along a program; width of the layer where picture and program meet."""
FIGURES = (
    "frechet", "normalised_frechet", "precision", "coverage",
    "plain_normalised_frechet", "plain_precision", "plain_coverage", "entropy", "empty",
)  # fmt: skip


def describe(actions: Tensor, space: ActionSpace) -> Tensor:
    """Actions ``int64[…, P]`` as ``float32[…, F]``, part by part, parts that do not count as zeros.

    A verb has as many numbers as values, a location two, (x, y) in (−1, 1) with the middle of its grid in the middle,
    any other part its rank in (0, 1], so that no value is 0.
    """
    verb = torch.zeros_like(actions[..., 0]) if space.verb is None else actions[..., space.verb]
    counting = torch.from_numpy(space.mask_table).to(actions.device)[verb]
    described = [
        _numbers(part).to(actions.device)[actions[..., i]] * counting[..., i, None]
        for i, part in enumerate(space.parts)
    ]
    return torch.cat(described, dim=-1)


def description_shape(space: ActionSpace, steps: int) -> tuple[int, int]:
    """Shape (T, F) of the description of a program of ``steps`` actions."""
    return steps, sum(_numbers(part).shape[1] for part in space.parts)


def join(pictures: Tensor, descriptions: Tensor) -> Tensor:
    """Pairs ``float32[N, C·R·R + T·F]`` of pictures ``float32[N, C, R, R]`` and programs ``float32[N, T, F]``."""
    return torch.cat([pictures.flatten(1), descriptions.flatten(1)], dim=1)


def separate(pairs: Tensor, shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Pixels ``float32[N, C·R·R]`` and programs ``float32[N, T, F]`` of pairs, where ``shape`` is (T, F)."""
    pixels = pairs.shape[1] - shape[0] * shape[1]
    return pairs[:, :pixels], pairs[:, pixels:].reshape(-1, *shape)


def cut(pairs: Tensor, lengths: Tensor, shape: tuple[int, int]) -> Tensor:
    """Pairs whose programs, described in ``shape`` (T, F), end after the first ``lengths`` int64[N] actions."""
    pictures, programs = separate(pairs, shape)
    kept = torch.arange(shape[0], device=pairs.device) < lengths[:, None]
    return join(pictures, programs * kept[..., None])


def _numbers(part: Part) -> Tensor:
    """What stands for each value of ``part``, ``float32[size, F of the part]``."""
    if part.verbs:
        return torch.eye(part.size)
    values = torch.arange(part.size)
    if part.grid is None:
        return (values[:, None] + 1) / part.size
    rows, columns = part.grid
    x, y = (values % columns + 0.5) / columns, (values // columns + 0.5) / rows
    return torch.stack([x, y], dim=1) * 2 - 1


class Pairs:
    """The programs in a file that ``limner parse`` wrote, described, and the rows of their pictures in a source.

    The picture is that of the data, not what the program paints. Pictures without a program are not shown.
    """

    def __init__(self, path: str, data: str, source: PictureSource, renderer: Renderer, steps: int) -> None:
        """``source`` is the train split of ``data``; the programs have ``steps`` actions for ``renderer``.

        ``ValueError`` naming the first program in ``path`` that does not fit.
        """
        programs = load_alike(path, renderer.settings(), steps)
        self.source = source
        self.rows = torch.tensor([_row(path, i, p, f"{data} train", len(source)) for i, p in enumerate(programs)])
        actions = torch.from_numpy(np.stack([program.actions for program in programs]))
        self.programs = describe(actions, renderer.actions)

    def draw(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Pictures ``uint8[count, size, size, C]`` and programs ``float32[count, T, F]``, repeats allowed."""
        chosen = torch.randint(len(self.rows), (count,), generator=generator, device=generator.device).cpu()
        return self.source.take(self.rows[chosen]), self.programs[chosen]


def _row(path: str, number: int, program: Program, split: str, count: int) -> int:
    """The row of the picture that a program is of, by its title."""
    name, _, row = program.title.rpartition(" ")
    if name != split or not row.isdecimal():
        raise ValueError(
            f"{path}: program {number} has the title {program.title!r}, not {f'{split} {number}'!r}: the programs "
            "must be of the pictures of the data, as limner parse writes them without --limit"
        )
    if int(row) >= count:
        raise ValueError(f"{path}: program {number} is of picture {row}, the data have {count} pictures")
    return int(row)


@dataclass(frozen=True)
class JointConfig(SpiralConfig):
    """A run of SPIRAL whose critic sees pictures and programs."""

    algorithm: ClassVar[str] = "joint"
    trainer: ClassVar[str] = f"{__name__}:JointTrainer"
    programs: str = ""
    """Programs of the pictures of the data, as ``limner parse`` writes them."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(not self.agent.conditional, "conditional is True: a joint critic is for unconditional agents")


class JointCritic(PixelCritic):
    """Scores pairs ``float32[N, D]`` of pictures and described programs."""

    def __init__(self, config: CriticConfig, channels: int, resolution: int, space: ActionSpace, steps: int) -> None:
        """``steps`` is the number of actions of a program."""
        super().__init__(config, channels, resolution)
        self.picture, self.description = (channels, resolution, resolution), description_shape(space, steps)
        self.reading = nn.ModuleList(
            nn.Conv1d(inputs, READING, 3, padding=1) for inputs in (self.description[1], READING)
        )
        self.joining = nn.Linear(self.output.in_features + steps * READING, JOINED)
        self.output = nn.Linear(JOINED, 1)

    def _hidden(self, pairs: Tensor) -> Tensor:
        pixels, programs = separate(pairs, self.description)
        seen, read = super()._hidden(pixels.reshape(-1, *self.picture)), programs.transpose(1, 2)
        for convolution in self.reading:
            read = F.leaky_relu(convolution(read), 0.2)
        return F.leaky_relu(self.joining(torch.cat([seen, read.flatten(1)], dim=1)), 0.2)


class JointCriticLearner(CriticLearner):
    """Teaches a joint critic. Of half of the programs, on both sides, it is shown the first actions only: see
    ``JointTrainer._score``."""

    critic: JointCritic

    def _batch(self, real: Draw, replay: RingBuffer) -> tuple[Tensor, Tensor]:
        pairs, fake = super()._batch(real, replay)
        steps, _ = self.critic.description
        lengths = torch.randint(2 * steps, (len(pairs),), generator=self.generator, device=self.generator.device)
        lengths = lengths.clamp(max=steps)
        return cut(pairs, lengths, self.critic.description), cut(fake, lengths, self.critic.description)


class JointCriticSide(CriticSide):
    """A joint critic that learns, with real pairs and a replay buffer of painted ones."""

    def __init__(self, config: JointConfig, source: PictureSource) -> None:
        agent = config.agent
        self.pairs = Pairs(config.programs, config.run.data, source, agent.make_renderer(1), agent.horizon)
        super().__init__(config, source)

    @classmethod
    def make_critic(cls, config: JointConfig) -> JointCritic:
        """As ``CriticSide.make_critic``."""
        agent = config.agent
        channels = agent.make_renderer(1).shape[2]
        critic = JointCritic(config.critic, channels, agent.resolution, agent.actions, agent.horizon)
        return critic.to(config.device)

    def make_learner(self, critic: JointCritic, generator: torch.Generator) -> CriticLearner:
        """As ``CriticSide.make_learner``."""
        return JointCriticLearner(critic, self.config.critic, generator)

    def real(self, count: int, generator: torch.Generator) -> Tensor:
        """Pictures of the data with the programs that were found for them, ``float32[count, D]``."""
        pictures, programs = self.pairs.draw(count, generator)
        return join(preprocess(pictures, self.resolution), programs).to(self.config.device)


class JointTrainer(SpiralTrainer):
    """SPIRAL with a joint critic."""

    config: JointConfig
    critic_type: ClassVar[type[CriticSide]] = JointCriticSide

    def _painted(self, episodes: EpisodeBatch) -> Tensor:
        return join(episodes.final, self._described(episodes))

    @torch.no_grad()
    def _score(self, episodes: EpisodeBatch) -> Tensor:
        """The frozen critic's score of each canvas that was observed, beside the actions that were done so far."""
        canvases, batch = episodes.observed.shape[:2]
        pairs = join(episodes.observed.flatten(0, 1), self._described(episodes).repeat(canvases, 1, 1))
        done = torch.arange(episodes.steps + 1, device=pairs.device)[-canvases:].repeat_interleave(batch)
        return self.frozen_critic.score(cut(pairs, done, self.frozen_critic.description)).view(canvases, batch)

    def _described(self, episodes: EpisodeBatch) -> Tensor:
        return describe(episodes.actions.transpose(0, 1), self.space)


register(JointConfig)


@dataclass(frozen=True)
class Comparison:
    """Both critics, from several seeds."""

    start: str
    """An unconditional agent, by its name or folder."""
    programs: Path
    """Programs of the pictures of ``data``, as ``limner parse`` writes them."""
    data: str = "mnist"
    seeds: tuple[int, ...] = (0, 1, 2)
    frames: int = 500_000
    threads: int = 2
    out: Path = Path("runs/joint-critic")

    def config(self, seed: int) -> SpiralConfig:
        """The run of one seed whose critic sees pictures: the preset ``mnist``, held near its start."""
        preset: Any = PRESETS["mnist"].config
        limits = {"frames": self.frames, "threads": self.threads, "keep": 1}
        near = {"target_kl": 0.03, "kl_prior_cost": 0.02, "entropy_floor": 0.0, "entropy_cost": 0.0}
        return SpiralConfig(
            load_agent(self.start).config,
            replace(preset.run, data=self.data, start=self.start, seed=seed, **limits),
            critic=replace(preset.critic, steps_per_update=6),
            learning=replace(preset.learning, learning_rate=3e-4, **near),
        )


def measure_start(config: SpiralConfig) -> Record:
    """The figures of the agent that a run of ``config`` starts from."""
    train_data, test_data = (load_dataset(config.run.data, split) for split in ("train", "test"))
    trainer = make_trainer(config, PictureSource(train_data, config.agent.renderer.canvas))
    trainer.start_from(load_agent(config.run.start).policy)
    return make_evaluation(config, train_data, test_data).measure(trainer)


def row(cells: tuple[str, ...], figures: Mapping[str, Any]) -> str:
    """One row of the table, in Markdown."""
    return f"| {' | '.join(cells)} | {' | '.join(f'{figures[name]:.3f}' for name in FIGURES)} |"


def main(comparison: Comparison) -> None:
    """Run what is missing, then print the table."""
    torch.set_num_threads(1)
    rows = [(("start", "", "", ""), measure_start(comparison.config(comparison.seeds[0])))]
    for seed in comparison.seeds:
        picture = comparison.config(seed)
        joint = JointConfig(**vars(picture), programs=str(comparison.programs))
        for kind, config in (("picture", picture), ("joint", joint)):
            with watch(config) as report:
                record = train_once(config, comparison.out / f"{kind}-{seed}", report)
            rows.append(((kind, str(seed), f"{record['frames']:,}", f"{record['minutes']:.1f}"), record))
    reference = json.loads((comparison.out / f"picture-{comparison.seeds[0]}" / "reference.json").read_text())
    print(f"\n| critic | seed | frames | minutes | {' | '.join(FIGURES)} |")
    print("|---" * (len(FIGURES) + 4) + "|")
    print(*(row((name, "", "", ""), reference[name]) for name in ("real", "random")), sep="\n")
    for cells, record in rows:
        print(row(cells, {key.removeprefix("eval/"): value for key, value in record.items()}))


if __name__ == "__main__":
    main(tyro.cli(Comparison, description=__doc__))
