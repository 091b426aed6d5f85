import re

import numpy as np
import pytest

from limner.worlds import make_renderer
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PAINT, PaintSettings, paint_actions, standalone

GREY = ("flag", "end", "control", "size", "pressure")
SPACES = "'bezier' or 'line' or 'stroke' or 'relative' or 'spline'"


@pytest.mark.parametrize(
    ("name", "value", "need"),
    [
        ("canvas", 63, "in 64 … 8192"),
        ("canvas", 8193, "in 64 … 8192"),
        ("canvas", 64.0, "a whole number"),
        ("canvas", True, "a whole number"),
        ("grid", 1, "in 2 … 4096"),
        ("grid", 4097, "in 2 … 4096"),
        ("sizes", (), "one or more, each a number"),
        ("sizes", (1, float("nan")), "one or more, each a number"),
        ("sizes", (1, float("inf")), "one or more, each a number"),
        ("sizes", (1, "2"), "one or more, each a number"),
        ("sizes", (0,), "in 0.05 … 64"),
        ("sizes", (1, -2), "in 0.05 … 64"),
        ("sizes", (2, 0.04), "in 0.05 … 64"),
        ("sizes", (1e9,), "in 0.05 … 64"),
        ("sizes", "1", "one or more, each a number"),
        ("pressures", 0, "in 1 … 1000"),
        ("levels", 1, "in 2 … 256"),
        ("events", 0, "in 1 … 1000"),
        ("events", 10**6, "in 1 … 1000"),
        ("ground", "black", "'white', 'transparent' or a colour #rrggbb, grey unless color is set"),
        ("ground", "#102030", "'white', 'transparent' or a colour #rrggbb, grey unless color is set"),
        ("preset", "deepmind-2019", "'deepmind-2018' or null"),
        ("brush", 3, "a text"),
        ("color", 1, "true or false"),
        ("space", "spiral", SPACES),
        ("space", None, SPACES),
        ("space", ["bezier"], SPACES),
    ],
)
def test_bad_settings_name_themselves(name: str, value: object, need: str) -> None:
    message = re.escape(f"renderer.{name} is {value!r}: must be {need}")
    with pytest.raises(ValueError, match=f"^{message}$"):
        make_renderer({"name": "paint", name: value})
    with pytest.raises(ValueError, match=f"^{message}$"):
        PaintSettings(**{name: value})


def test_unknown_settings_are_named() -> None:
    message = re.escape("configuration: unknown field renderer.colour, must be one of canvas, brush, color, ground")
    with pytest.raises(ValueError, match=f"^{message}"):
        make_renderer({"name": "paint", "colour": True})


def test_the_release_of_2018_has_bezier_actions_only() -> None:
    assert "flag" in Paint(PaintSettings(preset="deepmind-2018", space="bezier")).actions
    message = "^renderer.space is 'stroke': must be 'bezier' with preset 'deepmind-2018'$"
    with pytest.raises(ValueError, match=message):
        PaintSettings(preset="deepmind-2018", space="stroke")


def test_published_action_space():
    """Part names, their order and their sizes as in Ganin et al. 2018."""
    space = paint_actions(PaintSettings(color=True))
    assert space.names == (*GREY, "red", "green", "blue")
    assert space.sizes == (2, 1024, 1024, 6, 10, 20, 20, 20)
    assert space.parts[1].grid == (32, 32)
    assert space.parts[3].values == (1, 2, 4, 8, 12, 24)
    assert np.allclose(space.parts[4].values, np.linspace(0.1, 1, 10))
    assert np.allclose(space.parts[5].values, np.linspace(0, 1, 20))


def test_grey_has_no_colour_parts():
    assert paint_actions().names == GREY


def test_offsets_are_counted_from_the_middle():
    space = paint_actions(PaintSettings(space="relative", grid=4, sizes=(2,), pressures=1, levels=2))
    assert space.parts[1].grid == (5, 5)
    action = np.array([PAINT, 0, 24, 0, 0])
    assert space.cells(action, "end").tolist() == [-2, -2]
    assert space.cells(action, "control").tolist() == [2, 2]
    assert space.cells(np.array([PAINT, 13, 0, 0, 0]), "end").tolist() == [0, 1]


@pytest.mark.parametrize(
    ("space", "names", "verbs"),
    [
        ("bezier", GREY, ("jump", "paint")),
        ("relative", GREY, ("jump", "paint")),
        ("line", ("flag", "end", "size", "pressure"), ("jump", "paint")),
        ("spline", ("flag", "point", "size", "pressure"), ("jump", "paint", "via")),
        ("stroke", ("start", "control", "end", "size", "pressure"), ()),
    ],
)
def test_spaces_differ_in_how_places_are_given(space, names, verbs):
    actions = paint_actions(PaintSettings(space=space, grid=4, sizes=(2, 3), pressures=3, levels=5))
    assert actions.names == names
    assert actions.parts[0].verbs == verbs
    assert standalone(actions) == (space == "stroke")
    if verbs:
        assert (actions.full_verbs, actions.jump) == ((PAINT,), 0)
        assert actions.mask_table.sum(1).tolist() == [len(names) if verb == "paint" else 2 for verb in verbs]
    else:
        assert actions.mask_table.tolist() == [[True] * 5]
