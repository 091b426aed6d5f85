"""The critic learner: gradient steps on real pictures and on painted ones from the replay buffer."""

import time
from collections.abc import Mapping
from math import nan
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from limner.agents.rollout import EpisodeBatch
from limner.data import load_dataset
from limner.data.picture_source import PictureSource
from limner.models.config import CriticConfig
from limner.models.critic import Critic, make_critic
from limner.models.encoder import Draw
from limner.training.buffers import RingBuffer
from limner.training.device import prepare
from limner.training.finite import FiniteGuard, Skips
from limner.training.losses import (
    gradient_penalty,
    relativistic_critic_loss,
    wasserstein_critic_loss,
    zero_centred_penalty,
)
from limner.training.part import Part, make_generator
from limner.training.policy_learner import Scalars
from limner.training.spiral.config import SpiralConfig


class CriticLearner:
    """Teaches the critic to tell real pictures from those in the replay buffer."""

    def __init__(self, critic: Critic, config: CriticConfig, generator: torch.Generator) -> None:
        self.critic, self.config, self.generator = critic, config, generator
        learnt = [parameter for parameter in critic.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.Adam(learnt, lr=config.learning_rate, betas=(0.5, 0.999), fused=True)
        self.guard = FiniteGuard("critic", self.optimizer)
        self.taken = 0

    def step(self, real: Draw, replay: RingBuffer) -> Scalars:
        """``config.steps_per_update`` gradient steps. The losses' means and the gap ``E D(real) − E D(painted)``.

        ``real(count, generator)`` draws ``float32[count, C, R, R]``, or ``2C`` channels with targets. Figures are NaN
        when no step was taken.
        """
        steps = range(self.config.steps_per_update)
        taken = [figures for _ in steps if (figures := self._step(*self._batch(real, replay))) is not None]
        rows = torch.stack(taken).tolist() if taken else [(nan, nan)]
        gap, penalty = (sum(values) / len(rows) for values in zip(*rows, strict=True))
        return {"critic/gap": gap, "critic/penalty": penalty}

    def _step(self, real: Tensor, fake: Tensor) -> Tensor | None:
        """One gradient step; its gap and its penalty ``float32[2]``, None when it was skipped."""
        config, device = self.config, self.generator.device
        embedded = self.critic.embed(torch.cat([real, fake]))
        scores_real, scores_fake = self.critic.head(embedded).chunk(2)
        real, fake = embedded.chunk(2)
        loss, penalty = self._loss(scores_real, scores_fake), torch.zeros((), device=device)
        if config.gradient_penalty:
            count = max(1, round(config.gradient_penalty_share * config.batch_size))
            if config.loss == "relativistic":
                penalty = zero_centred_penalty(self.critic.head, real[:count], fake[:count])
            else:
                mix = torch.rand(count, generator=self.generator, device=device)
                penalty = gradient_penalty(self.critic.head, real[:count], fake[:count], mix)
            loss = loss + config.gradient_penalty * penalty
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        values = {"real": real, "painted": fake, "scores_real": scores_real, "scores_painted": scores_fake}
        if not self.guard.step(loss, values | {"penalty": penalty}):
            return None
        self.critic.centre(torch.cat([scores_real, scores_fake]).detach())
        self.taken += 1
        return torch.stack([scores_real.mean() - scores_fake.mean(), penalty]).detach()

    def _loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """The loss, without the penalty, of as many scores ``[N]`` of each."""
        if self.config.loss == "relativistic":
            return relativistic_critic_loss(real, fake)
        return wasserstein_critic_loss(real, fake)

    def _batch(self, real: Draw, replay: RingBuffer) -> tuple[Tensor, Tensor]:
        """Real and painted pictures of a gradient step, as many of each."""
        count = self.config.batch_size
        return real(count, self.generator), replay.sample(count, self.generator)["pictures"]


class LearntCritic(NamedTuple):
    """What an update of the critic comes to."""

    weights: dict[str, Tensor]
    figures: Scalars
    skips: Skips


class CriticSide(Part):
    """The critic that learns, with real pictures and a replay buffer of painted ones."""

    def __init__(self, config: SpiralConfig, source: PictureSource) -> None:
        """``source``: the pictures of the run's data. ``ValueError`` without a GPU where the device is one."""
        prepare(config.device)
        self.config, self.resolution, self.conditional = config, config.agent.resolution, config.agent.conditional
        self.real_source = real_source(config, source)
        generator = make_generator("critic", config.run.seed, config.device)
        with torch.random.fork_rng(devices=[]):
            self.learner = self.make_learner(self.make_critic(config), generator)
        like = self.real(1, torch.Generator(config.device))
        self.replay = RingBuffer(config.critic.replay * config.run.episodes, {"pictures": like}, "replay")

    @classmethod
    def make_critic(cls, config: SpiralConfig) -> Critic:
        """A new critic with random weights."""
        agent = config.agent
        channels = agent.make_renderer(1).shape[2]
        return make_critic(config.critic, channels, agent.resolution, agent.conditional).to(config.device)

    def make_learner(self, critic: Critic, generator: torch.Generator) -> CriticLearner:
        """What teaches ``critic``."""
        return CriticLearner(critic, self.config.critic, generator)

    def set_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Go on from these weights."""
        self.learner.critic.load_state_dict(weights)

    def keep_skipped(self, folder: Path) -> None:
        """Keep the batches of gradient steps that are skipped in ``folder``."""
        self.learner.guard.folder = folder

    def skips(self) -> Skips:
        """The gradient steps that were skipped."""
        return self.learner.guard.skips

    def learn(self, painted: Tensor, update: int) -> LearntCritic:
        """Add ``painted`` pictures, as the critic is shown them, to the replay buffer, and learn."""
        started = time.perf_counter()
        self.learner.guard.update = update
        self.replay.add({"pictures": painted.to(self.config.device)})
        figures = self.learner.step(self.real, self.replay)
        figures["seconds/critic learning"] = time.perf_counter() - started
        return LearntCritic(self.learner.critic.state_dict(), figures, self.learner.guard.skips)

    def real(self, count: int, generator: torch.Generator) -> Tensor:
        """Real pictures as the critic is shown them; the real example for a target is the target itself."""
        pictures = self.real_source.draw_preprocessed(count, generator, self.resolution)
        return torch.cat([pictures, pictures], dim=1) if self.conditional else pictures

    def modules(self) -> dict[str, nn.Module]:
        """The critic."""
        return {"critic": self.learner.critic}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """The critic's."""
        return {"critic_adam": self.learner.optimizer}

    def generators(self) -> dict[str, torch.Generator]:
        """That of learning."""
        return {"critic": self.learner.generator}

    def tensors(self) -> dict[str, Tensor]:
        """The replay buffer."""
        return self.replay.tensors()

    def counters(self) -> dict[str, float]:
        """Numbers that change from update to update."""
        counters = {"replay": self.replay.added, "critic_steps": self.learner.taken}
        return counters | self.learner.guard.counters()

    def load(self, tensors: Mapping[str, Tensor], counters: Mapping[str, float]) -> None:
        """As ``Part.load``."""
        self.replay.load(tensors, int(counters["replay"]))
        self.learner.taken = int(counters["critic_steps"])
        self.learner.guard.load(counters)


def real_source(config: SpiralConfig, source: PictureSource) -> PictureSource:
    """What is shown to the critic as real: ``source``, the pictures of the run's data, unless others are named."""
    data = config.critic.data
    return PictureSource(load_dataset(data), config.agent.renderer.canvas) if data else source


@torch.no_grad()
def score(critic: Critic, episodes: EpisodeBatch) -> Tensor:
    """The critic's score of every canvas of every episode, ``float32[T + 1, B]``."""
    return _score(critic, episodes.observed, episodes.target)


@torch.no_grad()
def score_others(critic: Critic, episodes: EpisodeBatch) -> Tensor:
    """The same of what each episode would end with if one action were another, ``float32[T, B, K − 1]``."""
    final = episodes.others_final
    scores = [_score(critic, final[:, :, k], episodes.target) for k in range(final.shape[2])]
    return torch.stack(scores, dim=2) if scores else final.new_zeros(final.shape[:3])


def _score(critic: Critic, pictures: Tensor, target: Tensor) -> Tensor:
    """Scores ``[N, B]`` of ``pictures`` float32[N, B, C, R, R], N for each ``target`` float32[B, C or 0, R, R]."""
    count, batch = pictures.shape[:2]
    if target.shape[1]:
        pictures = torch.cat([pictures, target.expand(count, *target.shape)], dim=2)
    return critic.score(pictures.flatten(0, 1)).view(count, batch)
