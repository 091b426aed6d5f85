"""Folders and zips of pictures as data sets, and the faces."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from limner.data import load_dataset, open_files, resize_square
from limner.data.root import DATA_VARIABLE

GREY = np.random.default_rng(0).integers(0, 256, (8, 8), np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (8, 8, 3), np.uint8)


def test_every_tenth_by_sorted_name_is_test(tmp_path: Path, pack: Callable, encode: Callable) -> None:
    pixels = {f"{i % 3}/{i:02}.png": np.full((6, 6), i, np.uint8) for i in range(25)}
    path = pack(tmp_path / "set", {name: encode(value) for name, value in pixels.items()})
    train, test = load_dataset(f"folder:{path}"), load_dataset(f"folder:{path}", "test")
    ordered = [int(value[0, 0]) for _, value in sorted(pixels.items())]
    assert test.pictures(6)[:, 0, 0, 0].tolist() == [ordered[9], ordered[19]]
    assert train.pictures(6)[:, 0, 0, 0].tolist() == [n for place, n in enumerate(ordered) if place % 10 != 9]
    assert train.channels == test.channels == 1
    assert train.labels is None
    assert train.name == f"folder:{path}"


def test_pictures_are_cut_to_their_middle(tmp_path: Path, pack: Callable, encode: Callable) -> None:
    wide = np.random.default_rng(0).integers(0, 256, (10, 30, 3), np.uint8)
    path = pack(tmp_path / "set", {"a.png": encode(wide), "b.bmp": encode(COLOUR, "BMP")})
    found = load_dataset(f"folder:{path}").pictures(8)
    assert np.array_equal(found, np.concatenate([resize_square(wide[None, :, 10:20], 8), COLOUR[None]]))


def test_one_picture_of_colour_among_few_makes_the_set_coloured(
    tmp_path: Path, pack: Callable, encode: Callable
) -> None:
    files = {f"{i:02}.png": encode(GREY) for i in range(30)}
    assert load_dataset(f"folder:{pack(tmp_path / 'grey', files)}").channels == 1
    files["29.png"] = encode(COLOUR)  # in the test split
    path = pack(tmp_path / "colour", files)
    train, test = load_dataset(f"folder:{path}"), load_dataset(f"folder:{path}", "test")
    assert (train.channels, test.channels) == (3, 3)
    assert np.array_equal(train.pictures(8, slice(1)), GREY[None, ..., None].repeat(3, -1))
    assert np.array_equal(test.pictures(8, np.array([2])), COLOUR[None])


def test_grey_saved_as_rgb_is_grey_and_broken_ones_do_not_matter_yet(
    tmp_path: Path, pack: Callable, encode: Callable
) -> None:
    grey = encode(GREY[..., None].repeat(3, -1))
    data = load_dataset(f"folder:{pack(tmp_path / 'set', {'a.png': b'', 'b.png': grey, 'c.jpg': b'x'})}")
    assert data.channels == 1
    assert np.array_equal(data.pictures(8, np.array([1]))[0, ..., 0], GREY)
    with pytest.raises(ValueError, match=r"a\.png"):
        data.pictures(8)


def test_few_are_looked_at_in_a_large_folder(tmp_path: Path, encode: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(200):
        (tmp_path / f"{i:03}.png").write_bytes(encode(GREY))
    read = []
    original = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.append(path.name) or original(path))
    load_dataset(f"folder:{tmp_path}")
    assert len(read) == 32
    assert min(read) < "010"
    assert max(read) > "190"


def test_nine_pictures_have_no_test_split(tmp_path: Path, pack: Callable, encode: Callable) -> None:
    path = pack(tmp_path / "set", {f"{i}.png": encode(GREY) for i in range(9)})
    assert len(load_dataset(f"folder:{path}")) == 9
    with pytest.raises(ValueError, match=r"no picture in its split 'test', of 9 in all"):
        load_dataset(f"folder:{path}", "test")


def test_what_is_no_folder_of_pictures(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"there is no .*nowhere"):
        load_dataset(f"folder:{tmp_path}/nowhere")
    with pytest.raises(ValueError, match=r"holds no picture"):
        load_dataset(f"folder:{tmp_path}")
    (tmp_path / "index.csv").write_text("a,b\n")
    with pytest.raises(ValueError, match=r"holds no picture"):
        load_dataset(f"folder:{tmp_path}")
    with pytest.raises(ValueError, match=r"index.csv as a zip"):
        load_dataset(f"folder:{tmp_path}/index.csv")


def test_a_home_is_found(home: Path, encode: Callable) -> None:
    (home / "pictures").mkdir()
    (home / "pictures/a.png").write_bytes(encode(GREY))
    assert len(load_dataset("folder:~/pictures")) == 1


def test_faces_are_a_folder_and_a_name(real_data: Path) -> None:
    path = real_data / "congress_faces/congress_faces_64.zip"
    with zipfile.ZipFile(path) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
    for split, places in (("train", [i for i in range(1037) if i % 10 != 9]), ("test", range(9, 1037, 10))):
        faces, same = load_dataset("faces", split, real_data), load_dataset(f"folder:{path}", split)
        assert list(faces.files) == list(same.files) == [names[place] for place in places]
        assert (faces.channels, same.channels) == (3, 3)
        assert np.array_equal(faces.pictures(64, slice(20)), same.pictures(64, slice(20)))
    mean = load_dataset("faces", "test", real_data).pictures(64).mean((0, 1, 2))
    assert mean[0] > mean[2] > 40
    assert len(load_dataset("faces", root=real_data).spread(100)) == 100


def test_missing_faces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"no congress_faces/congress_faces_64.zip in the data folder"):
        load_dataset("faces", root=tmp_path)
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    with pytest.raises(ValueError, match=f"'faces' needs a data folder.*{DATA_VARIABLE}"):
        open_files("faces")
    with pytest.raises(ValueError, match=r"cannot read the data folder .*: No such file"):
        load_dataset("faces", root=tmp_path / "nowhere")
