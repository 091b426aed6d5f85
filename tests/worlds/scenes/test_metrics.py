import math

import numpy as np
import pytest

from limner.worlds.scenes.examples import scatter
from limner.worlds.scenes.metrics import compare_scenes
from limner.worlds.scenes.settings import CHANGE, PLACE, SKIP, ScenesSettings, scene_actions

SPACE = scene_actions(ScenesSettings())


def thing(row, column, kind=0, size=1, colour=(3, 0, 0), op=PLACE):
    return [op, kind, row * 16 + column, size, *colour]


def compare(ours, theirs):
    return compare_scenes(SPACE, [np.array(ours, np.int64)], [np.array(theirs, np.int64)])


def test_the_same_objects_in_another_order_are_all_right():
    programs = list(scatter(np.random.default_rng(0), np.tile(np.arange(1, 6), 10)))
    found = compare_scenes(SPACE, [program[::-1] for program in programs], programs)
    assert (found.scenes, found.count_right, found.count_error, found.cells_apart) == (50, 1, 0, 0)
    assert (found.type_right, found.size_right, found.colour_right, found.location_right) == (1, 1, 1, 1)


@pytest.mark.parametrize(
    ("ours", "wrong"),
    [
        (thing(4, 5, kind=2), "type_right"),
        (thing(4, 5, size=2), "size_right"),
        (thing(4, 5, colour=(3, 0, 1)), "colour_right"),
        (thing(4, 5, colour=(2, 0, 0)), "colour_right"),
        (thing(1, 1), "location_right"),
    ],
)
def test_each_part_is_compared_on_its_own(ours, wrong):
    found = compare([ours, thing(9, 9)], [thing(4, 5), thing(9, 9)])
    for name in ("type_right", "size_right", "colour_right", "location_right"):
        assert getattr(found, name) == (0.5 if name == wrong else 1.0)
    assert found.cells_apart == (2.5 if wrong == "location_right" else 0)


def test_objects_are_matched_by_where_they_are_and_all_together():
    # The nearest first would pair (0, 5) with (0, 6) and leave (0, 0) ten columns off.
    found = compare([thing(0, 5), thing(0, 0)], [thing(0, 6), thing(0, 4)])
    assert found.cells_apart == (1 + 4) / 2
    # One cell apart and alike goes before the same place and unlike in all.
    found = compare([thing(3, 3), thing(3, 4, 1, 2, (0, 0, 3))], [thing(3, 4), thing(3, 3, 1, 2, (0, 0, 3))])
    assert (found.type_right, found.cells_apart) == (1.0, 1.0)


def test_counts_are_compared_after_changes():
    more = [thing(0, 0), thing(5, 5), thing(0, 0, op=SKIP)[:1] + [0] * 6, thing(7, 7, op=CHANGE)]
    assert compare(more, [thing(7, 7), thing(0, 0)]).count_right == 1
    found = compare(more, [thing(7, 7)])
    assert (found.count_right, found.count_error, found.cells_apart) == (0, 1, 0)
    found = compare([thing(7, 7)], more)
    assert (found.count_right, found.count_error) == (0, 1)


def test_nothing_to_match_is_not_a_number():
    nothing = [[SKIP, 0, 0, 0, 0, 0, 0]]
    found = compare(nothing, nothing)
    assert found.count_right == 1
    assert math.isnan(found.type_right)
    assert math.isnan(found.cells_apart)
    assert compare(nothing, [thing(1, 1)]).count_error == 1
