"""How many pictures are compared, and whether figures of few scatter as far as is said."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limner.data import load_dataset
from limner.metrics.features import extract_features, small_grey
from limner.metrics.generation import frechet_distance, precision_coverage, random_pictures
from limner.metrics.sample_size import FEWEST, USUAL, compared_pictures, neighbours, sampling_error
from limner.worlds.toy.renderer import Toy

sizes = st.integers(0, 3000)


@given(sizes, sizes)
def test_as_many_pictures_as_there_are(train: int, test: int) -> None:
    if train + test < FEWEST:
        with pytest.raises(ValueError, match=rf"'folder:x' has {train + test} pictures in all; .* needs 20: add more"):
            compared_pictures(train, test, "folder:x")
        return
    count = compared_pictures(train, test, "folder:x")
    assert 2 * count <= train + test or count == min(train, test)
    assert min(FEWEST, (train + test) // 2) <= count <= USUAL
    if min(train, test) >= FEWEST:
        assert count == min(train, test, USUAL), "no training picture is compared with where there are enough to test"


@pytest.mark.parametrize(
    ("train", "test", "count"), [(18, 2, 10), (54, 6, 20), (171, 19, 20), (180, 20, 20), (900, 100, 100)]
)
def test_every_tenth_picture_of_a_folder(train: int, test: int, count: int) -> None:
    assert compared_pictures(train, test, "folder:x") == count


def test_neighbours_are_few_among_few() -> None:
    found = [neighbours(count) for count in range(FEWEST // 2, USUAL + 1)]
    assert found == sorted(found)
    assert [neighbours(count) for count in (10, 20, 100, 1000)] == [2, 2, 3, 5]


def test_nothing_is_said_of_the_usual_number() -> None:
    assert sampling_error(USUAL, 0) == ""
    assert "training pictures" not in sampling_error(USUAL - 1, 0)
    assert "of 20 drawings against 20 real pictures, 14 of which are training pictures" in sampling_error(20, 14)


@pytest.fixture(scope="module")
def real() -> np.ndarray:
    """The features of 5,000 digits."""
    return extract_features(
        small_grey(np.concatenate([load_dataset(split=s).images for s in ("train", "test")]))
    ).features


@pytest.fixture(scope="module")
def strokes() -> np.ndarray:
    pictures = random_pictures(Toy(batch=100), 6, 1000, np.random.default_rng(0))
    return extract_features(small_grey(pictures)).features


@pytest.mark.parametrize("count", [10, 20, 60, 200])
def test_figures_scatter_as_far_as_is_said(real: np.ndarray, strokes: np.ndarray, count: int) -> None:
    rng, found = np.random.default_rng(count), []
    for _ in range(60):
        wanted, near, drawn = np.split(rng.permutation(real)[: 3 * count], 3)
        zero, one = (frechet_distance(wanted, points) for points in (near, rng.permutation(strokes)[:count]))
        share = (frechet_distance(wanted, drawn) - zero) / (one - zero)
        found.append((*precision_coverage(wanted, drawn, neighbours(count)), share))
    said = re.search(r"coverage by (\S+) .* distance by (\S+) \(", sampling_error(count, 0))
    assert said is not None
    precision, coverage, share = np.std(found, axis=0)
    assert float(said[1]) == pytest.approx((precision + coverage) / 2, rel=0.35)
    assert float(said[2]) == pytest.approx(share, rel=0.6)


@pytest.mark.parametrize("count", [10, 20, 100])
def test_few_pictures_tell_digits_from_strokes(real: np.ndarray, strokes: np.ndarray, count: int) -> None:
    rng, found = np.random.default_rng(count), []
    for _ in range(40):
        wanted, drawn = np.split(rng.permutation(real)[: 2 * count], 2)
        scribbles = rng.permutation(strokes)[:count]
        found.append([precision_coverage(wanted, points, neighbours(count)) for points in (drawn, scribbles)])
    digits, scribbled = np.mean(found, axis=0)
    assert (digits > scribbled + 0.4).all()
    assert (digits > 0.7).all()
