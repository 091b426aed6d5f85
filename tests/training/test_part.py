import pytest
import torch
from torch import nn

from limner.training.part import Part, named, prefixed, within


class Everything(Part):
    """A network with its optimizer, a random generator, a buffer and a count."""

    def __init__(self, seed, width=3):
        torch.manual_seed(seed)
        self.network = nn.Sequential(nn.Conv2d(2, width, 3), nn.Flatten(), nn.Linear(width * 4, 1))
        self.network[0].to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=0.1, fused=True)
        self.generator = torch.Generator().manual_seed(seed)
        self.seen, self.count = torch.zeros(2), 0

    def learn(self):
        pictures = torch.rand(5, 2, 4, 4, generator=self.generator)
        self.optimizer.zero_grad()
        self.network(pictures).square().mean().backward()
        self.optimizer.step()
        self.seen = pictures[:2, 0, 0, 0]
        self.count += 1

    def modules(self):
        return {"network": self.network}

    def optimizers(self):
        return {"network_adam": self.optimizer}

    def generators(self):
        return {"pictures": self.generator}

    def tensors(self):
        return {"seen.last": self.seen}

    def counters(self):
        return {"count": self.count}

    def load(self, tensors, counters):
        self.seen, self.count = tensors["seen.last"].clone(), int(counters["count"])


def different(a, b):
    assert a.keys() == b.keys()
    return [name for name in a if not torch.equal(a[name], b[name])]


@pytest.mark.parametrize("steps", [0, 3])
def test_a_part_goes_on_from_the_state_of_another_bit_for_bit(steps):
    first, second = Everything(0), Everything(1)
    for _ in range(steps):
        first.learn()
    second.restore(first.state(), first.counters())
    assert different(first.state(), second.state()) == []
    for part in (first, second):
        part.learn()
        part.learn()
    assert different(first.state(), second.state()) == []
    assert first.counters() == second.counters() == {"count": steps + 2}


def test_a_snapshot_stays_as_it_is_while_the_part_goes_on():
    part, other = Everything(0), Everything(0)
    part.learn()
    other.learn()
    snapshot = part.snapshot()
    part.learn()
    part.seen.zero_()
    assert different(snapshot.tensors, other.state()) == []
    assert snapshot.counters == other.counters() == {"count": 1}


def test_the_state_is_named_tensors_that_can_be_written():
    part = Everything(0)
    part.learn()
    state = part.state()
    slots = ("step", "exp_avg", "exp_avg_sq")
    assert state.keys() == {
        *(f"network.{name}" for name in ("0.weight", "0.bias", "2.weight", "2.bias")),
        *(f"network_adam.{index}.{slot}" for index in range(4) for slot in slots),
        "generator.pictures",
        "seen.last",
    }
    for tensor in state.values():
        assert tensor.device.type == "cpu"
        assert tensor.is_contiguous()
        assert not tensor.requires_grad


def test_the_moments_lie_in_memory_as_the_parameters_do():
    first, second = Everything(0), Everything(1)
    first.learn()
    second.restore(first.state(), first.counters())
    weight = second.network[0].weight
    assert not weight.is_contiguous()
    assert second.optimizer.state[weight]["exp_avg"].stride() == weight.stride()


@pytest.mark.parametrize("name", ["generator.pictures", "seen.last", "network.0.weight"])
def test_a_state_that_lacks_something_does_not_fit(name):
    part = Everything(0)
    state = part.state()
    del state[name]
    with pytest.raises((KeyError, RuntimeError, ValueError), match=name):
        part.restore(state, part.counters())


def test_the_state_of_another_network_does_not_fit():
    with pytest.raises(ValueError, match=r"^network\.\S+ is \[.*\], must be \[.*\]"):
        Everything(0).restore(Everything(0, width=4).state(), {"count": 0})


def test_a_part_without_state_has_none():
    part = Part()
    assert part.state() == {}
    assert part.counters() == {}
    part.restore({}, {})


def test_prefixes_end_at_a_dot():
    tensors = {"a": torch.zeros(1), "b.c": torch.ones(2)}
    both = prefixed("policy", tensors) | prefixed("policy_adam", {"0": torch.zeros(3)})
    assert both.keys() == {"policy.a", "policy.b.c", "policy_adam.0"}
    assert within(both, "policy") == tensors
    assert within(both, "pol") == {}


def test_a_module_is_named_with_its_buffers():
    module = nn.BatchNorm1d(2)
    assert named("norm", module).keys() == {f"norm.{name}" for name in module.state_dict()}
