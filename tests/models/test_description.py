import numpy as np
import pytest
import torch

from limner.actions import JUMP, PAINT, Part, bezier_actions, paint_actions
from limner.models.description import cut, describe, description_shape, join, separate
from limner.worlds.toy.renderer import Toy

SPACES = {
    name: paint_actions(name, 8, (1, 2, 4), 4, False, 2) for name in ("bezier", "line", "stroke", "relative", "spline")
} | {"colour": bezier_actions(32, color=True), "toy": Toy().actions}


def sample(space, shape, seed=0):
    return torch.from_numpy(space.sample(np.random.default_rng(seed), shape))


@pytest.mark.parametrize("name", SPACES)
def test_different_programs_have_different_descriptions_in_a_bounded_range(name):
    space = SPACES[name]
    actions = sample(space, (3000, 1))
    described = describe(actions, space)
    assert described.dtype == torch.float32
    assert described.shape[1:] == description_shape(space, 1)
    assert described.abs().max() <= 1
    assert len(described.unique(dim=0)) == len(actions.unique(dim=0))
    assert described.abs().sum(dim=(1, 2)).min() > 0, "an action looks as if it were not there"


@pytest.mark.parametrize("name", ["bezier", "line", "relative", "spline", "colour"])
def test_parts_that_do_not_count_contribute_nothing(name):
    space = SPACES[name]
    rng = np.random.default_rng(1)
    anything = rng.integers(0, space.sizes, (500, 3, len(space)))
    canonical = space.canonical(anything)
    assert (anything != canonical).any()
    described = describe(torch.from_numpy(anything), space)
    assert torch.equal(described, describe(torch.from_numpy(canonical), space))
    idle = described[torch.from_numpy(anything[..., 0] != PAINT)]
    counting = sum(description_shape_of(part) for part in space.parts if not part.dependent)
    assert (idle != 0).sum(1).max() <= counting


def description_shape_of(part: Part) -> int:
    return part.size if part.name == "flag" else 2 if part.grid else 1


def test_an_action_is_described_part_by_part():
    space = bezier_actions(grid=4, sizes=(1, 2, 4), pressures=2)  # flag, end, control, size, pressure
    actions = torch.tensor([[PAINT, 3, 8, 1, 0], [JUMP, 0, 8, 1, 0]])
    expected = torch.tensor([[0, 1, 0.75, -0.75, -0.75, 0.25, 2 / 3, 0.5], [1, 0, -0.75, -0.75, 0, 0, 0, 0]])
    torch.testing.assert_close(describe(actions, space), expected)
    assert description_shape(space, 6) == (6, 8)


def test_no_offset_is_in_the_middle():
    space = SPACES["relative"]
    here = space.parts[1].size // 2
    right, up = here + 1, here - space.parts[1].grid[1]
    described = describe(torch.tensor([[JUMP, end, 0, 0, 0] for end in (here, right, up)]), space)
    torch.testing.assert_close(described[:, 2:4], torch.tensor([[0, 0], [2 / 9, 0], [0, -2 / 9]]))


def test_pairs_come_apart_again_and_end_where_they_are_cut():
    space = SPACES["bezier"]
    pictures, programs = torch.rand(5, 2, 4, 4), describe(sample(space, (5, 4)), space)
    shape = description_shape(space, 4)
    pairs = join(pictures, programs)
    for found, expected in zip(separate(pairs, shape), (pictures.flatten(1), programs), strict=True):
        assert torch.equal(found, expected)
    pixels, short = separate(cut(pairs, torch.arange(5), shape), shape)
    assert torch.equal(pixels, pictures.flatten(1))
    for length in range(5):
        assert torch.equal(short[length, :length], programs[length, :length])
        assert not short[length, length:].any()
