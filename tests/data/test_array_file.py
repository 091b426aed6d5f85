"""Pictures in a NumPy archive."""

import io
import pickle
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from limner.data.array_file import load_arrays

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
