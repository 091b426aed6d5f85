import numpy as np
import pytest
import torch

from limner.worlds.scenes.objects import CHANGE, PLACE, SKIP
from limner.data.scenes import scatter, show
from limner.worlds.scenes.objects import objects
from limner.worlds.scenes.refinement import settle
from limner.worlds.scenes.renderer import Scenes
from limner.worlds.scenes.settings import ScenesSettings, scene_actions

SPACE = scene_actions(ScenesSettings())


def program(*verbs):
    """Actions that differ, with these verbs."""
    actions = SPACE.sample(np.random.default_rng(3), len(verbs))
    actions[:, 1:] = np.random.default_rng(4).integers(0, SPACE.sizes[1:], (len(verbs), 6))
    actions[:, 0] = verbs
    return SPACE.canonical(actions)


def test_what_is_changed_counts_as_it_is_in_the_end():
    actions = program(PLACE, SKIP, CHANGE, PLACE, CHANGE, CHANGE, SKIP)
    np.testing.assert_array_equal(objects(SPACE, actions)[:, 1:], actions[[2, 5], 1:])
    assert (objects(SPACE, actions)[:, 0] == PLACE).all()


def test_the_first_change_places_and_nothing_is_nothing():
    actions = program(CHANGE, CHANGE)
    np.testing.assert_array_equal(objects(SPACE, actions)[:, 1:], actions[[1], 1:])
    assert objects(SPACE, program(SKIP, SKIP)).shape == (0, 7)
    assert objects(SPACE, np.zeros((0, 7), np.int64)).shape == (0, 7)


@pytest.mark.usefixtures("gl")
def test_a_settled_program_shows_the_same_picture_and_places_before_it_skips():
    actions = SPACE.sample(np.random.default_rng(0), (20, 9))
    settled = settle(SPACE, torch.from_numpy(actions).transpose(0, 1)).transpose(0, 1).numpy()
    np.testing.assert_array_equal(SPACE.canonical(settled), settled)
    assert set(np.unique(settled[..., 0])) == {PLACE, SKIP}
    assert (np.diff((settled[..., 0] == SKIP).astype(int), axis=1) >= 0).all()
    np.testing.assert_array_equal(show(Scenes(batch=20), settled), show(Scenes(batch=20), actions))


def test_what_is_settled_stays():
    actions = torch.from_numpy(scatter(np.random.default_rng(0), np.arange(6))).transpose(0, 1)
    assert torch.equal(settle(SPACE, actions), actions)
