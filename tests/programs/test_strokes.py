"""Strokes of programs of any world, and the worlds that have none."""

import numpy as np
import pytest

from limner.programs.program import Program
from limner.programs.strokes import pen_strokes
from limner.worlds import find_world, make_renderer, read_settings


@pytest.mark.parametrize("name", ["paint", "toy"])
def test_strokes_are_those_of_the_world(name: str) -> None:
    renderer = make_renderer({"name": name})
    program = Program(renderer.settings(), renderer.actions.sample(np.random.default_rng(0), 9))
    strokes = pen_strokes(program)
    expected = find_world(name).strokes(read_settings(program.renderer), program.actions)
    assert expected
    for stroke, same in zip(strokes, expected, strict=True):
        np.testing.assert_array_equal(stroke, same)
        assert ((stroke >= 0) & (stroke <= 1)).all()


def test_scenes_have_no_strokes() -> None:
    program = Program({"name": "scenes"}, np.zeros((2, 7), np.int64))
    with pytest.raises(ValueError, match="'scenes' has no pen: a program of 'paint' is needed"):
        pen_strokes(program)
