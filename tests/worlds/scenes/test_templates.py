"""Templates: the objects that a picture lacks are found without rendering any."""

import numpy as np
import pytest

from limner.worlds.scenes._scenes import match
from limner.worlds.scenes.examples import show, visible_scenes
from limner.worlds.scenes.renderer import Scenes
from limner.worlds.scenes.settings import PLACE, ScenesSettings

pytestmark = pytest.mark.usefixtures("gl")


def errors(pictures: np.ndarray, goals: np.ndarray) -> np.ndarray:
    return np.square(pictures.astype(float) - goals).sum((1, 2, 3))


def test_an_object_that_was_taken_away_is_found() -> None:
    images, programs = visible_scenes(np.random.default_rng(0), 30)
    scenes = Scenes(batch=30)
    show(scenes, programs[:, 1:])
    found = scenes.additions(images, 4)
    assert found.shape == (30, 4, 7)
    assert ((found == programs[:, :1]).all(2).any(1)).mean() > 0.95


def test_none_of_many_others_would_be_better() -> None:
    """Also where the goal is none that an object more could reach."""
    rng = np.random.default_rng(1)
    (there, program), (goals, _) = visible_scenes(rng, 1), visible_scenes(rng, 1)
    scene = Scenes()
    show(scene, program)
    (best,) = scene.additions(goals, 3)
    others = np.stack([rng.integers(0, size, 2000) for size in Scenes().actions.sizes], axis=1)
    others[:, 0] = PLACE
    tried = np.concatenate([best, others])[:, None]
    pictures = show(Scenes(batch=len(tried)), np.concatenate([program.repeat(len(tried), axis=0), tried], axis=1))
    after = errors(pictures, goals.repeat(len(pictures), axis=0))
    assert after[:3].max() <= after[3:].min() * 1.001
    assert after[:3].min() < errors(there, goals)[0]


def test_what_is_right_needs_nothing() -> None:
    images, programs = visible_scenes(np.random.default_rng(2), 2)
    scenes = Scenes(batch=2)
    show(scenes, programs)
    assert scenes.additions(images, 2).shape == (2, 2, 7)
    assert np.array_equal(scenes.canvas(), images)


def test_many_levels_are_matched_at_some() -> None:
    settings = ScenesSettings(canvas=32, grid=4, sizes=(0.3,), levels=256)
    red = np.array([PLACE, 2, 5, 0, 255, 0, 80])
    goal = show(Scenes(settings), red[None, None])
    ((found,),) = Scenes(settings).additions(goal, 1)
    assert found[:4].tolist() == red[:4].tolist()
    assert found[4:].tolist() == [255, 0, 85]


def test_too_many_kinds_of_objects_are_not_matched() -> None:
    scenes = Scenes(ScenesSettings(canvas=512), batch=2)
    assert scenes.additions(scenes.canvas(), 4).shape == (2, 0, 7)


def test_arrays_that_do_not_fit_are_refused() -> None:
    numbers = {np.int32: [(3,), (5,)], np.float32: [(5, 4)], np.uint8: [(5, 4), (4, 256)]}
    arrays = [np.zeros(shape, kind) for kind, shapes in numbers.items() for shape in shapes]
    arrays += [np.zeros((9, 4), np.float32), np.zeros((9, 4, 3), np.uint8), np.zeros((9, 3), np.int16)]
    match(*arrays, np.ones((2, 3, 4), np.int64))
    for i in range(len(arrays)):
        wrong = [*arrays[:i], np.concatenate([arrays[i], arrays[i][:1]]), *arrays[i + 1 :]]
        with pytest.raises(ValueError, match="do not fit"):
            match(*wrong, np.ones((2, 3, 4), np.int64))
