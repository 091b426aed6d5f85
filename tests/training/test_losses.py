"""The mathematics of learning against slow versions written straight from the papers' sums, in plain Python floats."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from limner.training.losses import (
    clipped_surrogate_loss,
    counterfactual_advantages,
    difference_rewards,
    divergence,
    final_rewards,
    gradient_penalty,
    new_sequences,
    normalise_advantages,
    policy_gradient_loss,
    relativistic_critic_loss,
    vtrace,
    wasserstein_critic_loss,
    zero_centred_penalty,
)

UNIT = st.floats(0, 1)


@st.composite
def trajectories(draw):
    """log_ratio, rewards, values: float64[T, B] each."""
    steps, batch = draw(st.integers(1, 7)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return tuple(rng.normal(size=(steps, batch)) * scale for scale in (0.7, 1.0, 2.0))


def tensors(*arrays):
    return [torch.tensor(array, dtype=torch.float64) for array in arrays]


def slow_targets(log_ratio, rewards, values, discount, trace_decay, clip_rho, clip_c):
    """Espeholt et al. 2018, equation 1, term by term: ``v_s = V_s + Σ_t γ^(t−s) (Π_{s ≤ i < t} c_i) δ_t``."""
    steps, batch = values.shape
    targets = np.empty_like(values)
    for b in range(batch):
        value = [*values[:, b], 0.0]
        ratio = [math.exp(x) for x in log_ratio[:, b]]
        for s in range(steps):
            total = value[s]
            for t in range(s, steps):
                product = math.prod(trace_decay * min(clip_c, ratio[i]) for i in range(s, t))
                delta = min(clip_rho, ratio[t]) * (rewards[t, b] + discount * value[t + 1] - value[t])
                total += discount ** (t - s) * product * delta
            targets[s, b] = total
    return targets


@given(trajectories(), UNIT, UNIT, st.floats(0.1, 3), st.floats(0.1, 3))
def test_vtrace_is_the_sum_of_the_paper(trajectory, discount, trace_decay, clip_rho, clip_c):
    log_ratio, rewards, values = trajectory
    result = vtrace(*tensors(*trajectory), discount, trace_decay, clip_rho, clip_c)
    expected = slow_targets(log_ratio, rewards, values, discount, trace_decay, clip_rho, clip_c)
    np.testing.assert_allclose(result.targets, expected, rtol=1e-9, atol=1e-9)
    following = np.vstack([expected[1:], np.zeros_like(expected[:1])])
    own = np.vstack([values[1:], np.zeros_like(values[:1])])
    advantages = rewards + discount * (trace_decay * following + (1 - trace_decay) * own) - values
    np.testing.assert_allclose(result.advantages, advantages, rtol=1e-9, atol=1e-9)


@given(trajectories(), UNIT, UNIT)
def test_advantages_on_policy_are_the_generalised_estimate(trajectory, discount, trace_decay):
    _, rewards, values = trajectory
    steps, batch = values.shape
    expected = np.zeros_like(values)
    for b in range(batch):
        value = [*values[:, b], 0.0]
        for s in range(steps):  # Schulman et al. 2016, equation 16
            for t in range(s, steps):
                error = rewards[t, b] + discount * value[t + 1] - value[t]
                expected[s, b] += (discount * trace_decay) ** (t - s) * error
    result = vtrace(*tensors(np.zeros_like(values), rewards, values), discount, trace_decay)
    np.testing.assert_allclose(result.advantages, expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(result.targets, expected + values, rtol=1e-9, atol=1e-9)


@given(trajectories())
def test_targets_on_policy_without_decay_are_the_returns_whatever_the_values(trajectory):
    _, rewards, values = trajectory
    result = vtrace(*tensors(np.zeros_like(values), rewards, values))
    returns = rewards[::-1].cumsum(0)[::-1]
    np.testing.assert_allclose(result.targets, returns, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(result.advantages, returns - values, rtol=1e-9, atol=1e-9)


def test_critic_losses_are_what_the_papers_say():
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=5) * 3, rng.normal(size=8) * 3
    assert wasserstein_critic_loss(*tensors(real, fake)).item() == pytest.approx(-real.mean() + fake.mean())
    pairs = real - fake[:5]  # the probability that the real one of a pair is told from the painted one
    expected = -np.log(1 / (1 + np.exp(-pairs))).mean()
    assert relativistic_critic_loss(*tensors(real, fake[:5])).item() == pytest.approx(expected)
    assert relativistic_critic_loss(*tensors(real + 7, fake[:5] + 7)).item() == pytest.approx(expected)


def test_the_zero_centred_penalty_is_half_of_each_mean_squared_slope():
    """``D = ‖x‖² / 2`` has the gradient x."""
    generator = torch.Generator().manual_seed(1)
    real, fake = (torch.rand(3, 1, 4, 4, generator=generator, dtype=torch.float64) for _ in range(2))
    scale = torch.ones((), dtype=torch.float64, requires_grad=True)
    penalty = zero_centred_penalty(lambda x: scale * x.square().flatten(1).sum(1) / 2, real, 2 * fake)
    expected = real.square().sum() / 3 / 2 + 4 * fake.square().sum() / 3 / 2
    assert penalty.item() == pytest.approx(expected.item(), rel=1e-12)
    penalty.backward()
    assert scale.grad is not None
    assert scale.grad.item() == pytest.approx(2 * expected.item(), rel=1e-12)


@pytest.mark.parametrize("norm", [0.25, 1.0, 3.0])
def test_gradient_penalty_of_a_linear_critic(norm):
    generator = torch.Generator().manual_seed(0)
    shape = (6, 2, 4, 4)
    weight = torch.randn(shape[1:], generator=generator, dtype=torch.float64)
    weight = (weight * norm / weight.norm()).requires_grad_(True)
    real, fake = (torch.rand(shape, generator=generator, dtype=torch.float64) for _ in range(2))
    mix = torch.rand(6, generator=generator, dtype=torch.float64)
    penalty = gradient_penalty(lambda x: (weight * x).flatten(1).sum(1), real, fake, mix)
    assert penalty.item() == pytest.approx((norm - 1) ** 2, abs=1e-12)
    penalty.backward()
    torch.testing.assert_close(weight.grad, 2 * (norm - 1) * weight.detach() / norm)


def test_gradient_penalty_is_taken_between_the_pictures():
    """``D = ‖x‖² / 2`` has the gradient x, so the penalty is ``(‖x̃‖ − 1)²`` and shows where it was taken."""
    generator = torch.Generator().manual_seed(1)
    real, fake = (torch.rand(3, 1, 4, 4, generator=generator, dtype=torch.float64) for _ in range(2))
    mix = torch.tensor([0.0, 0.3, 1.0], dtype=torch.float64)
    penalty = gradient_penalty(lambda x: x.square().flatten(1).sum(1) / 2, real, fake, mix)
    between = torch.stack([fake[0], 0.3 * real[1] + 0.7 * fake[1], real[2]])
    expected = (between.flatten(1).norm(dim=1) - 1).square().mean()
    assert penalty.item() == pytest.approx(expected.item(), rel=1e-12)


def test_a_counterfactual_advantage_is_the_lead_over_the_mean_of_the_others():
    returns = torch.tensor([[[1.0, 4.0, 7.0], [2.0, 2.0, 2.0]]])
    assert counterfactual_advantages(returns).tolist() == [[[-4.5, 0.0, 4.5], [0.0, 0.0, 0.0]]]
    assert counterfactual_advantages(returns[..., :2]).tolist() == [[[-3.0, 3.0], [0.0, 0.0]]]


@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_rewards_add_up_to_the_final_score(steps, seed):
    scores = torch.tensor(np.random.default_rng(seed).normal(size=(steps + 1, 4)))
    final, differences = final_rewards(scores), difference_rewards(scores)
    assert final.shape == differences.shape == (steps, 4)
    assert not final[:-1].any()
    assert torch.equal(final[-1], scores[-1])
    torch.testing.assert_close(differences.sum(0), scores[-1] - scores[0])
    for t in range(steps):
        assert torch.equal(differences[t], scores[t + 1] - scores[t])


@given(st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=8))
def test_a_sequence_starts_where_painting_follows_a_jump_or_nothing(painting):
    expected = [
        [now and (t == 0 or not painting[t - 1][b]) for b, now in enumerate(row)] for t, row in enumerate(painting)
    ]
    assert new_sequences(torch.tensor(painting)).tolist() == expected


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 10), st.floats(0.01, 10))
def test_advantages_are_divided_by_their_deviation_but_never_by_less_than_the_floor(seed, scale, floor):
    advantages = np.random.default_rng(seed).normal(3.0, scale, (4, 5))
    expected = (advantages - advantages.mean()) / max(advantages.std(ddof=1), floor)
    np.testing.assert_allclose(normalise_advantages(torch.tensor(advantages), floor), expected, rtol=1e-9, atol=1e-9)


def test_vanishing_advantages_stay_small():
    """Dividing by the deviation alone would blow noise of 1e-6 up to unit size."""
    noise = 1e-6 * torch.tensor(np.random.default_rng(0).normal(size=(6, 32)))
    assert normalise_advantages(noise, 0.2).abs().max() < 1e-4


def bandit(seed):
    """Logits [N, K], taken actions [N], behaviour log-probabilities [N] and advantages [N]."""
    rng = np.random.default_rng(seed)
    logits, actions = rng.normal(size=(12, 5)), rng.integers(5, size=12)
    return logits, actions, rng.normal(-1.6, 0.5, size=12), rng.normal(size=12)


def log_probs(logits, actions):
    return (logits - np.log(np.exp(logits).sum(1, keepdims=True)))[np.arange(len(actions)), actions]


def finite_differences(function, logits, step=1e-6):
    gradient = np.zeros_like(logits)
    for index in np.ndindex(*logits.shape):
        ahead, behind = logits.copy(), logits.copy()
        ahead[index] += step
        behind[index] -= step
        gradient[index] = (function(ahead) - function(behind)) / (2 * step)
    return gradient


def by_autograd(loss, logits, actions, behaviour, advantages, *options):
    leaf = torch.tensor(logits, requires_grad=True)
    log_prob = leaf.log_softmax(-1).gather(-1, torch.tensor(actions)[:, None]).squeeze(-1)
    value = loss(log_prob, torch.tensor(behaviour), torch.tensor(advantages), *options)
    value.backward()
    return value.item(), leaf.grad.numpy()


@pytest.mark.parametrize("clip_rho", [0.5, 1.0, 100.0])
def test_policy_gradient_holds_its_ratio_constant(clip_rho):
    logits, actions, behaviour, advantages = bandit(0)
    rho = np.minimum(np.exp(log_probs(logits, actions) - behaviour), clip_rho)

    def slow(logits):
        return -(rho * advantages * log_probs(logits, actions)).mean()

    value, gradient = by_autograd(policy_gradient_loss, logits, actions, behaviour, advantages, clip_rho)
    assert value == pytest.approx(slow(logits), rel=1e-12)
    np.testing.assert_allclose(gradient, finite_differences(slow, logits), atol=1e-8)


@pytest.mark.parametrize("clip", [0.1, 0.2, 0.5])
def test_clipped_surrogate_and_its_gradient(clip):
    logits, actions, behaviour, advantages = bandit(1)

    def slow(logits):
        total = 0.0
        for new, old, advantage in zip(log_probs(logits, actions), behaviour, advantages, strict=True):
            ratio = math.exp(new - old)
            total += min(ratio * advantage, min(max(ratio, 1 - clip), 1 + clip) * advantage)
        return -total / len(actions)

    value, gradient = by_autograd(clipped_surrogate_loss, logits, actions, behaviour, advantages, clip)
    assert value == pytest.approx(slow(logits), rel=1e-12)
    np.testing.assert_allclose(gradient, finite_differences(slow, logits), atol=1e-8)


@pytest.mark.parametrize(
    ("ratio", "advantage", "moves"),
    [(1.3, 1.0, False), (0.7, -1.0, False), (1.3, -1.0, True), (0.7, 1.0, True), (1.0, 1.0, True), (1.0, -1.0, True)],
)
def test_clipping_stops_what_has_gone_far_enough_and_nothing_else(ratio, advantage, moves):
    log_prob = torch.tensor([math.log(ratio)], requires_grad=True)
    clipped_surrogate_loss(log_prob, torch.zeros(1), torch.tensor([advantage]), 0.2).backward()
    assert log_prob.grad.item() == pytest.approx(-ratio * advantage if moves else 0.0)


def test_divergence_is_an_unbiased_estimate_never_negative_and_bounded():
    logits = torch.tensor(np.random.default_rng(0).normal(size=(2, 6)))
    new, reference = logits.log_softmax(-1)
    each = torch.stack([divergence(new[i : i + 1], reference[i : i + 1]) for i in range(6)])
    assert (each >= 0).all()
    assert (new.exp() * each).sum().item() == pytest.approx((new.exp() * (new - reference)).sum().item())
    assert divergence(new, new).item() == 0
    assert divergence(torch.tensor([-50.0]), torch.tensor([0.0])).item() == pytest.approx(math.e**5 - 6, rel=1e-5)


def test_descending_the_divergence_brings_the_policy_to_the_reference():
    """The expected gradient is that of ``KL(reference ‖ π)``: ``π − reference`` in the logits."""
    logits = torch.tensor(np.random.default_rng(1).normal(size=6), requires_grad=True)
    reference = torch.tensor(np.random.default_rng(2).normal(size=6)).log_softmax(-1)
    new = logits.log_softmax(-1)
    each = torch.stack([divergence(new[i : i + 1], reference[i : i + 1]) for i in range(6)])
    (new.detach().exp() * each).sum().backward()
    torch.testing.assert_close(logits.grad, new.detach().exp() - reference.exp())
