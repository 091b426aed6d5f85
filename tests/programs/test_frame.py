import numpy as np
import pytest
from PIL import Image

from limner.programs.frame import Frame


@pytest.mark.parametrize(
    ("shape", "size", "box"),
    [
        ((10, 10), 64, (0, 0, 64, 64)),
        ((200, 100), 64, (0, 16, 64, 48)),
        ((100, 200), 64, (16, 0, 48, 64)),
        ((1, 1), 512, (0, 0, 512, 512)),
        ((100_000, 3), 512, (0, 255, 512, 256)),
        ((3, 2), 64, (0, 10, 64, 53)),
    ],
)
def test_where_the_picture_lies(shape, size, box):
    assert Frame(*shape).box(size) == box


def test_a_picture_is_laid_in_the_middle_of_white_paper():
    pixels = np.random.default_rng(0).integers(0, 256, (32, 64, 3), np.uint8)
    frame = Frame(64, 32)
    square = frame.lay(Image.fromarray(pixels), 64, 3)
    assert square.dtype == np.uint8
    np.testing.assert_array_equal(square[16:48], pixels)
    assert (square[:15] == 255).all()
    assert (square[49:] == 255).all()
    np.testing.assert_array_equal(square[[15, 48]], pixels[[0, -1]])
    np.testing.assert_array_equal(frame.cut(square), pixels)
    np.testing.assert_array_equal(frame.cut(np.stack([square, 255 - square])), [pixels, 255 - pixels])


def test_colour_becomes_luma_and_grey_all_channels():
    colour = Image.new("RGB", (4, 4), (255, 0, 0))
    assert (Frame(4, 4).lay(colour, 8, 1) == 76).all()
    assert (Frame(4, 4).lay(Image.new("L", (4, 4), 9), 8, 3) == 9).all()
    assert Frame(4, 4).lay(colour, 8, 1).shape == (8, 8, 1)


@pytest.mark.parametrize("shape", [(1, 1), (1000, 1), (1, 1000), (640, 480)])
def test_any_shape_keeps_its_mean_colour(shape):
    image = Image.new("RGB", shape, (10, 20, 30))
    frame = Frame(*shape)
    inside = frame.cut(frame.lay(image, 128, 3))
    assert inside.size > 0
    assert (inside == (10, 20, 30)).all()
