"""Inverse kinematics: joint angles for a position of the pen's tip, with the pen upright.

Notable choices:
- Damped least squares (Levenberg and Marquardt) on MuJoCo's Jacobians, for five errors: the position of the tip and two
  components of the tilt. The sixth degree of freedom, rotation about the pen, keeps the hand's heading in the null
  space of those five (Nakamura, 1987), as far as the limits of the joints allow.
- Steps are clipped to the ranges of the joints.
"""

import numpy as np

from limner.robot.arm import JOINTS, MILLIMETRE, Arm, Floats

LEVER = 0.2  # weight of the tilt in metres per radian
PLACE, TILT, HEADING = 1e-6, 1e-5, 1e-5  # tolerances in metres and radians
MARGIN = 1e-3  # distance from the limits of the joints in radians
ITERATIONS = 60
STARTS = 8
HOME = np.radians([0, 10, 90, 0, 80, 0])  # default start: elbow up, pen down


def solve(arm: Arm, place: Floats, start: Floats | None = None) -> Floats:
    """Six joint angles with the tip at ``place``, in metres; near ``start`` if given, else from several starts.

    ``ValueError`` naming the position when no start converges.
    """
    generator = np.random.default_rng(0)
    facing = HOME + np.eye(JOINTS)[0] * np.arctan2(place[1], place[0])
    starts = [facing, *generator.uniform(arm.lower, arm.upper, (STARTS, JOINTS))] if start is None else [start]
    for angles in starts:
        if (found := _least_squares(arm, np.asarray(place, np.float64), angles)) is not None:
            return found
    x, y, z = np.asarray(place) / MILLIMETRE
    raise ValueError(f"the arm cannot reach x={x:.0f}, y={y:.0f}, z={z:.0f} mm with an upright pen")


def _least_squares(arm: Arm, place: Floats, start: Floats) -> Floats | None:
    """The solution that damped least squares from ``start`` converge to; None without one."""
    lower, upper = arm.lower + MARGIN, arm.upper - MARGIN
    angles = np.clip(start, lower, upper)
    error, heading = _errors(arm, place, angles)
    damping, before = 1e-6, np.inf
    for _ in range(ITERATIONS):
        if _converged(error) and (abs(heading) < HEADING or abs(heading) > 0.99 * before):  # or at a joint's limit
            return angles
        before = abs(heading)
        position, rotation = arm.jacobians()
        jacobian = np.concatenate([position, LEVER * rotation[:2]])
        square = jacobian @ jacobian.T + damping * np.eye(5)
        step = jacobian.T @ np.linalg.solve(square, error)
        null = rotation[2] - jacobian.T @ np.linalg.solve(square, jacobian @ rotation[2])  # turns about the pen alone
        if (gain := float(rotation[2] @ null)) > 1e-2:
            step = step + null * (np.clip(heading - rotation[2] @ step, -0.5, 0.5) / gain)
        tried = np.clip(angles + np.clip(step, -0.5, 0.5), lower, upper)
        result = _errors(arm, place, tried)
        if np.linalg.norm(result[0]) < max(float(np.linalg.norm(error)), PLACE / 2):
            angles, (error, heading) = tried, result
            damping = max(damping / 10, 1e-12)
        else:
            arm.pose(angles)
            damping *= 10
    return angles if _converged(error) else None


def _errors(arm: Arm, place: Floats, angles: Floats) -> tuple[Floats, float]:
    """Errors ``[5]``, of the position in metres and of the tilt times ``LEVER``; and of the heading in radians."""
    tip, hand = arm.pose(angles)
    tilt = np.asarray([-hand[1, 2], hand[0, 2]])  # the pen's axis × straight down
    if hand[2, 2] > 0:  # upside down, where the cross product vanishes at half a turn
        tilt = tilt / max(float(np.linalg.norm(tilt)), 1e-9)
    heading = np.arctan2(hand[1, 0], -hand[0, 0]) if hand[2, 2] < 0 else 0.0
    return np.concatenate([place - tip, LEVER * tilt]), float(heading)


def _converged(error: Floats) -> bool:
    return bool(np.linalg.norm(error[:3]) < PLACE and np.linalg.norm(error[3:]) < LEVER * TILT)
