"""Policy gradient: advantage actor-critic with V-trace, with or without the clipped surrogate of PPO.

The clipped surrogate bounds how far an update moves the policy, so its ratios are to the policy at the start of the
update. Where actors are behind, that is not the policy that acted: the difference is an importance weight, at most 1
(decoupled objective, Hilton et al., "Batch size-invariance for policy optimization", 2021). Ratios to the policy that
acted would be outside the bounds from the start, and most episodes would teach nothing.

With several candidates for each action (``learning.candidates``) all of them are learnt from, by the pictures that the
episode would end with: see ``counterfactual_advantages``.
"""

import copy
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from limner.agents.rollout import EpisodeBatch
from limner.models.policy import Policy
from limner.training.config import PolicyGradientConfig
from limner.training.losses import (
    clipped_surrogate_loss,
    counterfactual_advantages,
    divergence,
    normalise_advantages,
    policy_gradient_loss,
    vtrace,
)
from limner.training.policy_learner import PolicyLearner, Scalars

NEW = 1
"""Updates that weights may be behind and their episodes still be taken for those of the policy as it is."""


class References(NamedTuple):
    """Log-probabilities ``float32[T, B, K]`` of all candidates, where averaged policy or prior count."""

    average: Tensor | None
    prior: Tensor | None


class PolicyGradient(PolicyLearner):
    """Learns from rewards."""

    def __init__(self, policy: Policy, config: PolicyGradientConfig, generator: torch.Generator) -> None:
        super().__init__(policy, config, generator)
        self.config = config
        self.prior = copy.deepcopy(policy).requires_grad_(False) if config.kl_prior_cost else None
        self.entropy_scale = 1.0
        self.learning_rate_divisor = 1.0

    def start_from(self, policy: Policy) -> None:
        """As ``PolicyLearner.start_from``; the prior has these weights for good."""
        super().start_from(policy)
        if self.prior is not None:
            self.prior.load_state_dict(policy.state_dict())

    def refer(self, episodes: EpisodeBatch) -> References:
        """What ``step`` compares the policy with."""
        average = _log_prob(self.average, episodes) if self.config.kl_average_cost else None
        return References(average, None if self.prior is None else _log_prob(self.prior, episodes))

    def step(
        self,
        episodes: EpisodeBatch,
        rewards: Tensor,
        progress: float,
        scores: Tensor | None = None,
        references: References | None = None,
        lag: int = 0,
        others: Tensor | None = None,
    ) -> Scalars:
        """Learn from ``episodes`` paid ``rewards`` float32[T, B]; ``progress`` in [0, 1] moves the schedules.

        The ``scores`` float32[T + 1, B] that the rewards come from are kept with a batch that is not finite.
        ``references`` are what ``refer`` gives, where they are known already. The weights that acted were ``lag``
        updates behind. ``others`` float32[T, B, K − 1] is what an episode would be paid in all with other candidates.
        Figures are NaN when no gradient step was taken.
        """
        config = self.config
        rate, entropy_cost = self.schedules(progress)
        rate, entropy_cost = rate / self.learning_rate_divisor, entropy_cost * self.entropy_scale
        self._set_rate(rate)
        average, prior = references or self.refer(episodes)
        start = episodes.candidates_log_prob if lag <= NEW else _log_prob(self.policy, episodes)
        paid = {} if scores is None else {"scores": scores}
        if others is not None and others.numel():
            paid["returns"] = torch.cat([rewards.sum(0).expand_as(rewards)[..., None], others], dim=2)
        log_ratio = rewards.new_zeros(1)
        if prior is not None:
            log_ratio = episodes.candidates_log_prob - prior
            rewards = rewards - config.kl_prior_cost * log_ratio[..., 0]
            if "returns" in paid:
                paid["returns"] = paid["returns"] - config.kl_prior_cost * log_ratio
        paid["rewards"] = rewards
        sums = rewards.new_zeros(6)
        count = 0
        for _ in range(config.epochs):
            shuffled = torch.randperm(rewards.shape[1], generator=self.generator, device=rewards.device)
            for rows in shuffled.chunk(config.minibatches):
                figures = self._minibatch(episodes, paid, rows, start, average, entropy_cost)
                if figures is not None:
                    sums += figures
                    count += 1
        entropy, value_loss, deviation, kl, kl_average, norm = (sums / count).tolist()
        if count:
            self._adapt(entropy, kl)
        self._update_average()
        return {
            "policy/entropy": entropy,
            "policy/entropy_cost": entropy_cost,
            "policy/value_loss": value_loss,
            "policy/advantage_deviation": deviation,
            "policy/kl": kl,
            "policy/kl_average": kl_average,
            "policy/log_ratio_to_prior": log_ratio[..., 0].mean().item(),
            "policy/gradient_norm": norm,
            "policy/learning_rate": rate,
        }

    def counters(self) -> dict[str, float]:
        """Numbers that change from update to update."""
        scales = {"entropy_scale": self.entropy_scale, "learning_rate_divisor": self.learning_rate_divisor}
        return super().counters() | scales

    def load(self, counters: Mapping[str, float]) -> None:
        """Put back what ``counters`` gave."""
        super().load(counters)
        self.entropy_scale = float(counters["entropy_scale"])
        self.learning_rate_divisor = float(counters["learning_rate_divisor"])

    def _adapt(self, entropy: float, kl: float) -> None:
        """Raise the entropy cost below the floor; lower the learning rate while the policy moves too far."""
        config = self.config
        if entropy < config.entropy_floor:
            self.entropy_scale = min(self.entropy_scale * 1.02, 100.0)
        else:
            self.entropy_scale = max(self.entropy_scale / 1.02, 1.0)
        if config.target_kl is not None and kl > 2 * config.target_kl:
            self.learning_rate_divisor = min(self.learning_rate_divisor * 1.5, 1000.0)
        elif config.target_kl is not None and kl < config.target_kl / 2:
            self.learning_rate_divisor = max(self.learning_rate_divisor / 1.5, 1.0)

    def _minibatch(
        self,
        episodes: EpisodeBatch,
        paid: Mapping[str, Tensor],
        rows: Tensor,
        start: Tensor,
        average: Tensor | None,
        entropy_cost: float,
    ) -> Tensor | None:
        """A gradient step on the episodes ``rows``, which are ``paid`` rewards; its figures, None when skipped.

        ``start`` are log-probabilities ``float32[T, B, K]`` of the policy at the start of the update.
        """
        config = self.config
        rewards, actions = paid["rewards"][:, rows], episodes.candidates[:, rows]
        behaviour, start = episodes.candidates_log_prob[:, rows], start[:, rows]
        observation = episodes.observations(rows)
        new = self.policy.evaluate(observation, actions)
        with torch.no_grad():
            log_ratio = (new.log_prob - behaviour)[..., 0]
            returns = vtrace(log_ratio, rewards, new.value, config.discount, config.gae_lambda)
            found = returns.advantages[..., None]
            if "returns" in paid:
                found = counterfactual_advantages(paid["returns"][:, rows])
            advantages = normalise_advantages(found, config.advantage_floor)
        if config.clip is None:
            policy_loss = policy_gradient_loss(new.log_prob, behaviour, advantages)
        else:
            weight = (start - behaviour).exp().clamp(max=1.0)
            policy_loss = clipped_surrogate_loss(new.log_prob, start, weight * advantages, config.clip)
        value_loss = 0.5 * (new.value - returns.targets).square().mean()
        loss = policy_loss + config.value_cost * value_loss - entropy_cost * new.entropy.mean()
        kl_average = behaviour.new_zeros(()) if average is None else divergence(new.log_prob, average[:, rows])
        loss = loss + config.kl_average_cost * kl_average
        given = {**observation._asdict(), "actions": actions, "log_prob": behaviour}
        given |= {name: tensor[:, rows] for name, tensor in paid.items()}
        computed = {f"new_{name}": tensor for name, tensor in new._asdict().items()}
        if (norm := self._descend(loss, given | computed)) is None:
            return None
        deviation, kl = found.std(), (start - new.log_prob).mean()
        return torch.stack([new.entropy.mean(), value_loss, deviation, kl, kl_average, norm]).detach()


@torch.no_grad()
def _log_prob(policy: Policy, episodes: EpisodeBatch) -> Tensor:
    """The log-probability that ``policy`` gives to each candidate, ``[T, B, K]``."""
    return policy.evaluate(episodes.observations(), episodes.candidates).log_prob
