"""Data sets that a world makes: the same bytes always, resumed, complete, and what is wrong with others."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from limner.data import generated as module
from limner.data import load_dataset
from limner.data.check import check_dataset
from limner.data.generated import ProgramDataset, generate, generated_names, load_generated
from limner.programs.execution import execute
from limner.programs.program import Program, save_programs
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.scenes import ScenesWorld
from limner.worlds.scenes.renderer import Scenes


@pytest.fixture
def few(gl: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty scenes to train on, and ten to test, in files of ten."""
    monkeypatch.setattr(module, "SHARD", 10)
    change(monkeypatch, counts={"train": 40, "test": 10})


def change(monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    monkeypatch.setattr(ScenesWorld, "examples", replace(ScenesWorld.examples, **changes))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.usefixtures("few")
def test_the_same_bytes_whoever_makes_them_and_in_whatever_pieces(tmp_path: Path) -> None:
    first = contents(generate("scenes", tmp_path / "one", threads=1))
    assert list(first) == ["test-00.npz", *(f"train-{n:02}.npz" for n in range(4))]

    def interrupt(done: int, total: int) -> None:
        assert total == 50
        if done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate("scenes", tmp_path / "two", threads=2, report=interrupt)
    assert len(list((tmp_path / "two/scenes").iterdir())) == 2
    assert contents(generate("scenes", tmp_path / "two", threads=3)) == first
    assert contents(generate("scenes", tmp_path / "three", seed=1)) != first


@pytest.mark.usefixtures("few")
def test_the_pictures_are_what_the_programs_show_and_the_splits_differ(tmp_path: Path) -> None:
    folder = generate("scenes", tmp_path)
    data = load_dataset("scenes", "train", tmp_path)
    assert isinstance(data, ProgramDataset)
    assert (data.name, len(data), data.channels, data.space) == ("scenes", 40, 3, Scenes().actions)
    with np.load(folder / "train-01.npz") as archive:
        actions, images = archive["actions"].astype(np.int64), archive["images"]
    assert np.array_equal(data.pictures(64)[10:20], images)
    assert np.array_equal(data.programs[10:20], actions)
    renderer = Scenes(batch=10)
    for step in actions.swapaxes(0, 1):
        renderer.step(step)
    assert np.array_equal(renderer.canvas(), images)
    every = np.concatenate([data.pictures(64), load_dataset("scenes", "test", tmp_path).pictures(64)])
    assert len(np.unique(every.reshape(50, -1), axis=0)) == 50


@pytest.mark.usefixtures("few")
def test_programs_are_selected_with_their_pictures(tmp_path: Path) -> None:
    generate("scenes", tmp_path)
    data = load_generated("scenes", "train", tmp_path)
    spread = data.spread(10)
    assert isinstance(spread, ProgramDataset)
    assert np.array_equal(spread.programs, data.programs[::4])
    assert np.array_equal(spread.images, data.images[::4])
    assert spread.space == data.space


@pytest.mark.usefixtures("few")
def test_what_is_missing_damaged_or_of_another_seed_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="limner data make scenes"):
        load_generated("scenes", "train", tmp_path)
    folder = generate("scenes", tmp_path)
    with pytest.raises(ValueError, match="holds other scenes"):
        generate("scenes", tmp_path, seed=3)
    (folder / "train-02.npz").unlink()
    with pytest.raises(ValueError, match=r"1 files of scenes are missing, .*train-02.npz the first: .*make scenes"):
        load_generated("scenes", "train", tmp_path)
    (folder / "train-02.npz").write_bytes(b"PK\x03\x04 damaged")
    with pytest.raises(ValueError, match=r"cannot read .*train-02.npz"):
        load_generated("scenes", "train", tmp_path)
    with pytest.raises(ValueError, match=r"cannot read .*train-02.npz"):
        generate("scenes", tmp_path)


@pytest.mark.usefixtures("few")
def test_a_set_of_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generate("scenes", tmp_path, seed=4)
    assert len(load_generated("scenes", "test", tmp_path)) == 10
    change(monkeypatch, about={**ScenesWorld.examples.about, "visible": 12})
    with pytest.raises(ValueError, match=r"test-00.npz holds scenes of another version .* limner data make scenes"):
        load_generated("scenes", "test", tmp_path)


@pytest.mark.usefixtures("few")
def test_what_was_made_can_be_checked(tmp_path: Path) -> None:
    generate("scenes", tmp_path)
    assert str(check_dataset("scenes", tmp_path)) == "scenes: 50 pictures, 64 × 64, 50 in colour, 0 broken"


def test_only_worlds_with_examples_make_a_set() -> None:
    assert generated_names() == ["scenes"]
    for make in (generate, lambda name: load_generated(name, "train")):
        with pytest.raises(ValueError, match=r"^the world 'toy' cannot make a data set: must be one of scenes$"):
            make("toy")


def programs(count, **settings):
    renderer = Paint(PaintSettings(space="stroke", sizes=(2.0, 4.0), events=6, **settings), count)
    actions = renderer.actions.sample(np.random.default_rng(0), (3, count))
    return [Program(renderer.settings(), actions[:, i]) for i in range(count)]


@pytest.mark.parametrize("color", [False, True])
def test_paintings_are_what_the_programs_paint(tmp_path, color):
    some = programs(20, color=color)
    save_programs(tmp_path / "some.jsonl", some)
    train, test = (load_dataset(f"programs:{tmp_path}/some.jsonl", split) for split in ("train", "test"))
    assert (len(train), len(test), train.channels) == (18, 2, 3 if color else 1)
    for data, rows in ((train, [i for i in range(20) if i % 10 != 9]), (test, [9, 19])):
        pictures = data.pictures(64)
        for picture, row in zip(pictures, rows, strict=True):
            np.testing.assert_array_equal(picture, execute(some[row]))
    assert train.pictures(32).shape == (18, 32, 32, train.channels)


def test_files_that_paint_no_data_set_are_refused(tmp_path):
    path = tmp_path / "some.jsonl"
    spec = f"programs:{path}"
    with pytest.raises(ValueError, match=r"cannot read .*some.jsonl"):
        load_dataset(spec)
    save_programs(path, programs(3))
    with pytest.raises(ValueError, match="no program for the split 'test', of 3"):
        load_dataset(spec, "test")
    save_programs(path, programs(3, ground="transparent"))
    with pytest.raises(ValueError, match="on white"):
        load_dataset(spec)
    save_programs(path, programs(2) + programs(1, color=True))
    with pytest.raises(ValueError, match="all alike"):
        load_dataset(spec)
    path.write_text("no program\n")
    with pytest.raises(ValueError, match="line 1"):
        load_dataset(spec)
