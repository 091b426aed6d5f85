"""Weights of another network: one line says what does not fit, and nothing is changed."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn

from limner.models.weights import load_weights


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), *(nn.Linear(4, 4) for _ in range(50)))


def changed(**changes: object) -> dict[str, torch.Tensor]:
    weights = network().state_dict()
    for name in [name for name, value in changes.items() if value is None]:
        del weights[name.replace("_", ".")]
    return weights | {name.replace("_", "."): value for name, value in changes.items() if value is not None}


def test_what_fits_is_loaded() -> None:
    ours, theirs = network(), network()
    load_weights(ours, theirs.state_dict())
    assert all(map(torch.equal, ours.state_dict().values(), theirs.state_dict().values()))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (changed(**{"0_weight": torch.zeros(4, 5)}), "0.weight is [4, 5], must be [4, 3]"),
        (changed(**{"1_bias": torch.zeros(())}), "1.bias is [], must be [4]"),
        (changed(**{"1_weight": None}), "1.weight is missing"),
        (changed(**{"99_weight": torch.zeros(1)}), "99.weight is there, and the network has no such tensor"),
        (changed(**{"1_bias": None, "2_bias": torch.zeros(9)}), "2.bias is [9], must be [4] (2 tensors do not fit)"),
        ({}, "0.weight is missing (104 tensors do not fit)"),
    ],
)
def test_what_does_not_fit_is_named_in_one_line(weights: dict[str, torch.Tensor], message: str) -> None:
    ours = network()
    before = {name: tensor.clone() for name, tensor in ours.state_dict().items()}
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        load_weights(ours, weights)
    assert all(map(torch.equal, ours.state_dict().values(), before.values()))
