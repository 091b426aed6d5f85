import pytest
import torch
from scripts import load_script

measures = load_script("benchmarks/gpu_measures.py")


@pytest.fixture(scope="module")
def bench():
    return measures.Bench("cpu", 1000.0)


@pytest.mark.parametrize("name", ["acting", "updates", "policy_learner", "critic_learner"])
@pytest.mark.parametrize("form", ["float32", "bfloat16"])
def test_every_part_of_training_is_measured_in_every_format(bench, name, form):
    found = bench.tried(lambda seconds: getattr(measures, name)(bench, 2, form, 0.0), 0.0)
    assert "error" not in found
    assert all(value is None or value >= 0 for value in found.values())
    assert found["share_of_peak"] is None


def test_operations_of_gradients_of_gradients_are_counted():
    weight = torch.ones(3, 5, requires_grad=True)

    def penalty():
        given = torch.ones(2, 3, requires_grad=True)
        (gradient,) = torch.autograd.grad((given @ weight).square().sum(), given, create_graph=True)
        gradient.square().sum().backward()

    assert measures.operations(lambda: weight @ weight.T) == 2 * 3 * 5 * 3
    assert measures.operations(penalty) > 2 * 2 * 2 * 3 * 5


def test_the_share_of_a_peak_is_that_of_the_format(bench, monkeypatch):
    monkeypatch.setattr(bench, "peak", measures.PEAKS["A100"])
    assert bench.share(19.5e12, "float32") == 1
    assert bench.share(78e12, "TF32") == 0.5
    assert bench.share(78e12, "bfloat16") == 0.25


def test_what_fails_says_why_and_what_is_too_late_is_left_out(bench, capsys, monkeypatch):
    def fail(seconds):
        raise torch.OutOfMemoryError("too large\nfor this card")

    bench.section("acting", {"a": fail})
    bench.section("compile", {"b": fail}, needed=1e6)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        '{"acting": {"a": {"error": "OutOfMemoryError: too large"}}}',
        '{"compile": {"b": {"left_out": "no time was left"}}}',
    ]
