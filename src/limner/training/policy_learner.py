"""The two learners. Each turns a batch into a better network, one ``step`` at a time."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor

from limner.actions import JUMP, ActionSpace
from limner.agents.rollout import EpisodeBatch
from limner.models.critic import Critic, complement
from limner.models.description import cut, describe, join
from limner.models.policy import Policy
from limner.training.buffers import Replay
from limner.training.config import CriticConfig, ImitationConfig, LearningConfig, RewardConfig
from limner.training.imitation.lessons import Lessons
from limner.training.losses import (
    clipped_surrogate_loss,
    difference_rewards,
    divergence,
    final_rewards,
    gradient_penalty,
    logistic_critic_loss,
    new_sequences,
    normalise_advantages,
    policy_gradient_loss,
    vtrace,
    wasserstein_critic_loss,
)

Metrics = dict[str, float]
Draw = Callable[[int, torch.Generator], Tensor]


class CriticLearner:
    """Teaches the critic to tell ``real`` pictures from those in the replay.

    ``real(count, generator)`` draws ``float32[count, C, R, R]``, or ``2C`` channels with targets, or pairs: see
    ``Replay``. Half of the pairs are whole; of the others a joint critic is shown the program's first actions only, as
    many on both sides: that is what it will have to score during an episode.
    """

    def __init__(self, critic: Critic, real: Draw, config: CriticConfig, generator: torch.Generator) -> None:
        self.critic, self.real, self.config, self.generator = critic, real, config, generator
        self.optimizer = torch.optim.Adam(critic.parameters(), lr=config.learning_rate, betas=(0.5, 0.999), fused=True)
        self.taken = 0

    def step(self, replay: Replay) -> Metrics:
        """``config.steps`` gradient steps. Returns the losses' means and the gap ``E D(real) − E D(painted)``."""
        config = self.config
        gap = penalty = 0.0
        for _ in range(config.steps):
            real = self.real(config.batch, self.generator)
            fake = replay.sample(config.batch, self.generator)
            if config.target == "complement":
                sides = torch.randint(4, (config.batch,), generator=self.generator, device=self.generator.device)
                real, fake = complement(real, sides), complement(fake, sides)
            if self.critic.space is not None:
                shape = steps, _ = self.critic.description
                drawn = torch.randint(2 * steps, (len(real),), generator=self.generator, device=self.generator.device)
                real, fake = (cut(pairs, drawn.clamp(max=steps), shape) for pairs in (real, fake))
            scores_real, scores_fake = self.critic(torch.cat([real, fake])).chunk(2)
            if config.loss == "wasserstein":
                count = max(1, round(config.penalised * config.batch))
                mix = torch.rand(count, generator=self.generator, device=self.generator.device)
                term = gradient_penalty(self.critic, real[:count], fake[:count], mix)
                loss = wasserstein_critic_loss(scores_real, scores_fake) + config.penalty * term
                penalty += term.item()
            else:
                loss = logistic_critic_loss(scores_real, scores_fake)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            self.critic.centre(torch.cat([scores_real, scores_fake]).detach())
            self.taken += 1
            gap += (scores_real.mean() - scores_fake.mean()).item()
        return {"critic/gap": gap / config.steps, "critic/penalty": penalty / config.steps}


@torch.no_grad()
def score(critic: Critic, episodes: EpisodeBatch) -> Tensor:
    """The critic's score of every canvas of every episode, ``float32[T + 1, B]``.

    A critic that is shown complements sees the same half of all canvases of an episode; a joint one sees beside each
    canvas the actions that were taken so far.
    """
    canvases, batch = episodes.ink.shape[:2]
    pictures = episodes.ink
    if episodes.target.shape[1]:
        pictures = torch.cat([pictures, episodes.target.expand(canvases, *episodes.target.shape)], dim=2)
    pictures = pictures.flatten(0, 1)
    if critic.complement:
        pictures = complement(pictures, torch.arange(batch, device=pictures.device).repeat(canvases) % 4)
    if critic.space is not None:
        programs = describe(episodes.actions.transpose(0, 1), critic.space).repeat(canvases, 1, 1)
        taken = torch.arange(canvases, device=pictures.device).repeat_interleave(batch)
        pictures = cut(join(pictures, programs), taken, critic.description)
    return critic.score(pictures).view(canvases, batch)


def reward(scores: Tensor, episodes: EpisodeBatch, actions: ActionSpace, config: RewardConfig) -> Tensor:
    """What each action is paid, ``float32[T, B]``.

    The critic's ``scores`` and minus the distances to the target, weighted, less the configured penalties.
    """
    scores = config.critic * scores - config.distance * episodes.distance
    rewards = difference_rewards(scores) if config.form == "differences" else final_rewards(scores)
    if config.stroke_penalty and "flag" in actions:
        down = episodes.actions[..., actions.index("flag")] != JUMP
        rewards = rewards - config.stroke_penalty * new_sequences(down)
    if config.empty_penalty:
        empty = (episodes.ink[-1] == 0).flatten(1).all(dim=1)
        rewards[-1] -= config.empty_penalty * empty
    return rewards


class PolicyLearner:
    """Advantage actor-critic with V-trace; the averaged policy is what samples are drawn with."""

    def __init__(self, policy: Policy, config: LearningConfig, generator: torch.Generator) -> None:
        self.policy, self.config, self.generator = policy, config, generator
        self.average = copy.deepcopy(policy).requires_grad_(False)
        self.prior = copy.deepcopy(policy).requires_grad_(False) if config.prior_cost else None
        self.optimizer = torch.optim.Adam(policy.parameters(), lr=config.learning_rate, fused=True)
        self.entropy_scale = 1.0
        self.learning_rate_divisor = 1.0
        self.taken = 0

    def step(self, episodes: EpisodeBatch, rewards: Tensor, progress: float) -> Metrics:
        """Learn from ``episodes`` paid ``rewards`` [T, B]; ``progress`` in [0, 1] moves the schedules."""
        config = self.config
        rate, entropy_cost = self._schedules(progress)
        anchor = _log_prob(self.average, episodes) if config.anchor_cost else None
        strange = rewards.new_zeros(())
        if self.prior is not None:
            strange = episodes.log_prob - _log_prob(self.prior, episodes)
            rewards = rewards - config.prior_cost * strange
        sums = rewards.new_zeros(6)
        count = 0
        for _ in range(config.passes):
            shuffled = torch.randperm(rewards.shape[1], generator=self.generator, device=rewards.device)
            for rows in shuffled.chunk(config.minibatches):
                sums += self._minibatch(episodes, rewards, rows, anchor, entropy_cost)
                count += 1
        entropy, value_loss, deviation, kl, drift, norm = (sums / count).tolist()
        if entropy < config.entropy_floor:
            self.entropy_scale = min(self.entropy_scale * 1.02, 100.0)
        else:
            self.entropy_scale = max(self.entropy_scale / 1.02, 1.0)
        if config.target_kl is not None and kl > 2 * config.target_kl:
            self.learning_rate_divisor = min(self.learning_rate_divisor * 1.5, 1000.0)
        elif config.target_kl is not None and kl < config.target_kl / 2:
            self.learning_rate_divisor = max(self.learning_rate_divisor / 1.5, 1.0)
        self._update_average()
        return {
            "policy/entropy": entropy,
            "policy/entropy_cost": entropy_cost,
            "policy/value_loss": value_loss,
            "policy/advantage_deviation": deviation,
            "policy/kl": kl,
            "policy/drift": drift,
            "policy/strangeness": strange.mean().item(),
            "policy/gradient_norm": norm,
            "policy/learning_rate": rate,
        }

    def imitate(self, lessons: Lessons, config: ImitationConfig, progress: float) -> Metrics:
        """``config.steps`` gradient steps of maximum likelihood on ``lessons``."""
        rate, entropy_cost = self._schedules(progress)
        sums = self.policy.value.weight.new_zeros(3)
        for _ in range(config.steps):
            observation, advice = lessons.sample(config.batch, self.generator)
            told = self.policy.evaluate(observation, advice)
            loss = -told.log_prob.mean() - entropy_cost * told.entropy.mean()
            norm = self._descend(loss)
            sums += torch.stack([-told.log_prob.mean(), told.entropy.mean(), norm]).detach()
            self._update_average()
        surprise, entropy, norm = (sums / config.steps).tolist()
        return {
            "policy/surprise": surprise,
            "policy/entropy": entropy,
            "policy/gradient_norm": norm,
            "policy/learning_rate": rate,
        }

    def _schedules(self, progress: float) -> tuple[float, float]:
        """Set the learning rate; returns it and the entropy cost."""
        config = self.config
        rate = config.learning_rate * (1 + progress * (config.final_learning_rate - 1)) / self.learning_rate_divisor
        entropy_cost = config.entropy_cost * (1 + progress * (config.final_entropy_cost - 1)) * self.entropy_scale
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        return rate, entropy_cost

    def _descend(self, loss: Tensor) -> Tensor:
        """One gradient step; returns the norm of the gradient before it was clipped."""
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.policy.parameters(), self.config.gradient_norm)
        self.optimizer.step()
        return norm

    def _minibatch(
        self, episodes: EpisodeBatch, rewards: Tensor, rows: Tensor, anchor: Tensor | None, entropy_cost: float
    ) -> Tensor:
        config = self.config
        behaviour = episodes.log_prob[:, rows]
        new = self.policy.evaluate(episodes.observations(rows), episodes.actions[:, rows])
        with torch.no_grad():
            log_ratio = new.log_prob - behaviour
            returns = vtrace(log_ratio, rewards[:, rows], new.value, config.discount, config.trace_decay)
            advantages = normalise_advantages(returns.advantages, config.advantage_floor)
        if config.clip is None:
            policy_loss = policy_gradient_loss(new.log_prob, behaviour, advantages)
        else:
            policy_loss = clipped_surrogate_loss(new.log_prob, behaviour, advantages, config.clip)
        value_loss = 0.5 * (new.value - returns.targets).square().mean()
        loss = policy_loss + config.value_cost * value_loss - entropy_cost * new.entropy.mean()
        drift = behaviour.new_zeros(()) if anchor is None else divergence(new.log_prob, anchor[:, rows])
        loss = loss + config.anchor_cost * drift
        norm = self._descend(loss)
        deviation = returns.advantages.std()
        return torch.stack([new.entropy.mean(), value_loss, deviation, -log_ratio.mean(), drift, norm]).detach()

    @torch.no_grad()
    def _update_average(self) -> None:
        """Exponential average of the weights; young averages forget faster, so the random start is soon gone."""
        self.taken += 1
        decay = min(self.config.average, self.taken / (self.taken + 10))
        torch._foreach_lerp_(list(self.average.parameters()), list(self.policy.parameters()), 1 - decay)


@torch.no_grad()
def _log_prob(policy: Policy, episodes: EpisodeBatch) -> Tensor:
    """The log-probability that ``policy`` gives to what was done, ``[T, B]``."""
    return policy.evaluate(episodes.observations(), episodes.actions).log_prob
