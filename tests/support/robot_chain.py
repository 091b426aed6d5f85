"""Forward kinematics for tests of the robot."""

from __future__ import annotations

import math

import numpy as np

from limner.robot.arm import JOINTS, Arm


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
