"""Action spaces: order, validation, masks, grids and values."""

from __future__ import annotations

import re
from typing import get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from limner.actions import ActionSpace, Part
from limner.worlds.paint.settings import JUMP, PAINT, PaintSettings, Space, paint_actions

relaxed = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
SPACES = (
    paint_actions(),
    paint_actions(PaintSettings(color=True)),
    paint_actions(PaintSettings(grid=2, sizes=(3,), pressures=1)),
    paint_actions(PaintSettings(grid=5, sizes=(1.5, 2.5, 4), pressures=4, color=True, levels=2)),
    *(
        paint_actions(PaintSettings(space=space, grid=4, sizes=(2, 3), pressures=3, color=True, levels=5))
        for space in get_args(Space)
    ),
)


@st.composite
def spaces_and_actions(draw):
    """A space and any (not only canonical) actions ``int64[N, P]`` in it."""
    space = draw(st.sampled_from(SPACES))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return space, rng.integers(0, space.sizes, (draw(st.integers(1, 6)), len(space)))


def test_looking_parts_up():
    space = paint_actions()
    assert len(space) == 5
    assert [space.index(name) for name in space.names] == [0, 1, 2, 3, 4]
    assert "control" in space
    assert "red" not in space
    with pytest.raises(KeyError, match="red"):
        space.index("red")


# --- masks -------------------------------------------------------------------------------------------------------


@relaxed
@given(spaces_and_actions())
def test_without_painting_only_flag_and_place_count(example):
    space, actions = example
    for action, mask in zip(actions, space.mask(actions), strict=True):
        counting = {name for name, counts in zip(space.names, mask, strict=True) if counts}
        painting = "flag" not in space or action[0] == PAINT
        assert counting == set(space.names if painting else space.names[:2])


@relaxed
@given(spaces_and_actions())
def test_canonical_zeroes_what_does_not_count_and_keeps_the_rest(example):
    space, actions = example
    before = actions.copy()
    canonical, mask = space.canonical(actions), space.mask(actions)
    assert np.array_equal(actions, before)
    assert np.array_equal(canonical[mask], actions[mask])
    assert not canonical[~mask].any()
    assert np.array_equal(space.canonical(canonical), canonical)
    assert np.array_equal(space.mask(canonical), mask)
    assert not np.shares_memory(canonical, actions)


def test_mask_of_any_leading_shape():
    space = paint_actions(PaintSettings(grid=4))
    actions = space.sample(np.random.default_rng(0), (3, 2))
    assert space.mask(actions).shape == (3, 2, 5)
    assert np.array_equal(space.mask(actions)[1, 1], space.mask(actions[1, 1]))


@pytest.mark.parametrize(
    "space", [paint_actions(), paint_actions(PaintSettings(space="stroke", grid=4, sizes=(2,), pressures=1, levels=2))]
)
def test_a_mask_is_fresh(space):
    actions = space.sample(np.random.default_rng(0), 3)
    table = space.mask_table.copy()
    space.mask(actions)[:] = False
    assert np.array_equal(space.mask_table, table)
    assert space.mask(actions).any()


def test_without_a_verb_every_part_counts():
    space = ActionSpace((Part("end", 4, grid=(2, 2)), Part("size", 3)))
    assert space.mask(np.array([[3, 2], [0, 0]])).all()
    assert space.mask_table.tolist() == [[True, True]]
    assert (space.verb, space.full_verbs, space.jump) == (None, (), None)


def test_the_mask_table_has_a_row_for_each_verb():
    verb = Part("op", 3, verbs=("put", "jump", "wait"), full=("put",))
    space = ActionSpace((Part("place", 4), verb, Part("size", 3, dependent=True), Part("time", 2)))
    assert space.mask_table.tolist() == [[True] * 4, [True, True, False, True], [True, True, False, True]]
    assert (space.verb, space.full_verbs, space.jump) == (1, (0,), 1)
    assert space.mask(np.array([[3, 0, 2, 1], [3, 2, 2, 1]])).tolist() == space.mask_table[[0, 2]].tolist()


def test_several_verbs_may_be_full_and_none_a_jump():
    space = ActionSpace((Part("op", 3, verbs=("a", "b", "c"), full=("c", "a")), Part("size", 3, dependent=True)))
    assert (space.full_verbs, space.jump) == ((2, 0), None)
    assert space.mask_table[:, 1].tolist() == [True, False, True]


# --- validation --------------------------------------------------------------------------------------------------


@relaxed
@given(spaces_and_actions())
def test_valid_actions_pass_unchanged(example):
    space, actions = example
    for dtype in (np.int64, np.int32, np.uint16):
        valid = space.validate(actions.astype(dtype))
        assert valid.dtype == np.int64
        assert np.array_equal(valid, actions)
    assert np.array_equal(space.validate(actions.tolist()), actions)


@relaxed
@given(spaces_and_actions(), st.data())
def test_a_bad_entry_is_named(example, data):
    space, actions = example
    row = data.draw(st.integers(0, len(actions) - 1))
    column = data.draw(st.integers(0, len(space) - 1))
    part = space.parts[column]
    actions[row, column] = value = data.draw(st.one_of(st.integers(-(2**63), -1), st.integers(part.size, 2**63 - 1)))
    with pytest.raises(ValueError, match=rf"action \({row},\): part '{part.name}' is {value}, .* 0 … {part.size - 1}$"):
        space.validate(actions)


def test_unsigned_integers_do_not_wrap_around():
    with pytest.raises(ValueError, match=f"'flag' is {2**64 - 1}"):
        paint_actions().validate(np.full(5, 2**64 - 1, np.uint64))


@pytest.mark.parametrize("actions", [[0.0] * 5, [True] * 5, ["0"] * 5, [None] * 5, [np.nan] * 5])
def test_only_integers(actions):
    with pytest.raises(ValueError, match="must be integers"):
        paint_actions().validate(np.array(actions))


@pytest.mark.parametrize("shape", [(), (4,), (6,), (5, 4), (2, 0)])
def test_last_axis_is_the_parts(shape):
    with pytest.raises(ValueError, match=r"5 parts \('flag', 'end'"):
        paint_actions().validate(np.zeros(shape, np.int64))


@pytest.mark.parametrize("shape", [(5,), (1, 5), (2, 3, 5), (0, 5)])
def test_any_leading_shape(shape):
    assert paint_actions().validate(np.zeros(shape, np.int64)).shape == shape


# --- grids and values --------------------------------------------------------------------------------------------


@relaxed
@given(st.integers(2, 64), st.data())
def test_a_cell_is_row_times_width_plus_column(grid, data):
    space = paint_actions(PaintSettings(grid=grid))
    row, column = (data.draw(st.integers(0, grid - 1)) for _ in range(2))
    action = np.array([PAINT, 0, row * grid + column, 0, 0])
    assert space.cells(action, "control").tolist() == [row, column]
    assert space.cells(action, "end").tolist() == [0, 0]


def test_cells_of_a_grid_that_is_not_square():
    space = ActionSpace((Part("end", 6, grid=(2, 3)),))
    assert space.cells(np.arange(6)[:, None], "end").tolist() == [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]


def test_offsets_are_counted_from_their_origin():
    space = ActionSpace((Part("end", 15, grid=(3, 5), origin=(1, 2)),))
    assert space.cells(np.array([[0], [7], [14]]), "end").tolist() == [[-1, -2], [0, 0], [1, 2]]


def test_values_look_the_physical_values_up():
    space = paint_actions(PaintSettings(sizes=(1.5, 2.5, 4), pressures=4))
    actions = np.array([[PAINT, 0, 0, 2, 0], [PAINT, 0, 0, 0, 3]])
    assert space.values(actions, "size").tolist() == [4, 1.5]
    assert space.values(actions, "pressure").tolist() == [0.25, 1]
    assert space.values(actions, "size").dtype == np.float32


def test_asking_for_what_a_part_does_not_have():
    space, action = paint_actions(), np.zeros(5, np.int64)
    with pytest.raises(AssertionError, match="'end' has no physical values"):
        space.values(action, "end")
    with pytest.raises(AssertionError, match="'size' is not a location"):
        space.cells(action, "size")


# --- sampling ----------------------------------------------------------------------------------------------------


@relaxed
@given(st.sampled_from(SPACES), st.integers(0, 2**32), st.sampled_from([(), 3, (2, 3), (0,)]))
def test_samples_are_valid_canonical_and_repeatable(space, seed, shape):
    actions = space.sample(np.random.default_rng(seed), shape)
    assert actions.shape == (*np.empty(shape).shape, len(space))
    assert np.array_equal(space.canonical(space.validate(actions)), actions)
    assert np.array_equal(actions, space.sample(np.random.default_rng(seed), shape))


def test_samples_reach_every_value_equally():
    space = paint_actions(PaintSettings(grid=2, sizes=(1, 2, 3), pressures=5))
    actions = space.sample(np.random.default_rng(0), 20_000)
    curves = actions[actions[:, 0] == PAINT]
    assert abs(len(curves) / len(actions) - 0.5) < 0.02
    assert (actions[actions[:, 0] == JUMP][:, 2:] == 0).all()
    for i, size in enumerate(space.sizes[1:], start=1):
        share = np.bincount(curves[:, i], minlength=size) / len(curves)
        assert np.abs(share - 1 / size).max() < 0.02


# --- impossible spaces -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"size": 0}, "'end' needs at least one value, got size 0"),
        ({"size": 5, "grid": (2, 2)}, r"grid \(2, 2\) does not have 5 cells"),
        ({"size": 3, "values": (1.0, 2.0)}, "2 values given for size 3"),
        ({"size": 4, "grid": (2, 2), "sights": ((0.5, 0.5),)}, "1 sights given for the grid"),
        ({"size": 1, "sights": ((0.5, 0.5),)}, "1 sights given for the grid None"),
        ({"size": 6, "grid": (2, 3), "origin": (2, 1)}, r"origin \(2, 1\) is no cell of the grid \(2, 3\)"),
        ({"size": 6, "grid": (2, 3), "origin": (0, -1)}, r"origin \(0, -1\) is no cell"),
        ({"size": 3, "verbs": ("jump", "paint")}, r"verbs \('jump', 'paint'\), full \(\) do not fit size 3"),
        ({"size": 2, "verbs": ("jump", "paint"), "full": ("draw",)}, r"full \('draw',\) do not fit size 2"),
    ],
)
def test_impossible_part(part, message):
    with pytest.raises(ValueError, match=message):
        Part("end", **part)


@pytest.mark.parametrize("parts", [(), (Part("end", 4), Part("end", 4))])
def test_parts_are_distinct(parts):
    with pytest.raises(ValueError, match="distinct parts"):
        ActionSpace(parts)


@pytest.mark.parametrize(
    "parts",
    [
        (Part("size", 3, dependent=True),),
        (Part("end", 4, grid=(2, 2)), Part("size", 3, dependent=True)),
        (Part("size", 3, dependent=True), Part("flag", 2, verbs=("jump", "paint"), full=("paint",))),
        (Part("flag", 2, dependent=True, verbs=("jump", "paint"), full=("paint",)), Part("size", 3, dependent=True)),
    ],
)
def test_dependent_parts_follow_the_verb(parts):
    names = re.escape(str([part.name for part in parts]))
    with pytest.raises(ValueError, match=f"^dependent parts must follow a part with verbs, got {names}$"):
        ActionSpace(parts)


def test_equal_spaces_are_equal_and_hashable():
    assert paint_actions() == paint_actions()
    assert hash(paint_actions()) == hash(paint_actions())
    assert paint_actions() != paint_actions(PaintSettings(grid=16))
