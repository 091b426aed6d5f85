"""Where the simulated pen leaves ink."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from limner.programs.execution import pen_strokes
from limner.programs.program import Program
from limner.robot.arm import Arm
from limner.robot.drawing import Drawing
from limner.robot.pictures import Ink, picture
from limner.worlds.paint.strokes import SAMPLES

NIB, SIZE = 3.0, 200


def darkness(arm: Arm, drawing: Drawing) -> np.ndarray:
    return 255 - picture(drawing, arm.sheet, NIB, SIZE)[..., 0].astype(int)


def test_there_is_ink_along_the_strokes_and_nowhere_else(arm: Arm, drawing: Drawing, program: Program) -> None:
    dark = darkness(arm, drawing)
    places = (np.argwhere(dark > 0)[:, ::-1] + 0.5) / SIZE
    points = np.concatenate([stroke[:, :2] for stroke in pen_strokes(program)])
    apart = np.linalg.norm(places[:, None] - points, axis=-1) * arm.sheet.size
    assert apart.min(1).max() < NIB / 2 + 1
    for stroke in pen_strokes(program):
        for x, y in (stroke[0, :2], stroke[SAMPLES // 2, :2], stroke[-1, :2]):
            assert dark[int(y * SIZE), int(x * SIZE)] == 255


def test_pressure_widens_the_line(arm: Arm, drawing: Drawing) -> None:
    dark = darkness(arm, drawing) / 255
    light = dark[SIZE // 2, : SIZE // 4].sum()  # across the stroke along the left edge
    heavy = dark[: int(0.85 * SIZE), int(0.75 * SIZE)]
    assert 0.4 * NIB * SIZE / 100 < light < heavy.sum() < 1.2 * NIB * SIZE / 100


def test_ink_comes_in_the_order_of_drawing(arm: Arm, drawing: Drawing) -> None:
    ink = Ink(drawing, arm.sheet, NIB, 64)
    shots = [ink.until(step).copy() for step in np.linspace(0, len(drawing), 6).astype(int)]
    assert (shots[0] == 255).all()
    assert all((later <= earlier).all() for earlier, later in pairwise(shots))
    assert np.array_equal(shots[-1], picture(drawing, arm.sheet, NIB, 64))
