"""The action spaces of the painter: their parts, sizes and values, and those that are impossible."""

from typing import get_args

import numpy as np
import pytest

from limner.worlds.paint.actions import PAINT, Space, bezier_actions, paint_actions, standalone

GREY = ("flag", "end", "control", "size", "pressure")


def test_published_action_space():
    """Part names, their order and their sizes as in Ganin et al. 2018."""
    space = bezier_actions(color=True)
    assert space.names == (*GREY, "red", "green", "blue")
    assert space.sizes == (2, 1024, 1024, 6, 10, 20, 20, 20)
    assert space.parts[1].grid == (32, 32)
    assert space.parts[3].values == (1, 2, 4, 8, 12, 24)
    assert np.allclose(space.parts[4].values, np.linspace(0.1, 1, 10))
    assert np.allclose(space.parts[5].values, np.linspace(0, 1, 20))


def test_grey_has_no_colour_parts():
    assert bezier_actions().names == GREY


def test_offsets_are_counted_from_the_middle():
    space = paint_actions("relative", 4, (2,), 1, False, 2)
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
    actions = paint_actions(space, 4, (2, 3), 3, False, 5)
    assert actions.names == names
    assert actions.parts[0].verbs == verbs
    assert standalone(actions) == (space == "stroke")
    if verbs:
        assert (actions.full_verbs, actions.jump) == ((PAINT,), 0)
        assert actions.mask_table.sum(1).tolist() == [len(names) if verb == "paint" else 2 for verb in verbs]
    else:
        assert actions.mask_table.tolist() == [[True] * 5]


@pytest.mark.parametrize(
    "options",
    [
        {"grid": 1},
        {"pressures": 0},
        {"sizes": ()},
        {"sizes": (1, -2)},
        {"sizes": (float("nan"),)},
        {"sizes": (float("inf"),)},
        {"color": True, "levels": 1},
    ],
    ids=str,
)
def test_impossible_bezier_actions(options):
    name = list(options)[-1]
    with pytest.raises(ValueError, match=f"impossible action space: .*{name}="):
        bezier_actions(**options)


@pytest.mark.parametrize("space", get_args(Space))
def test_impossible_paint_actions(space):
    for bad in ((1, (2,), 1, 2), (4, (), 1, 2), (4, (2,), 0, 2), (4, (2,), 1, 1)):
        grid, sizes, pressures, levels = bad
        with pytest.raises(ValueError, match="impossible action space"):
            paint_actions(space, grid, sizes, pressures, True, levels)
