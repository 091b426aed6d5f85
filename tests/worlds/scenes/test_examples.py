import numpy as np
import pytest

from limner.worlds import find_world
from limner.worlds.scenes.examples import VISIBLE, changed_pixels, scatter, show, visible_scenes
from limner.worlds.scenes.renderer import Scenes
from limner.worlds.scenes.settings import PLACE, SKIP, ScenesSettings, scene_actions

pytestmark = pytest.mark.usefixtures("gl")


def test_visible_scenes_have_each_number_of_objects_and_all_can_be_seen() -> None:
    images, programs = visible_scenes(np.random.default_rng(0), 200, threads=2, fewest=2, most=6)
    assert programs.shape == (200, 6, 7)
    assert np.allclose(np.bincount((programs[..., 0] == PLACE).sum(1))[2:] / 200, 1 / 5, atol=0.1)
    assert changed_pixels(Scenes(batch=200), programs, images).min() >= VISIBLE


def test_pictures_are_what_the_programs_show_on_any_number_of_threads() -> None:
    images, programs = visible_scenes(np.random.default_rng(1), 20)
    assert np.array_equal(show(Scenes(batch=20), programs), images)
    space = scene_actions(ScenesSettings())
    assert np.array_equal(space.canonical(space.validate(programs)), programs)
    again = visible_scenes(np.random.default_rng(1), 20, threads=3)
    assert np.array_equal(again[0], images)
    assert np.array_equal(again[1], programs)


def test_an_object_behind_another_is_not_seen() -> None:
    place, skip = (PLACE, 1, 16 * 8 + 8, 0, 3, 0, 0), (SKIP, 0, 0, 0, 0, 0, 0)
    wall = (PLACE, 0, 16 * 10 + 8, 2, 0, 0, 3)
    programs = np.array([(place, skip), (place, wall)])
    renderer = Scenes(batch=2)
    images = show(renderer, programs)
    pixels = changed_pixels(renderer, programs, images)
    assert pixels[0, 0] > 20
    assert pixels[0, 1] == 64 * 64
    assert pixels[1, 0] < VISIBLE
    assert pixels[1, 1] > 100


def test_scattered_objects_are_anything_anywhere_but_two_in_one_place() -> None:
    actions = scatter(np.random.default_rng(0), np.repeat(np.arange(2, 7), 400), 6)
    counts = (actions[..., 0] == PLACE).sum(1)
    assert (counts == np.repeat(np.arange(2, 7), 400)).all()
    assert (np.sort(actions[..., 0], axis=1) == actions[..., 0]).all()  # the skips come last
    assert set(np.unique(actions[..., 0])) == {PLACE, SKIP}
    for scene, count in zip(actions[::10], counts[::10], strict=True):
        assert len(set(scene[:count, 2].tolist())) == count
    assert np.allclose(np.bincount(actions[actions[..., 0] == PLACE][:, 1]) / counts.sum(), 1 / 4, atol=0.02)


def test_the_examples_of_the_world_are_these() -> None:
    examples = find_world("scenes").examples
    assert examples is not None
    assert examples.settings == ScenesSettings()
    images, programs = examples.generate(np.random.default_rng(3), 8, 2)
    assert np.array_equal(programs, visible_scenes(np.random.default_rng(3), 8)[1])
    assert (images.shape, images.dtype) == ((8, 64, 64, 3), np.uint8)
    assert examples.about["visible"] == VISIBLE
    assert find_world("paint").examples is None
