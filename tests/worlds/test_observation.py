import numpy as np
import pytest
import torch

from limner.worlds.observation import coordinate_planes, preprocess


@pytest.mark.parametrize(("size", "resolution", "channels"), [(64, 32, 1), (64, 64, 1), (96, 32, 3), (64, 8, 3)])
def test_ink_is_the_mean_darkness_of_the_area(size, resolution, channels):
    rng = np.random.default_rng(0)
    canvas = rng.integers(0, 256, (3, size, size, channels), dtype=np.uint8)
    ink = preprocess(torch.from_numpy(canvas), resolution)
    assert ink.dtype == torch.float32
    assert ink.shape == (3, channels, resolution, resolution)
    factor = size // resolution
    for n, c, row, column in rng.integers(0, (3, channels, resolution, resolution), (200, 4)):
        area = canvas[n, row * factor : (row + 1) * factor, column * factor : (column + 1) * factor, c]
        assert ink[n, c, row, column].item() == pytest.approx(1 - area.mean() / 255, abs=1e-6)


def test_paper_is_exactly_nothing_and_black_exactly_one():
    for factor in (1, 2, 3, 8):
        blank = torch.full((1, 8 * factor, 8 * factor, 1), 255, dtype=torch.uint8)
        assert not preprocess(blank, 8).any()
        assert (preprocess(torch.zeros_like(blank), 8) == 1).all()
        blank[0, 0, 0, 0] = 254
        assert preprocess(blank, 8)[0, 0, 0, 0] > 0  # the faintest touch is seen


def test_a_canvas_that_does_not_divide_is_an_error():
    with pytest.raises(AssertionError, match="64×64 cannot be seen at 24"):
        preprocess(torch.zeros(1, 64, 64, 1, dtype=torch.uint8), 24)


@pytest.mark.parametrize("size", [2, 5, 32])
def test_coordinate_planes_are_pixel_centres(size):
    planes = coordinate_planes(size)
    assert planes.shape == (2, size, size)
    for row in range(size):
        for column in range(size):
            x, y = (2 * column + 1) / size - 1, (2 * row + 1) / size - 1
            assert planes[:, row, column].tolist() == pytest.approx([x, y], abs=1e-6)
