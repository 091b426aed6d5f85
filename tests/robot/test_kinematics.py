"""Inverse kinematics, against a chain of bodies."""

from __future__ import annotations

import re

import numpy as np
import pytest
from robot_chain import chain

from limner.robot.arm import Arm
from limner.robot.kinematics import MARGIN, solve


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
