"""Parts of a training: learners, actors, critics. A checkpoint holds the state of each as named tensors and numbers."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from limner.models.weights import load_weights

GENERATORS = ("acting", "critic", "policy")
"""Purposes of random generators: each is seeded by its place here."""


class Snapshot(NamedTuple):
    """The state of parts at one moment."""

    tensors: dict[str, Tensor]
    """Copies, on the CPU."""
    counters: dict[str, float]


class Part:
    """Something with a state that a checkpoint holds. A subclass names what the state consists of."""

    def modules(self) -> dict[str, nn.Module]:
        """Networks by name."""
        return {}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Optimizers by name."""
        return {}

    def generators(self) -> dict[str, torch.Generator]:
        """Random generators by purpose."""
        return {}

    def tensors(self) -> dict[str, Tensor]:
        """Other tensors by name: buffers, and what was made and will yet be learnt from."""
        return {}

    def counters(self) -> dict[str, float]:
        """Numbers that change from update to update."""
        return {}

    def load(self, tensors: Mapping[str, Tensor], counters: Mapping[str, float]) -> None:
        """Put back what ``tensors`` and ``counters`` gave; the networks have their weights already."""
        return

    def state(self) -> dict[str, Tensor]:
        """Copies of all tensors on the CPU, those of networks, optimizers and generators included."""
        state = {name: _copy(tensor) for name, tensor in self.tensors().items()}
        for name, module in self.modules().items():
            state |= named(name, module)
        for name, optimizer in self.optimizers().items():
            for index, slots in optimizer.state_dict()["state"].items():
                state |= {f"{name}.{index}.{slot}": _copy(value) for slot, value in slots.items()}
        return state | {f"generator.{name}": generator.get_state() for name, generator in self.generators().items()}

    def snapshot(self) -> Snapshot:
        """``state`` and ``counters``. What the part does afterwards does not change it."""
        return Snapshot(self.state(), self.counters())

    def restore(self, state: Mapping[str, Tensor], counters: Mapping[str, float]) -> None:
        """Put back what ``state`` and ``counters`` gave.

        ``ValueError``, ``KeyError`` or ``RuntimeError`` when it does not fit.
        """
        for name, module in self.modules().items():
            try:
                load_weights(module, within(state, name))
            except ValueError as error:
                raise ValueError(f"{name}.{error}") from None
        for name, optimizer in self.optimizers().items():
            _load_adam(optimizer, within(state, name))
        for name, generator in self.generators().items():
            generator.set_state(state[f"generator.{name}"])
        self.load(state, counters)


def make_generator(purpose: str, seed: int, device: str = "cpu") -> torch.Generator:
    """The random generator for a purpose in a run with this seed, as it is at the start."""
    return torch.Generator(device).manual_seed(seed * len(GENERATORS) + GENERATORS.index(purpose))


def named(prefix: str, module: nn.Module) -> dict[str, Tensor]:
    """A copy of the state of a module on the CPU, a prefix before each name."""
    return prefixed(prefix, {name: _copy(tensor) for name, tensor in module.state_dict().items()})


def prefixed(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors with a prefix before each name."""
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def within(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors with that prefix, without it."""
    dot = len(prefix) + 1
    return {name[dot:]: tensor for name, tensor in tensors.items() if name.startswith(prefix + ".")}


def _copy(tensor: Tensor) -> Tensor:
    return tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)


def _load_adam(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    slots: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, slot = key.split(".", 1)
        if value.dim():  # fused Adam walks through memory: its slots must lie there as the parameters do
            value = torch.empty_like(parameters[int(index)], device="cpu").copy_(value)
        slots.setdefault(int(index), {})[slot] = value
    optimizer.load_state_dict({"state": slots, "param_groups": optimizer.state_dict()["param_groups"]})
