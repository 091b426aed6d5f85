"""How a painting is to look."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limner.worlds import make_renderer
from limner.worlds.colours import hexadecimal, is_grey, read_palette
from limner.worlds.paint.brushes import brush_names
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.paint.style import Style

COLOUR = PaintSettings(space="stroke", color=True)
CHANNEL = st.integers(0, 255)


@settings(deadline=None)
@given(st.lists(st.tuples(CHANNEL, CHANNEL, CHANNEL), min_size=1, max_size=8), st.integers(0, 2**32))
def test_of_a_palette_each_colour_stays_and_others_become_one_of_it(colours, seed):
    palette = tuple(f"#{r:02x}{g:02x}{b:02x}" for r, g, b in colours)
    own = np.asarray(colours) / 255
    style = Style(palette=palette)
    np.testing.assert_array_equal(style.colours(own), own)
    others = style.colours(np.random.default_rng(seed).random((20, 3)))
    assert {tuple(colour) for colour in others} <= {tuple(colour) for colour in own}


@given(st.tuples(CHANNEL, CHANNEL, CHANNEL))
def test_greys_are_grey(colour):
    picture = np.full((2, 2, 3), colour, np.uint8)
    (shade,) = {tuple(pixel) for pixel in Style(grey=True).goal(picture).reshape(-1, 3)}
    assert len(set(shade)) == 1
    assert Style().goal(picture) is picture
    (painted,) = Style(grey=True).colours(np.asarray([colour]) / 255)
    assert painted == pytest.approx(shade[0] / 255, abs=0.003)


def test_colours_have_names():
    assert Style(paper="ivory", palette=("navy", "#FFF")).palette == ("#000080", "#ffffff")
    assert is_grey(hexadecimal("silver"))
    assert not is_grey(hexadecimal("navy"))
    with pytest.raises(ValueError, match="'mauvish' is no colour: give a name of CSS"):
        Style(paper="mauvish")
    with pytest.raises(ValueError, match="palette and grey exclude each other"):
        Style(palette=("red",), grey=True)


@pytest.mark.parametrize("radii", [(3.0, 2.0), (0.0, 2.0), (1.0, 65.0), (float("nan"), 2.0)])
def test_impossible_radii(radii):
    with pytest.raises(ValueError, match="radii are"):
        Style(radii=radii)


@pytest.mark.parametrize(
    ("text", "colours"),
    [
        ("#aa3311\n\nnavy\nFFFFFF\n", ("#aa3311", "#000080", "#ffffff")),
        ("; a comment\n// another\nred", ("#ff0000",)),
        ("GIMP Palette\nName: Two\nColumns: 2\n# x\n  1   2   3 one\n255 255 0\n", ("#010203", "#ffff00")),
    ],
)
def test_palettes_in_files(text, colours):
    assert read_palette(text) == colours


@pytest.mark.parametrize(
    "text", ["", "GIMP Palette\n", "reddish\n", "GIMP Palette\n1 2 300 x\n", "GIMP Palette\n1 2\n"]
)
def test_files_that_are_no_palettes(text):
    with pytest.raises(ValueError, match="no colour"):
        read_palette(text)


@pytest.mark.parametrize("brush", brush_names()[::9])
def test_an_opaque_brush_covers(brush):
    """Black on white and white on black end alike, wherever the brush paints at its fullest."""
    darkest = []
    for opaque in (False, True):
        renderer = Paint(PaintSettings(space="stroke", brush=brush, sizes=(8.0,), opaque=opaque))
        for _ in range(3):
            renderer.step(renderer.actions.canonical(np.asarray([[16 * 32 + 4, 16 * 32 + 16, 16 * 32 + 28, 0, 9]])))
        darkest.append(int(renderer.canvas().min()))
    assert darkest[1] <= darkest[0]


@pytest.mark.parametrize(("color", "ground", "pixel"), [(True, "#102030", [16, 32, 48]), (False, "#404040", [64])])
def test_paper_has_a_colour(color, ground, pixel):
    renderer = make_renderer({"name": "paint", "space": "stroke", "color": color, "ground": ground}, 2)
    blank = renderer.canvas()
    assert (blank == pixel).all()
    action = renderer.actions.sample(np.random.default_rng(0), 2)
    renderer.step(action)
    assert (renderer.canvas() != blank).any()
    renderer.reset(np.asarray([1]))
    assert (renderer.canvas()[1] == pixel).all()
    assert (renderer.canvas()[0] != pixel).any()
    renderer.reset()
    np.testing.assert_array_equal(renderer.canvas(), blank)
