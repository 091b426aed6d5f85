"""Omniglot: layout, split, labels, alphabets in and out."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from limner.data import FileDataset, load_dataset

ALPHABETS = {"Anglo-Saxon_Futhorc": 2, "Greek": 3, "Malay_(Jawi_-_Arabic)": 1}


def drawing(alphabet: int, character: int, drawer: int) -> np.ndarray:
    """A picture of 105 × 105 pixels that says which one it is."""
    pixels = np.ones((105, 105), bool)
    pixels[alphabet, character] = False
    pixels[104, drawer] = False
    return pixels


def alphabets(data: FileDataset) -> list[str]:
    """The alphabet of each picture."""
    return [Path(file).parts[-3] for file in data.files]


@pytest.fixture
def root(tmp_path: Path, pack: Callable, encode: Callable) -> Path:
    """Both published sets in miniature: 3 alphabets, 6 characters, 20 drawers."""
    for folder in ("images_background", "images_evaluation"):
        files = {
            f"{alphabet}/character{character + 1:02}/{index:04}_{drawer:02}.png": encode(
                drawing(index, character, drawer)
            )
            for index, (alphabet, characters) in enumerate(ALPHABETS.items())
            for character in range(characters)
            for drawer in range(1, 21)
        }
        pack(tmp_path / "omniglot" / folder, files)
    return tmp_path


@pytest.mark.parametrize("name", ["omniglot", "omniglot-evaluation"])
def test_the_last_two_drawers_are_test(root: Path, name: str) -> None:
    train, test = load_dataset(name, "train", root), load_dataset(name, "test", root)
    assert (len(train), len(test)) == (6 * 18, 6 * 2)
    assert {file[-6:-4] for file in test.files} == {"19", "20"}
    assert not set(train.files) & set(test.files)
    assert test.labels.dtype == np.int64
    assert test.labels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert np.bincount(train.labels).tolist() == [18] * 6
    assert alphabets(test) == np.repeat(list(ALPHABETS), [4, 6, 2]).tolist()
    assert train.channels == 1
    pictures = test.pictures(105)
    assert pictures.shape == (12, 105, 105, 1)
    assert np.array_equal(pictures[2, ..., 0], drawing(0, 1, 19) * np.uint8(255))


@pytest.mark.parametrize("split", ["train", "test"])
def test_alphabets_in_and_out(root: Path, split: str) -> None:
    drawers = 18 if split == "train" else 2
    greek = load_dataset("omniglot:Greek", split, root)
    assert len(greek) == 3 * drawers
    assert set(alphabets(greek)) == {"Greek"}
    assert greek.name == "omniglot:Greek"
    assert sorted(set(greek.labels.tolist())) == [0, 1, 2]
    others = load_dataset("omniglot:-Greek", split, root)
    assert len(others) == 3 * drawers
    assert not set(others.files) & set(greek.files)
    assert sorted(set(others.labels.tolist())) == [0, 1, 2]
    two = load_dataset("omniglot: Malay_(Jawi_-_Arabic) ,Anglo-Saxon_Futhorc", split, root)
    assert two.files == others.files
    one = load_dataset("omniglot:-Greek,-Anglo-Saxon_Futhorc", split, root)
    assert set(alphabets(one)) == {"Malay_(Jawi_-_Arabic)"}
    spread = two.spread(3)
    assert spread.files == tuple(two.files[i * len(two) // 3] for i in range(3))


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ("Klingon", "no alphabet 'Klingon', only Anglo-Saxon_Futhorc, Greek, Malay"),
        ("-Klingon", "no alphabet 'Klingon'"),
        ("greek", "no alphabet 'greek'"),
        ("Greek,", "no alphabet ''"),
        ("", "no alphabet ''"),
        ("-", "no alphabet ''"),
        ("--Greek", "no alphabet '-Greek'"),
        ("Greek,-Anglo-Saxon_Futhorc", "before every alphabet, to leave them out, or before none"),
        ("-Greek,-Anglo-Saxon_Futhorc,-Malay_(Jawi_-_Arabic)", "leaves out every alphabet"),
    ],
)
def test_impossible_choices(root: Path, choice: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        load_dataset(f"omniglot:{choice}", root=root)
    assert repr(f"omniglot:{choice}") in str(caught.value)


def test_another_layout_and_nothing_there(tmp_path: Path, pack: Callable, encode: Callable) -> None:
    with pytest.raises(ValueError, match=r"no omniglot/images_background nor .*zip in .*: fetch it with"):
        load_dataset("omniglot", root=tmp_path)
    picture = encode(drawing(0, 0, 1))
    pack(
        tmp_path / "omniglot/images_background", {"Greek/character01/0001_01.png": picture, "Greek/alpha.png": picture}
    )
    with pytest.raises(ValueError, match=r"Greek/alpha\.png.* is not named as <Alphabet>/characterNN"):
        load_dataset("omniglot", root=tmp_path)


def test_a_character_that_only_test_drawers_drew_has_its_label(
    tmp_path: Path, pack: Callable, encode: Callable
) -> None:
    names = ["Greek/character01/0001_20.png", "Greek/character02/0002_01.png"]
    pack(tmp_path / "omniglot/images_background", {name: encode(drawing(0, 0, 1)) for name in names})
    assert load_dataset("omniglot", "train", tmp_path).labels.tolist() == [1]
    assert load_dataset("omniglot", "test", tmp_path).labels.tolist() == [0]


def test_the_real_one(real_data: Path) -> None:
    train, test = load_dataset("omniglot", "train", real_data), load_dataset("omniglot", "test", real_data)
    assert (len(train), len(test)) == (964 * 18, 964 * 2)
    assert np.bincount(train.labels).tolist() == [18] * 964
    assert len(set(alphabets(train))) == 30
    pictures = test.spread(50).pictures(105)
    assert set(np.unique(pictures)) == {0, 255}
    assert 0.01 < (pictures == 0).mean() < 0.12
    held_out = load_dataset("omniglot:-Greek,-Korean", "train", real_data)
    assert len(held_out) == len(train) - (24 + 40) * 18
