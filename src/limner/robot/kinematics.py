"""Inverse kinematics: joint angles that put the tip of the pen somewhere, with the pen upright.

Notable choices:
- Levenberg and Marquardt's damped least squares on MuJoCo's Jacobians, for five things: the place of the tip, and two
  components of the tilt. The sixth freedom, turning about the pen, is used in the null space of those five (Nakamura,
  1987) to keep the hand facing as the robot does; it gives way where joints come to their limits.
- A step that would leave the range of a joint is cut off there, so no solution lies outside.
- Solutions are taken only if they converged, to a thousandth of a millimetre; ``ValueError`` otherwise.
"""

from __future__ import annotations

import numpy as np

from limner.robot.arm import JOINTS, MILLIMETRE, Arm, Floats

LEVER = 0.2
"""Metres: a tilt of one radian counts like this distance."""
PLACE, TILT, HEADING = 1e-6, 1e-5, 1e-5
"""Metres and radians that count as reached."""
MARGIN = 1e-3
"""Radians kept from the ends of the joints."""
ITERATIONS = 60
STARTS = 8
HOME = np.radians([0, 10, 90, 0, 80, 0])
"""Where a search begins that has no better place: elbow up, pen down."""


def solve(arm: Arm, place: Floats, start: Floats | None = None) -> Floats:
    """Six joint angles with the tip at ``place``, in metres; near ``start`` if given.

    ``ValueError`` naming the place when there are none.
    """
    generator = np.random.default_rng(0)
    tries = [HOME if start is None else start]
    if start is None:
        tries[0] = HOME + np.eye(JOINTS)[0] * np.arctan2(place[1], place[0])
        tries += [generator.uniform(arm.lower, arm.upper) for _ in range(STARTS)]
    for angles in tries:
        if (found := _descend(arm, np.asarray(place, np.float64), angles)) is not None:
            return found
    x, y, z = np.asarray(place) / MILLIMETRE
    raise ValueError(f"the arm cannot reach x={x:.0f}, y={y:.0f}, z={z:.0f} mm with an upright pen")


def _descend(arm: Arm, place: Floats, start: Floats) -> Floats | None:
    """The solution that descending from ``start`` ends in; None without one."""
    lower, upper = arm.lower + MARGIN, arm.upper - MARGIN
    angles = np.clip(start, lower, upper)
    error, heading = _errors(arm, place, angles)
    damping, before = 1e-6, np.inf
    for _ in range(ITERATIONS):
        if _reached(error) and (abs(heading) < HEADING or abs(heading) > 0.99 * before):  # there, or at a joint's limit
            return angles
        before = abs(heading)
        moving, turning = arm.jacobians()
        rows = np.concatenate([moving, LEVER * turning[:2]])
        square = rows @ rows.T + damping * np.eye(5)
        step = rows.T @ np.linalg.solve(square, error)
        free = turning[2] - rows.T @ np.linalg.solve(square, rows @ turning[2])  # what turns the hand and moves no pen
        if (leverage := float(turning[2] @ free)) > 1e-2:
            step = step + free * (np.clip(heading - turning[2] @ step, -0.5, 0.5) / leverage)
        tried = np.clip(angles + np.clip(step, -0.5, 0.5), lower, upper)
        result = _errors(arm, place, tried)
        if np.linalg.norm(result[0]) < max(float(np.linalg.norm(error)), PLACE / 2):
            angles, (error, heading) = tried, result
            damping = max(damping / 10, 1e-12)
        else:
            arm.pose(angles)
            damping *= 10
    return angles if _reached(error) else None


def _errors(arm: Arm, place: Floats, angles: Floats) -> tuple[Floats, float]:
    """What is missing: ``[5]``, the way to the place and the tilt times LEVER; and the turn about the pen."""
    tip, hand = arm.pose(angles)
    tilt = np.asarray([-hand[1, 2], hand[0, 2]])  # the pen's axis × straight down
    if hand[2, 2] > 0:  # upside down: the cross product does not see half a turn
        tilt = tilt / max(float(np.linalg.norm(tilt)), 1e-9)
    heading = np.arctan2(hand[1, 0], -hand[0, 0]) if hand[2, 2] < 0 else 0.0
    return np.concatenate([place - tip, LEVER * tilt]), float(heading)


def _reached(error: Floats) -> bool:
    return bool(np.linalg.norm(error[:3]) < PLACE and np.linalg.norm(error[3:]) < LEVER * TILT)
