"""The critic learner: gradient steps on real pictures and on painted ones from the replay buffer."""

from collections.abc import Callable
from math import nan

import torch
from torch import Tensor

from limner.agents.rollout import EpisodeBatch
from limner.models.config import CriticConfig
from limner.models.critic import Critic, complement
from limner.training.buffers import RingBuffer
from limner.training.finite import FiniteGuard
from limner.training.losses import gradient_penalty, logistic_critic_loss, wasserstein_critic_loss
from limner.training.policy_learner import Scalars

Draw = Callable[[int, torch.Generator], Tensor]


class CriticLearner:
    """Teaches the critic to tell real pictures from those in the replay buffer.

    ``real(count, generator)`` draws ``float32[count, C, R, R]``, or ``2C`` channels with targets.
    """

    def __init__(self, critic: Critic, real: Draw, config: CriticConfig, generator: torch.Generator) -> None:
        self.critic, self.real, self.config, self.generator = critic, real, config, generator
        self.optimizer = torch.optim.Adam(critic.parameters(), lr=config.learning_rate, betas=(0.5, 0.999), fused=True)
        self.guard = FiniteGuard("critic", self.optimizer)
        self.taken = 0

    def step(self, replay: RingBuffer) -> Scalars:
        """``config.steps_per_update`` gradient steps. The losses' means and the gap ``E D(real) − E D(painted)``.

        Both are NaN when no step was taken.
        """
        taken = [step for _ in range(self.config.steps_per_update) if (step := self._step(replay)) is not None]
        gap, penalty = (sum(values) / len(taken) for values in zip(*taken, strict=True)) if taken else (nan, nan)
        return {"critic/gap": gap, "critic/penalty": penalty}

    def _step(self, replay: RingBuffer) -> tuple[float, float] | None:
        """One gradient step; its gap and its penalty, None when it was skipped."""
        config, device = self.config, self.generator.device
        real, fake = self._batch(replay)
        scores_real, scores_fake = self.critic(torch.cat([real, fake])).chunk(2)
        loss_of = wasserstein_critic_loss if config.loss == "wasserstein" else logistic_critic_loss
        loss, penalty = loss_of(scores_real, scores_fake), torch.zeros((), device=device)
        if config.gradient_penalty:
            count = max(1, round(config.gradient_penalty_share * config.batch_size))
            mix = torch.rand(count, generator=self.generator, device=device)
            penalty = gradient_penalty(self.critic, real[:count], fake[:count], mix)
            loss = loss + config.gradient_penalty * penalty
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        values = {"real": real, "painted": fake, "scores_real": scores_real, "scores_painted": scores_fake}
        if not self.guard.step(loss, values | {"penalty": penalty}):
            return None
        self.critic.centre(torch.cat([scores_real, scores_fake]).detach())
        self.taken += 1
        return (scores_real.mean() - scores_fake.mean()).item(), penalty.item()

    def _batch(self, replay: RingBuffer) -> tuple[Tensor, Tensor]:
        """Real and painted pictures of a gradient step, as many of each."""
        count = self.config.batch_size
        real, fake = self.real(count, self.generator), replay.sample(count, self.generator)["pictures"]
        if self.config.target == "complement":
            sides = torch.randint(4, (count,), generator=self.generator, device=self.generator.device)
            return complement(real, sides), complement(fake, sides)
        return real, fake


@torch.no_grad()
def score(critic: Critic, episodes: EpisodeBatch) -> Tensor:
    """The critic's score of every canvas of every episode, ``float32[T + 1, B]``.

    A complement critic is shown the same half of all canvases of an episode.
    """
    canvases, batch = episodes.observed.shape[:2]
    pictures = episodes.observed
    if episodes.target.shape[1]:
        pictures = torch.cat([pictures, episodes.target.expand(canvases, *episodes.target.shape)], dim=2)
    pictures = pictures.flatten(0, 1)
    if critic.complement:
        pictures = complement(pictures, torch.arange(batch, device=pictures.device).repeat(canvases) % 4)
    return critic.score(pictures).view(canvases, batch)
