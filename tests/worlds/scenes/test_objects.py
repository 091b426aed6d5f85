import numpy as np

from limner.worlds.scenes.objects import CHANGE, PLACE, SKIP, objects
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
