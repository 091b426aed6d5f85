import errno
import math
import os

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from limner.training import NonFiniteError
from limner.training.finite import (
    MOST_FILES,
    PATIENCE,
    FiniteGuard,
    is_finite,
    stop_if_hopeless,
    sum_of_squares,
)

NAN, INFINITE = torch.tensor(math.nan), torch.tensor(math.inf)
ONE = torch.ones(())


class Learner:
    """Two parameters of size one and their guard."""

    def __init__(self, name="policy", folder=None, rate=0.1):
        torch.manual_seed(0)
        self.layer = nn.Linear(3, 2)
        self.optimizer = torch.optim.Adam(self.layer.parameters(), lr=rate, fused=True)
        self.guard = FiniteGuard(name, self.optimizer)
        self.guard.folder = folder

    def learn(self, loss=ONE, gradient=ONE, **values):
        self.optimizer.zero_grad()
        (self.layer.weight.sum() + self.layer.bias.sum()).backward()
        return self.guard.step(loss, values, gradient)

    def weights(self):
        return [parameter.detach().clone() for parameter in self.layer.parameters()]

    def moments(self):
        return [slots["exp_avg"].clone() for slots in self.optimizer.state.values()]


def check(*learners):
    """Stop training if it is hopeless, after an update of these learners."""
    first = learners[0].guard
    stop_if_hopeless([learner.guard.skips for learner in learners], first.update, first.folder)


def equal(a, b):
    return len(a) == len(b) and all(map(torch.equal, a, b))


def test_a_finite_step_is_the_optimizer_s():
    guarded, plain = Learner(), Learner()
    for _ in range(3):
        assert guarded.learn()
        plain.optimizer.zero_grad()
        (plain.layer.weight.sum() + plain.layer.bias.sum()).backward()
        plain.optimizer.step()
        assert equal(guarded.weights(), plain.weights())
        assert equal(guarded.moments(), plain.moments())
    assert guarded.guard.counters() == {"policy_skipped": 0, "policy_skipped_in_a_row": 0}


@pytest.mark.parametrize(
    ("loss", "gradient", "first"),
    [
        (NAN, ONE, "loss of the policy became NaN"),
        (INFINITE, ONE, "loss of the policy became infinite"),
        (ONE, -INFINITE, "gradient of the policy became infinite"),
        (NAN, NAN, "loss of the policy became NaN"),
    ],
)
def test_a_step_that_is_not_finite_changes_nothing_and_is_counted(loss, gradient, first):
    learner = Learner()
    learner.learn()
    weights, moments = learner.weights(), learner.moments()
    learner.guard.update = 7
    assert not learner.learn(loss, gradient, picture=torch.zeros(2))
    assert equal(learner.weights(), weights)
    assert equal(learner.moments(), moments)
    assert learner.guard.counters() == {"policy_skipped": 1, "policy_skipped_in_a_row": 1}
    assert (learner.guard.skips.began, learner.guard.skips.first) == (7, first)
    assert learner.learn()
    assert learner.guard.counters() == {"policy_skipped": 1, "policy_skipped_in_a_row": 0}


def test_what_was_computed_first_is_named():
    learner = Learner()
    actions, scores = torch.zeros(3, dtype=torch.int64), torch.tensor([1.0, math.inf])
    learner.learn(NAN, NAN, actions=actions, observed=torch.zeros(2), scores=scores, value=torch.full((2,), math.nan))
    assert (learner.guard.skips.began, learner.guard.skips.first) == (1, "scores of the policy became infinite")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e30])
def test_parameters_that_are_not_finite_are_put_back_and_the_moments_start_anew(monkeypatch, value):
    learner, fresh = Learner(rate=2.0), Learner(rate=2.0)
    learner.learn()
    weights, step = learner.weights(), learner.optimizer.step

    def poisoned():
        step()
        with torch.no_grad():
            learner.layer.bias[1] = value

    monkeypatch.setattr(learner.optimizer, "step", poisoned)
    assert not learner.learn()
    assert learner.guard.skips.first.startswith("parameters of the policy became ")
    assert equal(learner.weights(), weights)
    assert learner.moments() == []
    monkeypatch.setattr(learner.optimizer, "step", step)
    assert learner.learn()
    fresh.learn()
    assert equal(learner.moments(), fresh.moments())
    assert learner.guard.skips.skipped == 1


def test_the_gradient_is_looked_at_where_nothing_is_said_of_it():
    learner = Learner()
    assert learner.learn(gradient=None)
    weights = learner.weights()
    learner.layer.weight.register_hook(lambda gradient: gradient * math.inf)
    assert not learner.learn(gradient=None)
    assert learner.guard.skips.first == "gradient of the policy became infinite"
    assert equal(learner.weights(), weights)


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.5, 0.999)])
@pytest.mark.parametrize("gradients", [[1e18], [1e-30, 1e-18], [0.0, 1e15, 1.0], [1.0] * 50 + [1e9] * 4, [1.0, -1.0]])
def test_adam_moves_a_parameter_by_twenty_learning_rates_at_most(betas, gradients):
    """So that parameters need not be looked at where the learning rate is not high."""
    parameter = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.Adam([parameter], lr=1.0, betas=betas, fused=True)
    for gradient in gradients * 3:
        before, parameter.grad = parameter.item(), torch.tensor([gradient])
        optimizer.step()
        assert abs(parameter.item() - before) < 20


def test_the_batch_of_a_skipped_step_is_kept(tmp_path):
    learner = Learner("critic", tmp_path / "non_finite")
    learner.guard.update = 12
    values = {"real": torch.rand(2, 3), "scores": torch.tensor([math.nan, 1.0]), "actions": torch.arange(3)}
    learner.learn(NAN, ONE, **values, mean=values["real"].mean().requires_grad_(True))
    (path,) = (tmp_path / "non_finite").iterdir()
    assert path.name == "00000012-critic.safetensors"
    kept = load_file(path)
    assert kept.keys() == {"real", "scores", "actions", "mean", "loss", "gradient"}
    for name, value in values.items():
        torch.testing.assert_close(kept[name], value, rtol=0, atol=0, equal_nan=True)


def test_on_a_full_disk_the_batch_is_left_out_with_a_warning(tmp_path, monkeypatch, caplog):
    def full(path, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr("limner.training.finite.write_atomic", full)
    learner = Learner("critic", tmp_path)
    learner.learn(NAN, ONE)
    assert learner.guard.skips.skipped == 1
    assert f"{tmp_path}/00000001-critic.safetensors: No space left on device" in caplog.text


def test_of_an_update_the_first_batch_is_kept_and_of_a_run_a_few(tmp_path):
    learners = [Learner(name, tmp_path) for name in ("policy", "critic")]
    for update in range(1, 10):
        for learner in learners:
            learner.guard.update = update
            for number in range(2):
                learner.learn(NAN, ONE, number=torch.tensor(number))
            learner.learn()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == MOST_FILES
    assert names[:3] == ["00000001-critic.safetensors", "00000001-policy.safetensors", "00000002-critic.safetensors"]
    assert all(load_file(path)["number"] == 0 for path in tmp_path.iterdir())


def test_after_ten_in_a_row_no_step_is_taken_any_more_and_training_stops():
    learner = Learner()
    for update in range(1, PATIENCE + 1):
        learner.guard.update = update + 4
        check(learner)
        learner.learn(NAN, scores=NAN) if update == 1 else learner.learn(NAN)
    weights = learner.weights()
    assert not learner.learn()
    assert equal(learner.weights(), weights)
    assert learner.guard.skips.skipped == PATIENCE
    with pytest.raises(
        NonFiniteError,
        match=r"training stopped in update 14: 10 gradient steps in a row were not finite\. First scores of the policy "
        r"became NaN, in update 5\. Start again with a lower learning rate",
    ):
        check(learner)


def test_a_finite_step_in_between_starts_the_count_anew():
    learner = Learner()
    for update in range(1, 60):
        learner.guard.update = update
        learner.learn(*(ONE if update % PATIENCE == 0 else NAN,))
        check(learner)
    assert learner.guard.skips.skipped == 54
    assert learner.guard.skips.began == 51


def test_the_learners_of_a_run_are_counted_together_and_the_earliest_is_named(tmp_path):
    policy, critic = Learner("policy", tmp_path), Learner("critic", tmp_path)
    for update in range(1, 7):
        policy.guard.update = critic.guard.update = update
        if update == 1:
            policy.learn()
        else:
            policy.learn(NAN)
        critic.learn(INFINITE)
        if update < 6:
            check(policy, critic)
    with pytest.raises(
        NonFiniteError,
        match=f"update 6: .* First loss of the critic became infinite, in update 1; batches are in {tmp_path}",
    ):
        check(policy, critic)


def test_those_that_began_in_the_same_update_are_named_both():
    policy, critic = Learner("policy"), Learner("critic")
    for _ in range(5):
        policy.learn(NAN)
        critic.learn(INFINITE)
    words = "First loss of the policy became NaN and loss of the critic became infinite, in update 1"
    with pytest.raises(NonFiniteError, match=words):
        check(policy, critic)


def test_counters_are_put_back():
    first, second = Learner("critic"), Learner("critic")
    for loss in (NAN, ONE, NAN, NAN):
        first.learn(loss)
    assert first.guard.counters() == {"critic_skipped": 3, "critic_skipped_in_a_row": 2}
    second.guard.load(first.guard.counters())
    for update in range(21, 29):
        second.guard.update = update
        check(second)
        second.learn(NAN)
    with pytest.raises(NonFiniteError, match="First loss of the critic became NaN, in update 21"):
        check(second)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e25])
def test_one_number_tells_whether_all_are_finite_and_so_are_their_squares(value):
    tensors = [torch.ones(3, 2), torch.arange(4.0)]
    assert sum_of_squares(tensors).item() == pytest.approx(6 + 14)
    tensors[1][2] = value
    assert not math.isfinite(sum_of_squares(tensors).item())


def test_whole_numbers_are_finite_and_large_ones_do_not_overflow():
    assert is_finite(torch.arange(3))
    assert is_finite(torch.full((100,), 3e38))
    assert is_finite(torch.zeros(0))
    for value in (math.nan, math.inf):
        assert not is_finite(torch.tensor([[0.0, value]]))
