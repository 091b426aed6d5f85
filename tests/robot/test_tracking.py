"""How true a drawing is to its plan, and what exceeded a limit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from limner.programs.execution import pen_strokes
from limner.programs.program import Program
from limner.robot.arm import JOINTS, Arm
from limner.robot.drawing import Drawing, draw
from limner.robot.motion import Motion, plan
from limner.robot.tracking import joints_csv, tracking
from limner.worlds import make_renderer


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


def test_the_same_motion_gives_the_same_bytes(arm: Arm, motion: Motion, drawing: Drawing) -> None:
    table = joints_csv(arm, drawing)
    assert joints_csv(arm, draw(Arm(arm.sheet), motion)) == table
    header, *rows = table.splitlines()
    assert header.split(",")[:3] == ["time_s", "turn_rad", "shoulder_rad"]
    values = np.asarray([[float(value) for value in row.split(",")] for row in rows])
    assert values.shape == (-(-len(motion) // 5), 1 + 3 * JOINTS)
    assert np.diff(values[:, 0]) == pytest.approx(0.01)
    assert values[:, 1:7] == pytest.approx(drawing.joints[::5], abs=1e-6)
