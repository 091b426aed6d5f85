"""The arm and its inverse kinematics."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from limner.robot.arm import JOINTS, Arm, Sheet
from limner.robot.kinematics import MARGIN, solve
from limner.robot.motion import check_reach


def rotation(axis: np.ndarray, angle: float) -> np.ndarray:
    """Rodrigues' formula."""
    x, y, z = axis
    cross = np.asarray([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross


def chain(arm: Arm, angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Forward kinematics without MuJoCo's: body after body."""
    place, turned = np.zeros(3), np.eye(3)
    for i in range(JOINTS):
        body = arm.model.jnt_bodyid[i]
        place = place + turned @ arm.model.body_pos[body]
        turned = turned @ rotation(arm.model.jnt_axis[i], angles[i])
    return place + turned @ arm.model.site_pos[arm.tip], turned


def test_the_pose_is_that_of_the_chain_of_bodies(arm: Arm) -> None:
    for angles in np.random.default_rng(0).uniform(arm.lower, arm.upper, (20, JOINTS)):
        for found, expected in zip(arm.pose(angles), chain(arm, angles), strict=True):
            assert found == pytest.approx(expected, abs=1e-12)


def test_every_place_over_the_sheet_is_reached_with_an_upright_pen(arm: Arm) -> None:
    generator = np.random.default_rng(1)
    for _ in range(60):
        place = arm.sheet.world(generator.uniform([0, 0, -0.06], [1, 1, 0.001]))
        angles = solve(arm, place)
        tip, hand = chain(arm, angles)
        assert np.linalg.norm(tip - place) < 2e-6
        assert hand[2, 2] < -1 + 1e-8
        assert hand[:, 1] == pytest.approx([0, 1, 0], abs=1e-4)  # the hand faces as the robot does
        assert (angles >= arm.lower + MARGIN).all()
        assert (angles <= arm.upper - MARGIN).all()
        assert arm.touches(angles) is None


def test_near_places_have_near_solutions(arm: Arm) -> None:
    here = solve(arm, arm.sheet.world(np.asarray([0.2, 0.3, 0])))
    there = solve(arm, arm.sheet.world(np.asarray([0.21, 0.3, 0])), here)
    assert abs(there - here).max() < 0.01


@pytest.mark.parametrize("place", [(0.9, 0, 0), (0, 0, 0.9), (0.3, 0.3, -0.4)])
def test_a_place_out_of_reach_is_named(arm: Arm, place: tuple[float, float, float]) -> None:
    x, y, z = (1000 * value for value in place)
    with pytest.raises(ValueError, match=re.escape(f"x={x:.0f}, y={y:.0f}, z={z:.0f} mm")):
        solve(arm, np.asarray(place))


def test_the_sheet_is_turned_as_the_canvas_is() -> None:
    sheet = Sheet(200, 300, 50)
    corner = sheet.world(np.asarray([0, 0, 0.001]))
    assert corner.tolist() == pytest.approx([0.2, -0.05, -0.001])  # read from before the robot: upper left
    places = np.random.default_rng(0).uniform(0, 1, (5, 3))
    assert sheet.shares(sheet.world(places)) == pytest.approx(places[:, :2])


@pytest.mark.parametrize(
    ("sheet", "message"),
    [
        ({"size": math.nan}, "--sheet-size is nan"),
        ({"size": -5}, "--sheet-size is -5"),
        ({"size": 5000}, "--sheet-size is 5000"),
        ({"x": math.inf}, "--sheet-x is inf"),
        ({"y": -1001}, "--sheet-y is -1001"),
        ({"x": 60}, "x=60, y=0 mm lies under the robot's foot"),
        ({"size": 600}, "under the robot's foot"),
    ],
)
def test_an_absurd_sheet_is_refused(sheet: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Sheet(**sheet)


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


def test_what_the_arm_would_run_into_is_named(arm: Arm) -> None:
    touched = arm.touches(np.radians([0, 100, 30, 0, 50, 0]))
    assert touched is not None
    assert "table" in touched
