import numpy as np
import pytest

from limner.worlds import make_renderer
from limner.worlds.scenes.settings import (
    CHANGE,
    KINDS,
    PLACE,
    SKIP,
    ScenesSettings,
    objects,
    place,
    scene_actions,
    stand,
)

SPACE = scene_actions(ScenesSettings())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"canvas": 8}, r"^renderer\.canvas is 8: must be in 16 … 2048$"),
        ({"canvas": 64.0}, r"^renderer\.canvas is 64\.0: must be a whole number$"),
        ({"grid": 1}, r"^renderer\.grid is 1: must be in 2 … 64$"),
        ({"levels": True}, r"^renderer\.levels is True: must be a whole number$"),
        ({"sizes": []}, r"^renderer\.sizes is \(\): must be one or more, each a number$"),
        ({"sizes": [0.1, float("nan")]}, r"^renderer\.sizes is \(0\.1, nan\): must be one or more, each a number$"),
        ({"sizes": [0.1, 2]}, r"^renderer\.sizes is \(0\.1, 2\): must be in 0\.01 … 1$"),
        ({"sizes": "large"}, r"^renderer\.sizes is 'large': must be one or more, each a number$"),
        ({"brush": "pen"}, r"unknown field renderer\.brush, must be one of canvas, grid, sizes, levels$"),
    ],
)
def test_bad_settings_are_named(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_renderer({"name": "scenes", **settings})


def test_only_the_verb_counts_in_a_skip() -> None:
    space = scene_actions(ScenesSettings())
    assert space.names == ("op", "type", "location", "size", "red", "green", "blue")
    assert space.sizes == (3, len(KINDS), 256, 3, 4, 4, 4)
    assert space.mask_table.tolist() == [[True] * 7, [True] * 7, [True] + [False] * 6]
    assert space.full_verbs == (0, 1)


def test_objects_stand_on_the_platform_and_rows_go_from_the_back_to_the_front() -> None:
    cells = np.stack(np.divmod(np.arange(16), 4), axis=1)
    for size in (0.1, 0.3):
        places = stand(cells, np.full(16, size), 4)
        assert (np.abs(places) + size <= 1).all()
        grid = places.reshape(4, 4, 2)
        assert (np.diff(grid[..., 0], axis=1) > 0).all()
        assert (np.diff(grid[..., 1], axis=0) < 0).all()


def test_an_object_has_the_values_of_its_action() -> None:
    settings = ScenesSettings(grid=4, sizes=(0.1, 0.3), levels=3)
    (found,) = place(settings, np.array([[0, 2, 4, 1, 2, 0, 1]]))
    assert found[0] == 2
    assert found[1:3] == pytest.approx(stand([[1, 0]], [0.3], 4)[0], abs=1e-6)
    assert found[3] == pytest.approx(0.3, rel=1e-3)
    assert found[3] > 0.3 * (1 + 3e-5)  # a little larger than in the cells before, so that it shows
    assert found[4:].tolist() == [1, 0, 0.5]


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
