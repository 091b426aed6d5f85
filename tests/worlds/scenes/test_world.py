import numpy as np
import pytest
import torch

from limner.worlds import find_world
from limner.worlds.proposals import perturb
from limner.worlds.scenes.settings import CHANGE, PLACE, SKIP, ScenesSettings, objects, scene_actions

WORLD = find_world("scenes")
SPACE = scene_actions(ScenesSettings())
BATCH = 50


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def wrong_colours(actions):
    """Perturbs every action: each object has another red."""
    other = actions.clone()
    red = SPACE.index("red")
    other[..., red] = (actions[..., red] + 1) % 4
    return torch.from_numpy(SPACE.canonical(other.numpy()))


def test_random_scenes_place_and_then_skip():
    actions = WORLD.random_programs(SPACE, 8, 400, random())
    np.testing.assert_array_equal(SPACE.canonical(SPACE.validate(actions.numpy())), actions)
    placed = actions[..., 0] == PLACE
    assert set(placed.sum(0).tolist()) == {1, 2, 3, 4, 5}
    assert torch.equal(placed, torch.arange(8)[:, None] < placed.sum(0))
    assert (actions[~placed][:, 0] == SKIP).all()
    for i, size in enumerate(SPACE.sizes[1:], 1):
        assert len(actions[placed][:, i].unique()) == size


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_the_shortest_scenes_have_an_object(steps):
    assert (WORLD.random_programs(SPACE, steps, 50, random())[0, :, 0] == PLACE).all()


def test_without_perturbation_the_expert_follows_the_program():
    known = WORLD.random_programs(SPACE, 7, BATCH, random())
    expert, done = WORLD.correct(SPACE, known, lambda actions: actions)
    assert torch.equal(expert, known)
    assert torch.equal(done, known)


@pytest.mark.parametrize("perturbed", [wrong_colours, lambda actions: perturb(SPACE, actions, random(5))])
def test_perturbed_objects_are_changed_until_they_are_right_and_all_are_placed_in_the_end(perturbed):
    known = WORLD.random_programs(SPACE, 12, BATCH, random())
    expert, done = WORLD.correct(SPACE, known, perturbed)
    for row in range(BATCH):
        np.testing.assert_array_equal(objects(SPACE, done[:, row].numpy()), objects(SPACE, known[:, row].numpy()))
        wrong = False
        for right, did in zip(expert[:, row], done[:, row], strict=True):
            assert (right[0] == CHANGE) == wrong
            wrong = not torch.equal(right, did)
    assert (expert[..., 0] == CHANGE).sum() > BATCH


def test_nothing_is_perturbed_where_no_step_is_left_to_correct_it():
    full = torch.from_numpy(SPACE.canonical(np.random.default_rng(0).integers(0, SPACE.sizes, (4, BATCH, 7))))
    full[..., 0] = PLACE
    expert, done = WORLD.correct(SPACE, full, wrong_colours)
    assert torch.equal(expert, full)
    assert torch.equal(done, full)
