"""CelebA in miniature: folder or zip, with and without the official list."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from limner.data import load_dataset, resize_square

NAMES = [f"{i:06}.jpg" for i in range(1, 22)]
PARTITION = {name: ("0", "1", "2")[i % 3] for i, name in enumerate(NAMES)}


def face(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8)


@pytest.fixture
def root(tmp_path: Path, pack: Callable, encode: Callable) -> Path:
    content = encode(face(178, 218))  # the name says jpg; exact pixels are easier to compare
    small = encode(face(50, 60))
    pack(tmp_path / "celeba/img_align_celeba", dict.fromkeys(NAMES, content) | {NAMES[1]: small})
    return tmp_path


def write_partition(root: Path, text: str) -> None:
    (root / "celeba/list_eval_partition.txt").write_text(text)


def names(split: str, root: Path) -> list[str]:
    return [Path(file).name for file in load_dataset("celeba", split, root).files]


def test_the_official_list_decides(root: Path) -> None:
    text = "".join(f"{name} {part}\n" for name, part in PARTITION.items())
    write_partition(root, text + "999999.jpg 0\n\n")  # a list may be longer than a copy
    assert names("train", root) == NAMES[0::3]
    assert names("test", root) == NAMES[2::3]


def test_without_it_every_tenth_is_test(root: Path) -> None:
    assert names("test", root) == [NAMES[9], NAMES[19]]
    assert names("train", root) == [name for i, name in enumerate(NAMES) if i % 10 != 9]


def test_faces_are_cut_out_of_the_middle(root: Path) -> None:
    data = load_dataset("celeba", "train", root)
    assert (data.channels, data.labels) == (3, None)
    assert np.array_equal(data.pictures(178, slice(1))[0], face(178, 218)[20:198])
    assert np.array_equal(data.pictures(64, slice(1)), resize_square(face(178, 218)[None, 20:198], 64))
    assert np.array_equal(data.pictures(50, np.array([1]))[0], face(50, 60)[5:55])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("000001.jpg 0\n000002.jpg 3\n", "line 2: must be a file and 0, 1 or 2, got '000002.jpg 3'"),
        ("000001.jpg\n", "line 1: .* got '000001.jpg'"),
        ("image_id,partition\n000001.jpg,0\n", "line 1"),
        ("", "does not list 000001.jpg"),
        ("000001.jpg 0\n", "does not list 000002.jpg"),
    ],
)
def test_a_list_that_does_not_fit(root: Path, text: str, message: str) -> None:
    write_partition(root, text)
    with pytest.raises(ValueError, match=f"list_eval_partition.txt.*{message}"):
        load_dataset("celeba", "train", root)


def test_a_list_that_cannot_be_read(root: Path) -> None:
    path = root / "celeba/list_eval_partition.txt"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"cannot read .*list_eval_partition.txt: .*utf-8"):
        load_dataset("celeba", "train", root)
    path.unlink()
    path.mkdir()
    with pytest.raises(ValueError, match=r"list_eval_partition.txt: Is a directory"):
        load_dataset("celeba", "train", root)


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no celeba/img_align_celeba nor .*zip in .*your own copy"):
        load_dataset("celeba", root=tmp_path)
