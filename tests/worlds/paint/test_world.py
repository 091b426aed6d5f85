import numpy as np
import pytest
import torch

from limner.worlds import find_world
from limner.worlds.paint.settings import PaintSettings, paint_actions

WORLD = find_world("paint")


def random(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    "space",
    [paint_actions(), paint_actions(PaintSettings(space="stroke", grid=32, sizes=(1, 2), pressures=3, levels=2))],
)
def test_random_curves_are_valid_and_local(space):
    actions = WORLD.random_programs(space, 10, 500, random()).numpy()
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
    space = paint_actions(PaintSettings(space=name, grid=15, sizes=(1, 2), pressures=3, color=color, levels=4))
    actions = WORLD.random_programs(space, 6, 50, random())
    np.testing.assert_array_equal(space.canonical(space.validate(actions.numpy())), actions)
    for i, size in enumerate(space.sizes):
        if space.parts[i].grid is None:
            assert len(actions[..., i].unique()) == size


def test_every_other_curve_lies_near_the_last():
    space = paint_actions(PaintSettings(space="stroke", grid=32, sizes=(1,), pressures=1, levels=2))
    starts = space.cells(WORLD.random_programs(space, 2, 4000, random()).numpy(), "start").astype(float)
    first, second = ((starts[t] - starts[t].mean(0)) / starts[t].std(0) for t in (0, 1))
    assert 0.2 < (first * second).mean() < 0.5
