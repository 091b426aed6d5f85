"""What every data set offers, in memory, in a NumPy archive, in files: these are decoded on demand, within bounds."""

import io
import pickle
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from limner.data import ArrayDataset, Dataset, FileDataset, load_dataset, resize_square
from limner.data import dataset as module
from limner.data.archive import Archive
from limner.data.dataset import load_arrays

COUNT, SIDE = 12, 10
PIXELS = np.random.default_rng(0).integers(0, 256, (COUNT, SIDE, SIDE, 3), np.uint8)


def test_spread_is_even() -> None:
    data = ArrayDataset("some", np.arange(10, dtype=np.uint8).reshape(10, 1, 1), np.arange(10))
    assert data.spread(5).labels.tolist() == [0, 2, 4, 6, 8]
    assert data.spread(5).images.ravel().tolist() == [0, 2, 4, 6, 8]
    assert data.spread(10).labels.tolist() == list(range(10))
    assert len(data.spread(3)) == 3
    with pytest.raises(ValueError, match=r"11 pictures of 'some', which has 10"):
        data.spread(11)
    with pytest.raises(ValueError, match=r"cannot take 0"):
        data.spread(0)


def test_pictures_of_digits_are_resized() -> None:
    data = load_dataset(split="test")
    assert (data.name, data.channels, len(data)) == ("mnist-5k", 1, 1000)
    everything = data.pictures(64)
    assert everything.shape == (1000, 64, 64, 1)
    assert everything.dtype == np.uint8
    assert np.array_equal(everything[..., 0], resize_square(data.images, 64))
    assert np.array_equal(data.pictures(64, slice(10, 500, 7)), everything[10:500:7])
    rows = np.array([3, 999, 3, -1])
    assert np.array_equal(data.pictures(64, rows), everything[rows])
    assert data.pictures(64, np.array([], np.int64)).shape == (0, 64, 64, 1)
    with pytest.raises(IndexError):
        data.pictures(64, np.array([1000]))
    with pytest.raises(ValueError, match=r"size is 0"):
        data.pictures(0)


def test_pictures_in_memory_are_copies() -> None:
    data = ArrayDataset("some", np.zeros((2, 4, 4), np.uint8))
    data.pictures(4)[:] = 1
    assert data.images.max() == 0


def test_colour_in_memory() -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), np.uint8)
    data = ArrayDataset("some", images)
    assert data.channels == 3
    assert np.array_equal(data.pictures(8), images)
    assert data.spread(2).labels is None


@pytest.fixture
def data(tmp_path: Path, pack: Callable, encode: Callable) -> FileDataset:
    archive = Archive(pack(tmp_path / "set", {f"{i:02}.png": encode(PIXELS[i]) for i in range(COUNT)}))
    return FileDataset("some", archive, archive.names, 3, np.arange(COUNT))


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that have been decoded, as they are."""
    names: list[str] = []
    original = module.read_picture

    def read(archive: Archive, name: str, remedy: str) -> object:
        names.append(Path(name).name)
        return original(archive, name, remedy)

    monkeypatch.setattr(module, "read_picture", read)
    return names


def test_pictures_of_files(data: FileDataset) -> None:
    assert isinstance(data, Dataset)
    assert np.array_equal(data.pictures(SIDE), PIXELS)
    assert np.array_equal(data.pictures(7), resize_square(PIXELS, 7))
    assert np.array_equal(data.pictures(16, slice(3, None, 4)), resize_square(PIXELS[3::4], 16))
    assert np.array_equal(data.pictures(SIDE, np.array([5, 0, 5, -1])), PIXELS[[5, 0, 5, -1]])
    assert data.pictures(SIDE, np.array([], np.int64)).shape == (0, SIDE, SIDE, 3)
    with pytest.raises(IndexError):
        data.pictures(SIDE, np.array([COUNT]))
    for size in (0, 4097):
        with pytest.raises(ValueError, match=f"size is {size}"):
            data.pictures(size)


def test_only_what_is_asked_for_is_decoded(data: FileDataset, decoded: list[str]) -> None:
    view = data.spread(4)
    assert len(view) == 4
    assert view.labels.tolist() == [0, 3, 6, 9]
    assert decoded == []
    view.pictures(8, slice(1, 3))
    assert decoded == ["03.png", "06.png"]
    view.pictures(8)
    assert decoded == ["03.png", "06.png", "00.png", "09.png"]
    view.pictures(9, np.array([0, 0, 0]))
    assert decoded[4:] == ["00.png"]
    assert np.array_equal(view.pictures(8), resize_square(PIXELS[[0, 3, 6, 9]], 8))


def test_pictures_of_files_are_copies(data: FileDataset) -> None:
    data.pictures(SIDE)[:] = 0
    assert np.array_equal(data.pictures(SIDE), PIXELS)


def test_the_cache_is_bounded(data: FileDataset, decoded: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CACHE", 5 * 8 * 8 * 3 + 1)
    for _ in range(3):
        assert np.array_equal(data.pictures(8), resize_square(PIXELS, 8))
    assert len(decoded) == 12 + 7 + 7
    assert sum(picture.nbytes for picture in data._cache.values()) == 5 * 8 * 8 * 3
    data.pictures(4)  # another size: what was kept at 8 goes
    assert {picture.shape for picture in data._cache.values()} == {(4, 4, 3)}
    monkeypatch.setattr(module, "CACHE", 0)
    assert np.array_equal(data.pictures(8), resize_square(PIXELS, 8))
    assert len(data._cache) <= COUNT
    assert all(picture.base is None for picture in data._cache.values())


def test_a_broken_picture_is_named_when_it_is_asked_for(tmp_path: Path, pack: Callable, encode: Callable) -> None:
    whole = encode(PIXELS[0])
    archive = Archive(pack(tmp_path / "set", {"a.png": whole, "b.png": whole[:100], "c.png": whole}))
    data = FileDataset("some:set", archive, archive.names, 3)
    assert len(data.pictures(8, np.array([0, 2]))) == 2
    with pytest.raises(ValueError, match=r"cannot read .*b\.png.*; 'limner data check some:set' names every such file"):
        data.pictures(8)


@given(st.lists(st.integers(-COUNT, COUNT - 1), max_size=20), st.integers(1, 20), st.integers(0, 2000))
def test_any_rows_in_any_order_are_as_in_memory(
    tmp_path_factory: pytest.TempPathFactory, rows: list[int], size: int, cache: int
) -> None:
    data = hypothesis_data(tmp_path_factory)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CACHE", cache)
        assert np.array_equal(data.pictures(size, np.array(rows, np.int64)), resize_square(PIXELS[rows], size))


KEPT: list[FileDataset] = []


def hypothesis_data(factory: pytest.TempPathFactory) -> FileDataset:
    """One data set for all examples, with what earlier ones left in its cache."""
    if not KEPT:
        folder = factory.mktemp("pictures")
        for i in range(COUNT):
            Image.fromarray(PIXELS[i]).save(folder / f"{i:02}.png")
        archive = Archive(folder)
        KEPT.append(FileDataset("some", archive, archive.names, 3))
    return KEPT[0]


RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (4, 8, 8), np.uint8)


def npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def zipped(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, content)
    return file.getvalue()


def changed(data: bytes, place: int, value: int) -> bytes:
    return data[:place] + bytes([value]) + data[place + 1 :]


@pytest.mark.parametrize("images", [IMAGES, RNG.integers(0, 256, (5, 8, 8, 3), np.uint8), IMAGES[:1, :1, :1]])
def test_square_pictures_are_taken_as_they_are(tmp_path: Path, images: np.ndarray) -> None:
    path = tmp_path / "few.npz"
    path.write_bytes(npz(images=images, labels=np.arange(len(images))))
    data = load_arrays(path)
    np.testing.assert_array_equal(data.images, images)
    assert (data.name, len(data), data.channels) == ("few.npz", len(images), images.shape[3] if images.ndim == 4 else 1)
    assert data.pictures(16).shape == (len(images), 16, 16, data.channels)


@pytest.mark.parametrize("shape", [(2, 4, 9), (2, 9, 4), (2, 4, 9, 3), (2, 9, 4, 3), (1, 1, 2)])
def test_others_are_laid_in_the_middle_of_a_white_square(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = tmp_path / "wide.npz"
    images = RNG.integers(0, 100, shape, np.uint8)
    path.write_bytes(npz(images=images))
    square = load_arrays(path).images
    height, width = shape[1:3]
    side = max(height, width)
    assert square.shape == (shape[0], side, side, *shape[3:])
    top, left = (side - height) // 2, (side - width) // 2
    inside = square[:, top : top + height, left : left + width].copy()
    np.testing.assert_array_equal(inside, images)
    square[:, top : top + height, left : left + width] = 255
    assert (square == 255).all()


BROKEN = {
    "empty": (b"", "it is no zip; name an intact .npz file"),
    "text": (b"hello world\n", "it is no zip; name an intact .npz file"),
    "bare": (npy(IMAGES), "it is no zip; name an intact .npz file"),
    "pickled": (pickle.dumps(IMAGES), "it is no zip; name an intact .npz file"),
    "truncated": (npz(images=IMAGES)[:200], "it is no zip; name an intact .npz file"),
    "cut": (npz(images=IMAGES)[:-1], "it is no zip; name an intact .npz file"),
    "objects": (npz(images=np.array([IMAGES, None], object)), "Object arrays cannot be loaded"),
    "flipped": (changed(npz(images=IMAGES), 200, npz(images=IMAGES)[200] ^ 255), "cannot read"),
    "bytes": (zipped("images", b"hello"), "it is no array"),
    "no-header": (zipped("images.npy", b"hello"), "it is no array"),
    "short": (zipped("images.npy", npy(IMAGES)[:-9]), "cannot read"),
    "odd-header": (zipped("images.npy", npy(IMAGES).replace(b"8)", b"8 ")), "cannot read"),
    "locked": (changed(npz(images=IMAGES), npz(images=IMAGES).index(b"PK\x01\x02") + 8, 1), "cannot read"),
    "other-names": (npz(a=IMAGES, b=IMAGES), r"none of its arrays \(a, b\) is called 'images'"),
    "nothing": (npz(), r"none of its arrays \(it has none\)"),
    "floats": (npz(images=IMAGES / 255), r"images are float64\[4, 8, 8\], must be uint8"),
    "signed": (npz(images=IMAGES.astype(np.int8)), "images are int8"),
    "one": (npz(images=IMAGES[0]), r"images are uint8\[8, 8\]"),
    "scalar": (npz(images=np.uint8(3)), r"images are uint8\[\]"),
    "five": (npz(images=IMAGES[..., None, None]), r"images are uint8\[4, 8, 8, 1, 1\]"),
    "alpha": (npz(images=np.zeros((2, 8, 8, 4), np.uint8)), r"images are uint8\[2, 8, 8, 4\]"),
    "none": (npz(images=IMAGES[:0]), r"images are uint8\[0, 8, 8\].*none empty"),
    "no-rows": (npz(images=IMAGES[:, :0]), r"images are uint8\[4, 0, 8\]"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_told_with_the_name_of_the_file(tmp_path: Path, name: str) -> None:
    content, words = BROKEN[name]
    path = tmp_path / f"{name}.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=words) as caught:
        load_arrays(path)
    assert str(path) in str(caught.value)


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    missing = tmp_path / "none.npz"
    with pytest.raises(ValueError, match=f"cannot read {re.escape(str(missing))}: No such file or directory; name an"):
        load_arrays(missing)
    with pytest.raises(ValueError, match=f"cannot read {re.escape(str(tmp_path))}: Is a directory"):
        load_arrays(tmp_path)


class Trap:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('unpickled')",)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "trap.npz"
    path.write_bytes(npz(images=np.array([Trap()], object)))
    with pytest.raises(ValueError, match=r"trap\.npz"):
        load_arrays(path)
    path.write_bytes(npz(images=IMAGES, more=np.array([Trap()], object)))
    np.testing.assert_array_equal(load_arrays(path).images, IMAGES)
