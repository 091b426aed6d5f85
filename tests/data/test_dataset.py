"""What every data set offers, on one in memory."""

import numpy as np
import pytest

from limner.data import ArrayDataset, load_dataset, resize_square


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
    assert (data.name, data.channels, data.groups, len(data)) == ("mnist-5k", 1, None, 1000)
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


def test_what_is_given_away_is_a_copy() -> None:
    data = ArrayDataset("some", np.zeros((2, 4, 4), np.uint8))
    data.pictures(4)[:] = 1
    assert data.images.max() == 0


def test_colour_in_memory() -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), np.uint8)
    data = ArrayDataset("some", images, groups=np.array(["a", "a", "b", "b"]))
    assert data.channels == 3
    assert np.array_equal(data.pictures(8), images)
    assert data.spread(2).groups.tolist() == ["a", "b"]
    assert data.spread(2).labels is None
