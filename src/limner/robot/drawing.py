"""Physics: the arm follows a planned motion, and what its nib touches becomes the drawing.

Notable choices:
- Computed torque: the accelerations of the plan, corrected by what is missing in angle and velocity, turned into
  torques by inverse dynamics, with gravity and the known push of the nib's spring. Torques beyond the motors' limits
  are cut off, and the demand is what is reported.
- The controller does not know the arm exactly: it takes every part to be lighter than it is, and knows nothing of
  friction in the joints or of the nib on the paper. Feedback has to make up for that. It does know its angles and
  velocities, without noise or delay, and each motor gives at once the torque that is asked of it.
- There is ink where MuJoCo finds the nib in contact with the sheet; how wide depends on how far the spring is pressed.
  Paper and ink have no properties of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limner.robot.arm import JOINTS, Arm, Floats
from limner.robot.motion import Motion
from limner.worlds.scenes.mujoco import mujoco

STIFFNESS, DAMPING = 100.0**2, 2 * 100.0
"""Feedback, in 1/s² and 1/s: critically damped, 100 rad/s."""
LIGHTER = 0.95
"""Of the mass of each part, what the controller takes it to be."""


@dataclass(frozen=True)
class Drawing:
    """What happened, at every step of the simulation."""

    step: float
    joints: Floats
    """``float64[T, 6]`` in rad."""
    velocities: Floats
    torques: Floats
    """What the controller asked for, in Nm."""
    tip: Floats
    """``float64[T, 3]``: the tip of the pen's holder in metres, where the nib would be if its spring were relaxed."""
    nib: Floats
    """``float64[T, 3]``: the point of the nib in metres."""
    pressed: Floats
    """``float64[T]``: how far the nib is pushed into its holder, in metres."""
    touching: NDArray[np.bool_]
    """``bool[T]``: whether the nib is on the paper."""
    collisions: tuple[str, ...]
    """What else was touched."""

    def __len__(self) -> int:
        return len(self.joints)


def draw(arm: Arm, motion: Motion, report: Callable[[int, int], None] | None = None) -> Drawing:
    """Simulate the arm while it follows ``motion``; the same motion gives the same drawing, bit by bit."""
    model, data = arm.model, mujoco.MjData(arm.model)
    believed = _believed(arm)
    guess = mujoco.MjData(believed)
    count, collisions = len(motion), set()
    joints, velocities, torques = np.empty((3, count, JOINTS))
    tip, nib = np.empty((2, count, 3))
    pressed, touching = np.empty(count), np.zeros(count, np.bool_)
    data.qpos[:JOINTS] = motion.joints[0]
    moving = np.zeros((3, model.nv))
    for i in range(count):
        mujoco.mj_step1(model, data)
        angles, rates = data.qpos[:JOINTS], data.qvel[:JOINTS]
        guess.qpos[:JOINTS], guess.qvel[:JOINTS] = angles, rates
        missing = STIFFNESS * (motion.joints[i] - angles) + DAMPING * (motion.velocities[i] - rates)
        guess.qacc[:JOINTS] = motion.accelerations[i] + missing
        mujoco.mj_inverse(believed, guess)
        demand = guess.qfrc_inverse[:JOINTS].copy()
        if (below := motion.tip[i, 2]) < 0:
            mujoco.mj_jacSite(believed, guess, moving, None, arm.tip)
            demand += arm.spring * below * moving[2, :JOINTS]
        joints[i], velocities[i], torques[i] = angles, rates, demand
        tip[i], nib[i] = data.site_xpos[arm.tip], data.geom_xpos[arm.nib]
        pressed[i] = data.qpos[JOINTS]
        for pair in data.contact.geom:
            if arm.nib in pair and arm.paper in pair:
                touching[i] = True
            else:
                collisions.add(" and ".join(model.geom(geom).name or "the arm" for geom in pair))
        data.ctrl[:] = demand
        mujoco.mj_step2(model, data)
        if report and i % 500 == 0:
            report(i, count)
    return Drawing(motion.step, joints, velocities, torques, tip, nib, pressed, touching, tuple(sorted(collisions)))


def _believed(arm: Arm) -> mujoco.MjModel:
    """The arm as the controller takes it to be: lighter, without friction, in empty space."""
    model = arm.copy()
    model.body_mass[:] *= LIGHTER
    model.body_inertia[:] *= LIGHTER
    model.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_CONSTRAINT | mujoco.mjtDisableBit.mjDSBL_SPRING
    model.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_DAMPER
    return model
