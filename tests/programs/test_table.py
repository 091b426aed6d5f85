"""Tables of actions: what a row says in each kind of action space, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from limner.actions import ActionSpace, Part
from limner.programs.program import Program
from limner.programs.table import columns, read_rows, write_rows
from limner.worlds.paint.settings import PaintSettings, paint_actions
from limner.worlds.scenes.settings import ScenesSettings, scene_actions
from limner.worlds.toy.renderer import ToySettings, toy_actions

SPACES = {
    "relative": paint_actions(PaintSettings(space="relative", grid=7, sizes=(1, 2), pressures=3, color=True, levels=4)),
    "spline": paint_actions(PaintSettings(space="spline", grid=8, sizes=(1, 2), pressures=3, levels=4)),
    "stroke": paint_actions(PaintSettings(space="stroke", grid=8, sizes=(1, 2), pressures=3, levels=4)),
    "scenes": scene_actions(ScenesSettings()),
    "toy": toy_actions(ToySettings()),
}


@pytest.mark.parametrize("name", SPACES)
def test_rows_are_read_as_they_were_written(name: str) -> None:
    space = SPACES[name]
    actions = space.sample(np.random.default_rng(0), 40)
    rows = write_rows(space, actions)
    np.testing.assert_array_equal(read_rows(space, rows), actions)
    assert len(columns(space)) == max(map(len, rows))
    assert read_rows(space, []).shape == (0, len(space))


def test_offsets_have_signs() -> None:
    paint = {"name": "paint", "space": "relative", "grid": 8, "sizes": [2.0]}  # offsets from -4 to 4
    actions = [[1, (4 - 3) * 9 + 4 + 2, 4 * 9 + 4, 0, 3], [0, 8 * 9, 0, 0, 0]]
    program = Program(paint, np.asarray(actions))
    text = program.to_json()
    assert '["paint",  2, -3,  0,  0,  0,  3],\n    ["jump",  -4,  4]\n' in text
    assert Program.from_json(text) == program
    for bad in ("-5", "5"):
        with pytest.raises(ValueError, match=f"step 1: 'end x' is {bad}, must be in -4 … 4"):
            Program.from_json(text.replace("-4,  4", f"{bad},  4"))


def test_control_points_of_a_spline_are_rows() -> None:
    paint = {"name": "paint", "space": "spline", "grid": 8, "sizes": [2.0]}
    program = Program(paint, np.asarray([[0, 9, 0, 0], [2, 60, 0, 3], [1, 16, 0, 3]]))
    text = program.to_json()
    assert '    ["jump",  1, 1],\n    ["via",   4, 7],\n    ["paint", 0, 2, 0, 3]\n' in text
    assert Program.from_json(text) == program
    with pytest.raises(ValueError, match='step 1: an action starts with "jump" or "paint" or "via", got \'past\''):
        Program.from_json(text.replace("via", "past"))
    with pytest.raises(ValueError, match='step 0: an action starts with "jump" or "paint", got \'via\''):
        read_rows(SPACES["toy"], [["via", 1, 1]])


def test_a_skipped_object_is_its_verb_alone() -> None:
    space = SPACES["scenes"]
    actions = np.array([[0, 1, 2 * 16 + 5, 2, 3, 0, 1], [2, 0, 0, 0, 0, 0, 0]])
    rows = [["place", 1, 5, 2, 2, 3, 0, 1], ["skip"]]
    assert write_rows(space, actions) == rows
    assert columns(space) == ["op", "type", "location x", "location y", "size", "red", "green", "blue"]
    with pytest.raises(ValueError, match="step 1: 1 too many in"):
        read_rows(space, [rows[0], ["skip", 3]])


def test_a_verb_need_not_come_first() -> None:
    verb = Part("op", 2, verbs=("wait", "go"), full=("go",))
    space = ActionSpace((Part("time", 3), verb, Part("speed", 4, dependent=True)))
    assert write_rows(space, np.array([[2, 1, 3], [1, 0, 0]])) == [[2, "go", 3], [1, "wait"]]
    assert read_rows(space, [[2, "go", 3], [1, "wait"]]).tolist() == [[2, 1, 3], [1, 0, 0]]
