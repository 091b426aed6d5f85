"""The strokes of toy programs: against what is painted, and which curves are one stroke."""

import numpy as np
import pytest

from limner.programs.execution import execute, pen_strokes
from limner.programs.program import Program
from limner.worlds import find_world
from limner.worlds.toy.renderer import JUMP, PAINT, ToySettings, toy_actions

SETTINGS = ToySettings(canvas=128, sizes=(2.0,), pressures=2)
SPACE = toy_actions(SETTINGS)
SAMPLES = 32


def action(flag: int, end: tuple[int, int], control: tuple[int, int] = (0, 0), pressure: int = 1) -> list[int]:
    """Places are (column, row)."""
    return [flag, end[1] * 8 + end[0], control[1] * 8 + control[0], 0, pressure]


def strokes(*actions: list[int]) -> list[np.ndarray]:
    found = find_world("toy").strokes(SETTINGS, np.asarray(actions, np.int64).reshape(-1, 5))
    assert found is not None
    return [stroke.points for stroke in found]


def middle(column: int, row: int) -> list[float]:
    return [(column + 0.5) / 8, (row + 0.5) / 8]


@pytest.mark.parametrize("seed", range(8))
def test_strokes_meet_what_is_painted(seed: int) -> None:
    actions = SPACE.sample(np.random.default_rng(seed), 6)
    actions[0, 0] = PAINT
    dark = np.argwhere(execute(Program({"name": "toy", "canvas": 128, "sizes": [2.0], "pressures": 2}, actions)) < 255)
    points = np.concatenate(strokes(*actions.tolist())) * [128, 128, 1]
    apart = np.linalg.norm(dark[:, None, 1::-1] + 0.5 - points[:, :2], axis=-1)
    assert (apart.min(1) < 8).all()  # the radius with its soft edge, and half the way between two points
    pressed = apart.T[points[:, 2] > 0.1]
    assert (pressed.min(1) < 1).all()


def test_only_a_jump_lifts_the_pen() -> None:
    first, second = strokes(
        action(PAINT, (3, 3), (3, 0)),
        action(PAINT, (6, 1), (5, 2)),
        action(JUMP, (7, 1)),
        action(PAINT, (7, 6), (7, 3)),
        action(JUMP, (0, 0)),
    )
    assert first.dtype == np.float64
    assert first.shape == (2 * SAMPLES, 3)
    assert first[[0, SAMPLES - 1, SAMPLES, -1], :2].tolist() == [[0, 0], middle(3, 3), middle(3, 3), middle(6, 1)]
    assert second[[0, -1], :2].tolist() == [middle(7, 1), middle(7, 6)]


def test_pressure_rises_from_nothing_and_goes_on_from_the_last_curve() -> None:
    first, second = strokes(
        action(PAINT, (3, 3), pressure=1),
        action(PAINT, (6, 1), pressure=0),
        action(JUMP, (7, 1)),
        action(PAINT, (7, 6), pressure=0),
    )
    assert np.allclose(first[:SAMPLES, 2], np.linspace(0, 1, SAMPLES))
    assert np.allclose(first[SAMPLES:, 2], np.linspace(1, 0.5, SAMPLES))
    assert np.allclose(second[:, 2], np.linspace(0, 0.5, SAMPLES))


def test_without_a_curve_there_is_no_stroke() -> None:
    assert strokes() == []
    assert strokes(action(JUMP, (3, 3))) == []
    assert pen_strokes(Program({"name": "toy"}, np.zeros((0, 5), np.int64))) == []
