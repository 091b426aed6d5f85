"""What the simulated arm draws: how true, within which limits, and where there is ink."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from limner.programs.program import Program
from limner.programs.strokes import SAMPLES, pen_strokes
from limner.robot.arm import JOINTS, Arm
from limner.robot.drawing import Drawing, draw
from limner.robot.ink import Ink, picture
from limner.robot.motion import Motion, plan
from limner.robot.tracking import joints_csv, tracking
from limner.worlds import make_renderer

NIB, SIZE = 3.0, 200


def darkness(arm: Arm, drawing: Drawing) -> np.ndarray:
    return 255 - picture(drawing, arm.sheet, NIB, SIZE)[..., 0].astype(int)


def test_the_arm_follows_the_plan(arm: Arm, motion: Motion, drawing: Drawing) -> None:
    found = tracking(arm, motion, drawing)
    assert 0 < found["error_mm"]["mean"] <= 0.5
    assert found["error_mm"]["worst"] <= 2
    assert found["distance_to_path_mm"]["mean"] <= found["error_mm"]["mean"]
    assert found["violations"] == found["collisions"] == []
    for limit in ("velocity", "torque"):
        assert all(0 <= share <= 1 for share in found["largest_share"][limit].values())
    assert found["duration_s"] == pytest.approx(len(motion) * motion.step)


@pytest.mark.parametrize("space", ["bezier", "relative", "spline"])
def test_programs_of_other_spaces_are_followed_as_well(arm: Arm, space: str) -> None:
    renderer = make_renderer({"name": "paint", "space": space})
    program = Program(renderer.settings(), renderer.actions.sample(np.random.default_rng(4), 4))
    motion = plan(arm, pen_strokes(program))
    found = tracking(arm, motion, draw(arm, motion))
    assert found["error_mm"]["mean"] <= 0.5
    assert found["error_mm"]["worst"] <= 2
    assert found["violations"] == found["collisions"] == []


def test_measures_are_of_what_happened(arm: Arm, motion: Motion, drawing: Drawing) -> None:
    away = np.where(np.arange(len(drawing))[:, None] == np.flatnonzero(motion.down)[50], [0, 0, 0.05], [0.001, 0, 0])
    moved = replace(
        drawing, tip=motion.tip + away, torques=np.zeros_like(drawing.torques), velocities=1.5 * drawing.velocities
    )
    moved.torques[7, 1] = -2 * arm.torque[1]
    moved.velocities[9, 2] = -1.25 * arm.velocity[2]
    found = tracking(arm, motion, moved)
    assert found["error_mm"]["worst"] == pytest.approx(50)
    assert found["error_mm"]["mean"] == pytest.approx(1, abs=0.1)
    assert found["largest_share"]["torque"]["shoulder"] == pytest.approx(2)
    assert found["largest_share"]["velocity"]["elbow"] == pytest.approx(1.25)
    assert found["violations"] == ["velocity of elbow", "torque of shoulder"]
    outside = replace(drawing, joints=drawing.joints + np.eye(JOINTS)[4] * 10)
    assert tracking(arm, motion, outside)["violations"] == ["position of wrist"]


def test_lengths_add_up(arm: Arm, motion: Motion, drawing: Drawing, program: Program) -> None:
    found = tracking(arm, motion, drawing)
    strokes = [arm.sheet.size * stroke[:, :2] for stroke in pen_strokes(program)]
    length = sum(np.linalg.norm(np.diff(stroke, axis=0), axis=1).sum() for stroke in strokes)
    assert length < found["pen_down_mm"] < length + 2 * len(strokes) + 1  # and up to 1 mm down and up for each
    whole = np.linalg.norm(np.diff(motion.tip, axis=0), axis=1).sum() * 1000
    assert found["pen_down_mm"] + found["pen_up_mm"] == pytest.approx(whole, abs=1e-3)


def test_there_is_ink_along_the_strokes_and_nowhere_else(arm: Arm, drawing: Drawing, program: Program) -> None:
    dark = darkness(arm, drawing)
    places = (np.argwhere(dark > 0)[:, ::-1] + 0.5) / SIZE
    points = np.concatenate([stroke[:, :2] for stroke in pen_strokes(program)])
    apart = np.linalg.norm(places[:, None] - points, axis=-1) * arm.sheet.size
    assert apart.min(1).max() < NIB / 2 + 1
    for stroke in pen_strokes(program):
        for x, y in (stroke[0, :2], stroke[SAMPLES // 2, :2], stroke[-1, :2]):
            assert dark[int(y * SIZE), int(x * SIZE)] == 255


def test_nothing_is_drawn_while_the_pen_should_be_up(motion: Motion, drawing: Drawing) -> None:
    high = motion.tip[:, 2] > 0.5e-3
    assert high.mean() > 0.2
    assert not drawing.touching[high].any()
    deep = motion.tip[:, 2] < -0.25e-3
    assert drawing.touching[deep].all()


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


def test_the_same_motion_gives_the_same_bytes(arm: Arm, motion: Motion, drawing: Drawing) -> None:
    table = joints_csv(arm, drawing)
    assert joints_csv(arm, draw(Arm(arm.sheet), motion)) == table
    header, *rows = table.splitlines()
    assert header.split(",")[:3] == ["time_s", "turn_rad", "shoulder_rad"]
    values = np.asarray([[float(value) for value in row.split(",")] for row in rows])
    assert values.shape == (-(-len(motion) // 5), 1 + 3 * JOINTS)
    assert np.diff(values[:, 0]) == pytest.approx(0.01)
    assert values[:, 1:7] == pytest.approx(drawing.joints[::5], abs=1e-6)


def test_motors_give_no_more_than_they_can(arm: Arm, motion: Motion) -> None:
    heavy = Arm(arm.sheet)
    heavy.model.body_mass[:] *= 40
    names = "joints", "velocities", "accelerations", "tip"
    part = replace(motion, **{name: getattr(motion, name)[:100] for name in names})
    drawn = draw(heavy, part)
    assert (abs(drawn.torques) > heavy.torque).any()
    assert drawn.tip[-1, 2] < part.tip[-1, 2] - 0.01  # it sinks
