import pytest

from limner.models.blocks import coordinate_planes


@pytest.mark.parametrize("size", [2, 5, 32])
def test_coordinate_planes_are_pixel_centres(size):
    planes = coordinate_planes(size)
    assert planes.shape == (2, size, size)
    for row in range(size):
        for column in range(size):
            x, y = (2 * column + 1) / size - 1, (2 * row + 1) / size - 1
            assert planes[:, row, column].tolist() == pytest.approx([x, y], abs=1e-6)
