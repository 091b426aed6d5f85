"""The learner of imitation: maximum likelihood on demonstrations."""

import torch

from limner.models.policy import Policy
from limner.training.config import OptimizerConfig
from limner.training.imitation.demonstrations import Demonstrations
from limner.training.policy_learner import PolicyLearner, Scalars


class ImitationLearner(PolicyLearner):
    """Learns what an expert does."""

    def __init__(self, policy: Policy, config: OptimizerConfig, batch_size: int, generator: torch.Generator) -> None:
        super().__init__(policy, config, generator)
        self.batch_size = batch_size

    def step(self, demonstrations: Demonstrations, steps: int, progress: float) -> Scalars:
        """``steps`` gradient steps; ``progress`` in [0, 1] moves the schedules. Figures are NaN when none was taken."""
        rate, entropy_cost = self.schedules(progress)
        self._set_rate(rate)
        sums, count = self.policy.value.weight.new_zeros(3), 0
        for _ in range(steps):
            observation, actions = demonstrations.sample_episodes(self.batch_size, self.generator)
            evaluated = self.policy.evaluate(observation, actions)
            nll, entropy = -evaluated.log_prob.mean(), evaluated.entropy.mean()
            values = {"expert": actions, **observation._asdict(), **evaluated._asdict()}
            norm = self._descend(nll - entropy_cost * entropy, values)
            if norm is not None:
                sums, count = sums + torch.stack([nll, entropy, norm]).detach(), count + 1
                self._update_average()
        nll_mean, entropy_mean, norm_mean = (sums / count).tolist()
        return {
            "policy/nll": nll_mean,
            "policy/entropy": entropy_mean,
            "policy/gradient_norm": norm_mean,
            "policy/learning_rate": rate,
        }
