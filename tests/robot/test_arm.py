"""The arm, and the sheet before it."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from robot_chain import chain

from limner.robot.arm import JOINTS, Arm, Sheet


def test_the_pose_is_that_of_the_chain_of_bodies(arm: Arm) -> None:
    for angles in np.random.default_rng(0).uniform(arm.lower, arm.upper, (20, JOINTS)):
        for found, expected in zip(arm.pose(angles), chain(arm, angles), strict=True):
            assert found == pytest.approx(expected, abs=1e-12)


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
        ({"x": 60}, "x=60, y=0 mm lies under the robot's base"),
        ({"size": 600}, "under the robot's base"),
    ],
)
def test_an_absurd_sheet_is_refused(sheet: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Sheet(**sheet)


def test_what_the_arm_would_run_into_is_named(arm: Arm) -> None:
    touched = arm.touches(np.radians([0, 100, 30, 0, 50, 0]))
    assert touched is not None
    assert "table" in touched
