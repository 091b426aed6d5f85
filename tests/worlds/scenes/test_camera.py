import subprocess
import sys

import numpy as np
import pytest

from limner.worlds.scenes._scenes import halve
from limner.worlds.scenes.camera import SMALL, borrow_cameras
from limner.worlds.scenes.examples import visible_scenes
from limner.worlds.scenes.settings import ScenesSettings, place

pytestmark = pytest.mark.usefixtures("gl")


def scenes(count: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Pictures, and the objects that they show."""
    images, programs = visible_scenes(np.random.default_rng(0), count)
    return images, [place(ScenesSettings(), program[program[:, 0] == 0]) for program in programs]


def test_halving_rounds_the_mean_of_four_and_refuses_other_shapes() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (3, 34, 34, 3)).astype(np.uint8)
    out = np.empty((3, 17, 17, 3), np.uint8)
    halve(pictures, out)
    assert np.array_equal(out, (pictures.reshape(3, 17, 2, 17, 2, 3).astype(int).sum((2, 4)) + 2) // 4)
    for wrong in ((3, 16, 17, 3), (2, 17, 17, 3), (3, 17, 17, 1)):
        with pytest.raises(ValueError, match="halve takes"):
            halve(pictures, np.empty(wrong, np.uint8))


def test_samples_average_to_the_picture_and_objects_are_nearer_than_the_platform() -> None:
    images, objects = scenes(5)
    with borrow_cameras(1, 64) as (camera,):
        (ground,) = camera.sample([objects[0][:0]], 64).result()
        samples = camera.sample(objects, 64).result()
        pictures = np.empty((5, 64, 64, 3), np.uint8)
        camera.render(objects, 64, pictures).result()
    assert np.array_equal(pictures, images)
    for seen, picture in zip(samples, pictures, strict=True):
        mean = (seen.colours.astype(int).sum(1) + 2) // 4
        assert np.array_equal(mean.reshape(64, 64, 3), picture)
        assert (seen.depths <= ground.depths).all()
        assert 20 < (seen.depths < ground.depths).any(1).sum() < 64 * 64 / 2


def test_one_camera_takes_pictures_of_several_sizes() -> None:
    images, objects = scenes(2)
    with borrow_cameras(1, 64) as (camera,):
        for size in (64, 16, SMALL, 64):
            pictures = np.empty((2, size, size, 3), np.uint8)
            camera.render(objects, size, pictures).result()
            assert (pictures[0] != pictures[1]).any()
    assert np.array_equal(pictures, images)


def test_cameras_are_kept_and_lent_to_one_borrower_at_a_time() -> None:
    with borrow_cameras(2, 64) as first, borrow_cameras(1, 64) as second:
        assert len({*first, *second}) == 3
    with borrow_cameras(3, 64) as again:
        assert set(again) == {*first, *second}
    with pytest.raises(ZeroDivisionError), borrow_cameras(1, 64) as (camera,):
        raise ZeroDivisionError
    with borrow_cameras(1, 64) as (same,):
        assert same is camera
    with borrow_cameras(1, SMALL + 1) as (fine,):
        assert fine is not camera


def test_a_forked_child_has_a_camera_of_its_own() -> None:
    code = """
import os
from limner.worlds.scenes.renderer import Scenes
shown = Scenes().canvas().tobytes()
if not (child := os.fork()):
    os._exit(int(Scenes().canvas().tobytes() != shown))
assert os.waitpid(child, 0)[1] == 0
assert Scenes().canvas().tobytes() == shown
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
