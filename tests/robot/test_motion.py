"""Motions of the joints, checked by finite differences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from limner.programs.execution import pen_strokes
from limner.programs.program import Program
from limner.robot.arm import Arm, Sheet
from limner.robot.motion import DRAWING, TRAVEL, Motion, check_reach, plan
from limner.robot.path import LIFT, SHALLOW, rest


def test_a_motion_begins_and_ends_at_rest(arm: Arm, motion: Motion) -> None:
    for end in (0, -1):
        assert motion.tip[end].tolist() == pytest.approx(rest(arm.sheet).tolist(), abs=1e-9)
        assert abs(motion.velocities[end]).max() < 1e-9


def test_a_motion_keeps_within_all_limits(arm: Arm, motion: Motion) -> None:
    velocities = np.diff(motion.joints, axis=0) / motion.step
    accelerations = np.diff(motion.joints, 2, axis=0) / motion.step**2
    assert (motion.joints > arm.lower).all()
    assert (motion.joints < arm.upper).all()
    assert (abs(velocities) <= arm.velocity).all()
    assert (abs(accelerations) <= arm.acceleration).all()
    speed = np.linalg.norm(np.diff(motion.tip, axis=0), axis=1) / motion.step
    assert speed.max() <= 1.001 * TRAVEL[0]
    assert speed.max() > DRAWING[0]
    deep = motion.tip[1:, 2] < -SHALLOW
    assert speed[deep].max() <= 1.001 * DRAWING[0]
    assert np.median(speed[deep]) > 0.2 * DRAWING[0]


def test_velocities_and_accelerations_are_those_of_the_angles(motion: Motion) -> None:
    assert motion.velocities == pytest.approx(np.gradient(motion.joints, motion.step, axis=0), abs=2e-3)
    second = np.diff(motion.joints, 2, axis=0) / motion.step**2
    assert abs(motion.accelerations[1:-1] - second).max() < 0.2


def test_a_weaker_arm_is_slower(program: Program) -> None:
    arm = Arm(Sheet())
    arm.acceleration = arm.acceleration / 20
    arm.velocity = arm.velocity / 10
    weak = plan(arm, pen_strokes(program)[:1])
    assert (abs(np.diff(weak.joints, axis=0)) <= arm.velocity * weak.step).all()
    assert (abs(np.diff(weak.joints, 2, axis=0)) <= arm.acceleration * weak.step**2).all()


def test_the_tip_is_where_the_joints_put_it(arm: Arm, motion: Motion) -> None:
    for i in range(0, len(motion), 97):
        assert np.linalg.norm(arm.pose(motion.joints[i])[0] - motion.tip[i]) < 1e-5


def test_the_plan_goes_through_every_point_of_the_strokes(arm: Arm, motion: Motion, program: Program) -> None:
    down = motion.tip[motion.down][:, :2]
    for stroke in pen_strokes(program):
        points = arm.sheet.world(np.column_stack([stroke[:, :2], np.zeros(len(stroke))]))[:, :2]
        apart = np.linalg.norm(points[:, None] - down, axis=-1).min(1)
        assert apart.max() < 2e-4  # the way of 2 ms
    strokes = np.concatenate([stroke[:, :2] for stroke in pen_strokes(program)])
    places = arm.sheet.shares(down)
    assert np.linalg.norm(places[:, None] - strokes, axis=-1).min(1).max() < 0.02  # half the way between two points


def test_the_pen_is_lifted_between_strokes(arm: Arm, motion: Motion, program: Program) -> None:
    strokes = pen_strokes(program)
    changes = np.flatnonzero(np.diff(motion.down))
    assert len(strokes) == 3
    assert len(changes) == 2 * len(strokes)
    for rising, falling in zip(changes[1::2], changes[2::2], strict=False):
        assert motion.tip[rising:falling, 2].max() == pytest.approx(LIFT, abs=1e-4)
    sideways = np.linalg.norm(motion.tip[changes] - motion.tip[changes + 1], axis=1)
    assert (sideways < 1e-3).all()


def test_a_plan_is_the_same_each_time(arm: Arm, program: Program, motion: Motion) -> None:
    again = plan(Arm(replace(arm.sheet)), pen_strokes(program))
    assert np.array_equal(again.joints, motion.joints)


@pytest.mark.parametrize(
    ("sheet", "part"),
    [
        (Sheet(100, 600), "the middle of the sheet of 100 mm is out of reach"),
        (Sheet(220, 340), "the lower left of the sheet of 220 mm is out of reach"),
        (Sheet(100, -300), "the middle of the sheet of 100 mm is out of reach"),
    ],
)
def test_a_sheet_out_of_reach_is_refused_with_a_remedy(sheet: Sheet, part: str) -> None:
    with pytest.raises(ValueError, match=f"{part}.*--sheet-x and --sheet-y, or make it smaller with --sheet-size"):
        check_reach(Arm(sheet))
