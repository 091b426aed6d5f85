"""Scenes that are made: the same bytes always, resumed, complete, and what is wrong with others."""

from pathlib import Path

import numpy as np
import pytest

from limner.worlds.scenes.objects import PLACE, SKIP
from limner.data import load_dataset, scenes
from limner.data.scenes import VISIBLE, load_scenes, make_scenes, random_scenes, scatter, seen, show
from limner.worlds.scenes.renderer import Scenes


@pytest.fixture(autouse=True)
def few(gl: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty scenes to train on, and ten to test, in files of ten."""
    monkeypatch.setattr(scenes, "SHARD", 10)
    monkeypatch.setattr(scenes, "COUNTS", {"train": 40, "test": 10})


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_same_bytes_whoever_makes_them_and_in_whatever_pieces(tmp_path: Path) -> None:
    first = contents(make_scenes(tmp_path / "one", threads=1))
    assert list(first) == ["test-00.npz", *(f"train-{n:02}.npz" for n in range(4))]

    def interrupt(done: int, total: int) -> None:
        assert total == 50
        if done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_scenes(tmp_path / "two", threads=2, report=interrupt)
    assert len(list((tmp_path / "two/scenes").iterdir())) == 2
    assert contents(make_scenes(tmp_path / "two", threads=3)) == first
    assert contents(make_scenes(tmp_path / "three", seed=1)) != first


def test_the_pictures_are_what_the_programs_show_and_the_splits_differ(tmp_path: Path) -> None:
    folder = make_scenes(tmp_path)
    data = load_dataset("scenes", "train", tmp_path)
    assert (len(data), data.channels) == (40, 3)
    with np.load(folder / "train-01.npz") as archive:
        actions, images = archive["actions"].astype(np.int64), archive["images"]
    assert np.array_equal(data.pictures(64)[10:20], images)
    renderer = Scenes(batch=10)
    for step in actions.swapaxes(0, 1):
        renderer.step(step)
    assert np.array_equal(renderer.canvas(), images)
    every = np.concatenate([data.pictures(64), load_dataset("scenes", "test", tmp_path).pictures(64)])
    assert len(np.unique(every.reshape(50, -1), axis=0)) == 50


def test_random_scenes_have_each_number_of_objects_and_all_can_be_seen() -> None:
    data = random_scenes(np.random.default_rng(0), 200, 2, 6, threads=2)
    assert np.allclose(np.bincount((data.programs[..., 0] == PLACE).sum(1))[2:] / 200, 1 / 5, atol=0.1)
    assert seen(Scenes(batch=200), data.programs, data.images).min() >= VISIBLE


def test_an_object_behind_another_is_not_seen() -> None:
    place, skip = (PLACE, 1, 16 * 8 + 8, 0, 3, 0, 0), (SKIP, 0, 0, 0, 0, 0, 0)
    wall = (PLACE, 0, 16 * 10 + 8, 2, 0, 0, 3)
    programs = np.array([(place, skip), (place, wall)])
    renderer = Scenes(batch=2)
    images = show(renderer, programs)
    pixels = seen(renderer, programs, images)
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


def test_what_is_missing_damaged_or_of_another_seed_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="limner data make scenes"):
        load_scenes("train", tmp_path)
    folder = make_scenes(tmp_path)
    with pytest.raises(ValueError, match="holds other scenes"):
        make_scenes(tmp_path, seed=3)
    (folder / "train-02.npz").unlink()
    with pytest.raises(ValueError, match=r"1 files of the scenes are missing, .*train-02.npz the first"):
        load_scenes("train", tmp_path)
    (folder / "train-02.npz").write_bytes(b"PK\x03\x04 damaged")
    with pytest.raises(ValueError, match=r"cannot read .*train-02.npz"):
        load_scenes("train", tmp_path)
    with pytest.raises(ValueError, match=r"cannot read .*train-02.npz"):
        make_scenes(tmp_path)


def test_scenes_of_another_version_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_scenes(tmp_path, seed=4)
    assert len(load_scenes("test", tmp_path)) == 10
    monkeypatch.setattr(scenes, "VISIBLE", 12)
    with pytest.raises(ValueError, match=r"test-00.npz holds scenes of another version .* limner data make scenes"):
        load_scenes("test", tmp_path)
