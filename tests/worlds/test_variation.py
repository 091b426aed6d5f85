import numpy as np
import pytest
import torch

from limner.worlds.paint.settings import PaintSettings, paint_actions
from limner.worlds.scenes.settings import PLACE, SKIP, ScenesSettings, scene_actions
from limner.worlds.variation import perturb, recolour


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    "space",
    [
        paint_actions(),
        paint_actions(PaintSettings(space="stroke", grid=32, sizes=(1, 2, 4), pressures=4, color=True, levels=8)),
        paint_actions(PaintSettings(space="relative", grid=9, sizes=(1, 2), pressures=3, levels=2)),
        scene_actions(ScenesSettings()),
    ],
    ids=["bezier", "stroke", "relative", "scenes"],
)
def test_perturbed_actions_are_valid_and_close_by(space):
    actions = torch.from_numpy(space.sample(np.random.default_rng(0), 4000))
    given = actions.clone()
    perturbed = perturb(space, actions, generator())
    assert torch.equal(actions, given)
    np.testing.assert_array_equal(space.validate(perturbed.numpy()), space.canonical(perturbed.numpy()))
    counts = torch.from_numpy(space.mask(actions.numpy()))
    for i, part in enumerate(space.parts):
        counted = counts[:, i]
        before, after = actions[counted, i], perturbed[counted, i]
        if part.name in ("flag", "op"):
            assert torch.equal(before, after)
            continue
        changed = (before != after).float().mean()
        if part.grid is not None:
            columns = part.grid[1]
            far = torch.maximum(abs(before // columns - after // columns), abs(before % columns - after % columns))
            assert 0.2 < changed < 0.5
            assert far.max() <= 10
            assert far[far > 0].float().mean() < 3
        else:
            assert 0.1 < changed < 0.3
            assert abs(before - after).max() == (3 if part.name == "type" else 1)


def test_the_generator_decides_what_is_perturbed():
    space = paint_actions()
    actions = torch.from_numpy(space.sample(np.random.default_rng(0), 50))
    once = perturb(space, actions, generator())
    assert torch.equal(perturb(space, actions, generator()), once)
    assert not torch.equal(perturb(space, actions, generator(1)), once)


def test_colours_become_the_nearest_levels():
    space = paint_actions(PaintSettings(space="stroke", grid=8, sizes=(1, 2), pressures=3, color=True, levels=5))
    actions = torch.from_numpy(space.sample(np.random.default_rng(0), 3))
    recoloured = recolour(space, actions, torch.tensor([[0.0, 0.49, 1.0], [0.13, 0.12, 0.7], [1.0, 0.6, 0.9]]))
    assert recoloured[:, -3:].tolist() == [[0, 2, 4], [1, 0, 3], [4, 2, 4]]
    assert torch.equal(recoloured[:, :-3], actions[:, :-3])


def test_what_has_no_colour_gets_none():
    space = scene_actions(ScenesSettings())
    actions = torch.tensor([[SKIP, 0, 0, 0, 0, 0, 0], [PLACE, 1, 2, 1, 0, 0, 0]])
    assert recolour(space, actions, torch.ones(2, 3)).tolist() == [[SKIP] + [0] * 6, [PLACE, 1, 2, 1, 3, 3, 3]]
