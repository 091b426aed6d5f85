import numpy as np
import pytest
import torch

from limner.worlds import find_world
from limner.worlds.paint.actions import bezier_actions, paint_actions
from limner.worlds.paint.programs import random_curves


def random(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("space", [bezier_actions(), paint_actions("stroke", 32, (1, 2), 3, False, 2)])
def test_random_curves_are_valid_and_local(space):
    actions = random_curves(space, 10, 500, random()).numpy()
    assert actions.shape == (10, 500, len(space))
    np.testing.assert_array_equal(space.canonical(space.validate(actions)), actions)
    painting = space.mask(actions).all(-1)
    ends, controls = (space.cells(actions, name)[painting] / 32 for name in ("end", "control"))
    assert 0.1 < np.abs(ends - controls).mean() < 0.25
    assert 0.2 < ends.std() < 0.35
    assert all(len(np.unique(actions[..., i])) > 800 for i, part in enumerate(space.parts) if part.grid)


@pytest.mark.parametrize("color", [False, True])
@pytest.mark.parametrize("name", ["line", "relative", "spline"])
def test_every_space_has_random_programs(name, color):
    space = paint_actions(name, 15, (1, 2), 3, color, 4)
    actions = find_world("paint").random_programs(space, 6, 50, random())
    assert torch.equal(actions, random_curves(space, 6, 50, random()))
    np.testing.assert_array_equal(space.canonical(space.validate(actions.numpy())), actions)
    for i, size in enumerate(space.sizes):
        if space.parts[i].grid is None:
            assert len(actions[..., i].unique()) == size


def test_every_other_curve_lies_near_the_last():
    space = paint_actions("stroke", 32, (1,), 1, False, 2)
    starts = space.cells(random_curves(space, 2, 4000, random()).numpy(), "start").astype(float)
    first, second = ((starts[t] - starts[t].mean(0)) / starts[t].std(0) for t in (0, 1))
    assert 0.2 < (first * second).mean() < 0.5
