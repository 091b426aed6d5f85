"""The mathematics of learning, as pure functions: one function is one equation.

Notable choices:
- Time comes first: ``[T, B]`` are T actions of B episodes. All episodes have the same length.
- The critic's score is high for real pictures. Its constant offset is free (Wasserstein), so it is centred.
- Sources: [P] Ganin et al., "Synthesizing Programs for Images using Reinforced Adversarial Learning", 2018;
  [PP] Mellor et al., "Unsupervised Doodling and Painting with Improved SPIRAL", 2019.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


def wasserstein_critic_loss(real: Tensor, fake: Tensor) -> Tensor:
    """``−E D(x) + E D(x̂)`` for scores ``[N]`` and ``[M]`` ([P] equation 3; Arjovsky et al. 2017)."""
    return fake.mean() - real.mean()


def relativistic_critic_loss(real: Tensor, fake: Tensor) -> Tensor:
    """``E softplus(D(x̂) − D(x))`` over pairs of scores ``[N]`` (Jolicoeur-Martineau 2019; Huang et al. 2024, "R3GAN").

    Only differences count, so the scores' constant offset is free, as with Wasserstein.
    """
    return F.softplus(fake - real).mean()


def zero_centred_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """``½ E ‖∇D(x)‖² + ½ E ‖∇D(x̂)‖²`` for as many real as painted pictures ``float32[N, …]``.

    It is R₁ + R₂ of Mescheder et al. 2018, equations 9 and 10, at the weight γ = 1.
    """
    pictures = torch.cat([real, fake]).requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(pictures).sum(), pictures, create_graph=True)
    return gradient.flatten(1).square().sum(1).mean()


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """``E (‖∇D(x̃)‖₂ − 1)²`` at ``x̃ = mix·real + (1 − mix)·fake`` (Gulrajani et al. 2017, equation 3).

    ``real`` and ``fake`` are ``float32[N, …]``, pictures or whatever else the critic scores, and ``mix`` is
    ``float32[N]`` in [0, 1].
    """
    mix = mix.view(-1, *[1] * (real.dim() - 1))
    between = (mix * real + (1 - mix) * fake).requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    penalty: Tensor = (gradient.flatten(1).norm(dim=1) - 1).square().mean()
    return penalty


def final_rewards(scores: Tensor) -> Tensor:
    """``r_t = 0`` but for the last, ``r_T = D(c_T)`` ([P] section 3.1): ``[T + 1, B]`` scores to ``[T, B]``."""
    rewards = torch.zeros_like(scores[1:])
    rewards[-1] = scores[-1]
    return rewards


def difference_rewards(scores: Tensor) -> Tensor:
    """``r_t = D(c_t) − D(c_{t−1})`` ([PP] section 3.2): ``[T + 1, B]`` scores to ``[T, B]`` rewards.

    As in the paper the discount applies to returns and not inside the difference; with a discount of 1 the
    rewards add up to ``D(c_T) − D(c_0)``, so both forms of reward have the same optimum.
    """
    return scores[1:] - scores[:-1]


def new_sequences(painting: Tensor) -> Tensor:
    """Where a continuous sequence of strokes starts: ``bool[T, B]`` for ``painting`` ``bool[T, B]`` ([P] 4.2)."""
    before = torch.cat([torch.zeros_like(painting[:1]), painting[:-1]])
    return painting & ~before


class VTrace(NamedTuple):
    """``targets`` for the value function and ``advantages`` for the policy, both ``[T, B]``."""

    targets: Tensor
    advantages: Tensor


def vtrace(
    log_ratio: Tensor,
    rewards: Tensor,
    values: Tensor,
    discount: float = 1.0,
    trace_decay: float = 1.0,
    clip_rho: float = 1.0,
    clip_c: float = 1.0,
) -> VTrace:
    """V-trace (Espeholt et al. 2018, equation 1) with λ on the traces (their remark 2).

    ``log_ratio`` is ``log π(a|s) − log μ(a|s)``; all of ``log_ratio``, ``rewards``, ``values`` are ``[T, B]``.
    Episodes end after T actions, so the value that follows is 0. The advantage bootstraps from
    ``λ v_{t+1} + (1 − λ) V(s_{t+1})``; on policy it is therefore the generalised advantage estimate (Schulman
    et al. 2016). It carries no factor ρ: the policy loss applies the ratio.
    """
    ratio = log_ratio.exp()
    rho, c = ratio.clamp(max=clip_rho), trace_decay * ratio.clamp(max=clip_c)
    next_values = torch.cat([values[1:], torch.zeros_like(values[:1])])
    errors = rho * (rewards + discount * next_values - values)
    correction = torch.zeros_like(values[0])
    corrections = []
    for t in reversed(range(len(values))):
        correction = errors[t] + discount * c[t] * correction
        corrections.append(correction)
    targets = values + torch.stack(corrections[::-1])
    next_targets = torch.cat([targets[1:], torch.zeros_like(targets[:1])])
    bootstrap = trace_decay * next_targets + (1 - trace_decay) * next_values
    return VTrace(targets, rewards + discount * bootstrap - values)


def counterfactual_advantages(returns: Tensor) -> Tensor:
    """How much better each of K candidates for an action is than the others: ``[T, B, K]`` returns to the same.

    The return of a candidate is that of the episode with it in place of the action that was executed, the rest
    unchanged. The baseline is the mean of the others (Foerster et al. 2018, "COMA", with samples in place of a critic
    of actions; leave-one-out: Kool et al. 2019). What the other actions of the episode contribute cancels out.
    """
    count = returns.shape[-1]
    return (returns - returns.mean(-1, keepdim=True)) * (count / (count - 1))


def normalise_advantages(advantages: Tensor, floor: float) -> Tensor:
    """``(A − mean) / max(std, floor)``.

    The floor is what matters: when all episodes score alike the deviation vanishes, and dividing by it would
    turn noise into full-sized updates, which is how a collapse starts.
    """
    return (advantages - advantages.mean()) / advantages.std().clamp(min=floor)


def divergence(log_prob: Tensor, reference_log_prob: Tensor) -> Tensor:
    """``KL(π ‖ reference)`` from actions that π drew: ``E r − 1 − log r``, ``r = reference/π``; never negative.

    As an estimate it is unbiased and of low variance (Schulman, "Approximating KL divergence", 2020); the ratio is
    bounded by e⁵. As a loss its expected gradient is that of the reverse, ``KL(reference ‖ π)``: the actions are given,
    and the gradient does not pass through how they were drawn. Both vanish only where π is the reference.
    """
    log_ratio = (reference_log_prob - log_prob).clamp(max=5.0)
    return (log_ratio.exp() - 1 - log_ratio).mean()


def policy_gradient_loss(
    log_prob: Tensor, behaviour_log_prob: Tensor, advantages: Tensor, clip_rho: float = 1.0
) -> Tensor:
    """``−E ρ A log π(a|s)``, ``ρ = min(π/μ, clip_rho)`` held constant (IMPALA, Espeholt et al. 2018, section 4.2)."""
    rho = (log_prob - behaviour_log_prob).detach().exp().clamp(max=clip_rho)
    return -(rho * advantages * log_prob).mean()


def clipped_surrogate_loss(log_prob: Tensor, behaviour_log_prob: Tensor, advantages: Tensor, clip: float) -> Tensor:
    """``−E min(ρ A, clip(ρ, 1 ± clip) A)`` (PPO, Schulman et al. 2017, equation 7)."""
    ratio = (log_prob - behaviour_log_prob).exp()
    return -torch.minimum(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages).mean()
