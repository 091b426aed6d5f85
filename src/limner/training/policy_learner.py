"""The policy learner: gradient steps, schedules, and the averaged policy.

The exponential moving average of the weights is what samples and evaluations are drawn with: agent and critic chase
each other, and the average is ahead of any single moment.
"""

import copy
from collections.abc import Mapping

import torch
from torch import Tensor

from limner.models.policy import Policy
from limner.models.weights import load_weights
from limner.training.config import OptimizerConfig
from limner.training.finite import FiniteGuard

Scalars = dict[str, float]
"""Figures of an update, by their names in the log."""


class PolicyLearner:
    """A policy, its optimizer and its average. Subclasses compute the loss."""

    def __init__(self, policy: Policy, config: OptimizerConfig, generator: torch.Generator) -> None:
        self.policy, self.optimizer_config, self.generator = policy, config, generator
        self.average = copy.deepcopy(policy).requires_grad_(False)
        self.optimizer = torch.optim.Adam(policy.parameters(), lr=config.learning_rate, fused=True)
        self.guard = FiniteGuard("policy", self.optimizer)
        self.taken = 0

    def schedules(self, progress: float) -> tuple[float, float]:
        """Learning rate and entropy cost at ``progress`` in [0, 1]: linear from their first to their last values."""
        config = self.optimizer_config
        rate = config.learning_rate * (1 + progress * (config.final_learning_rate - 1))
        return rate, config.entropy_cost * (1 + progress * (config.final_entropy_cost - 1))

    def start_from(self, policy: Policy) -> None:
        """Go on from the weights of ``policy``; ``ValueError`` when it is of another kind."""
        for mine in (self.policy, self.average):
            load_weights(mine, policy.state_dict())
        self.taken = 1000  # the average is no longer young

    def counters(self) -> dict[str, float]:
        """Numbers that change from update to update."""
        return {"policy_steps": self.taken, **self.guard.counters()}

    def load(self, counters: Mapping[str, float]) -> None:
        """Put back what ``counters`` gave."""
        self.taken = int(counters["policy_steps"])
        self.guard.load(counters)

    def _set_rate(self, rate: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def _descend(self, loss: Tensor, values: Mapping[str, Tensor]) -> Tensor | None:
        """One gradient step; returns the norm of the gradient before it was clipped, None when the step was skipped.

        ``values`` as for ``FiniteGuard.step``.
        """
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.policy.parameters(), self.optimizer_config.gradient_norm)
        return norm if self.guard.step(loss, values, norm) else None

    @torch.no_grad()
    def _update_average(self) -> None:
        """Exponential average of the weights; a young average forgets faster, so that the random start is soon gone."""
        self.taken += 1
        decay = min(self.optimizer_config.ema_decay, self.taken / (self.taken + 10))
        torch._foreach_lerp_(list(self.average.parameters()), list(self.policy.parameters()), 1 - decay)
