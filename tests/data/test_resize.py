"""Resizing: exact, of one channel or three."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from limner.data import resize, resize_square


@pytest.mark.parametrize("size", [28, 29, 32, 64, 100])
def test_enlarging_is_bilinear(size: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8)
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(images)[:, None].double(), size=size, mode="bilinear", align_corners=False
    )[:, 0].numpy()
    assert abs(resize_square(images, size) - expected).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("size", [1, 7, 19, 27])
def test_reducing_is_by_area(size: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 28, 28), np.uint8)
    fine = images.repeat(size, axis=1).repeat(size, axis=2)  # 28 size-fold pixels: every target covers 28 x 28 of them
    expected = fine.reshape(2, size, 28, size, 28).mean((2, 4))
    assert abs(resize_square(images, size) - expected).max() <= 0.5 + 1e-9


def test_resizing_works_across_chunks_and_keeps_white() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2500, 4, 4), np.uint8)
    assert np.array_equal(resize_square(images, 4), images)
    assert np.array_equal(resize_square(images, 7)[2000:], resize_square(images[2000:], 7))
    assert (resize_square(np.full((1, 28, 28), 255, np.uint8), 64) == 255).all()


def test_what_cannot_be_resized_is_refused() -> None:
    with pytest.raises(ValueError, match=r"float64\[1, 4, 4\]"):
        resize_square(np.zeros((1, 4, 4)), 8)
    with pytest.raises(ValueError, match=r"uint8\[1, 4, 5\]"):
        resize_square(np.zeros((1, 4, 5), np.uint8), 8)
    with pytest.raises(ValueError, match=r"size is 0"):
        resize_square(np.zeros((1, 4, 4), np.uint8), 0)
    with pytest.raises(ValueError, match=r"size is 4097"):
        resize_square(np.zeros((1, 4, 4), np.uint8), 4097)
    with pytest.raises(ValueError, match=r"uint8\[4, 4\]"):
        resize_square(np.zeros((4, 4), np.uint8), 4)


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 2, 3]), st.integers(0, 4))
def test_channels_are_resized_one_by_one(source: int, target: int, channels: int, count: int) -> None:
    images = np.random.default_rng(source).integers(0, 256, (count, source, source, channels), np.uint8)
    resized = resize_square(images, target)
    assert resized.shape == (count, target, target, channels)
    assert resized.flags.c_contiguous
    for channel in range(channels):
        assert np.array_equal(resized[..., channel], resize_square(images[..., channel], target))


def test_large_pictures_are_resized_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 50, 50, 3), np.uint8)
    expected = resize_square(images, 20)
    monkeypatch.setattr(resize, "CHUNK", 50 * 7)
    assert np.array_equal(resize_square(images, 20), expected)


def test_colour_becomes_luma_as_elsewhere() -> None:
    colours = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), np.uint8)
    colours[0, 0, :3] = [[255, 255, 255], [0, 0, 0], [255, 0, 0]]
    grey = resize.match_channels(colours, 1)
    assert grey.dtype == np.uint8
    expected = np.stack([np.asarray(Image.fromarray(picture).convert("L")) for picture in colours])
    np.testing.assert_array_equal(grey[..., 0], expected)
    assert grey[0, 0, :3, 0].tolist() == [255, 0, 76]


def test_grey_becomes_colour_and_the_rest_stays() -> None:
    rng = np.random.default_rng(0)
    grey, colours = (rng.integers(0, 256, (2, 8, 8, channels), np.uint8) for channels in (1, 3))
    assert (resize.match_channels(grey, 3) == grey).all()
    assert resize.match_channels(grey, 3).shape == colours.shape
    assert resize.match_channels(grey, 1) is grey
    assert resize.match_channels(colours, 3) is colours
    for channels in (2, 4):
        with pytest.raises(ValueError, match=f"canvas with {channels} channels .* choose a white ground"):
            resize.match_channels(grey, channels)
