"""Simulation: the arm follows a planned motion.

Notable choices:
- Computed-torque control: planned accelerations, corrected by feedback of angles and velocities, become torques by
  inverse dynamics, with gravity and the force of the nib's spring. MuJoCo clips torques at the motors' limits; reported
  are the torques before clipping.
- The controller's model has lighter parts and no friction, so that feedback has something to correct. Angles and
  velocities are measured without noise or delay, and motors have no delay.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limner.robot.arm import JOINTS, Arm, Floats
from limner.robot.motion import Motion
from limner.worlds.scenes.mujoco import mujoco

STIFFNESS, DAMPING = 100.0**2, 2 * 100.0  # feedback gains in 1/s² and 1/s: critically damped at 100 rad/s
LIGHTER = 0.95  # mass of each part in the controller's model, as a fraction of its mass


@dataclass(frozen=True)
class Drawing:
    """What was measured at every step of the simulation."""

    step: float
    joints: Floats
    """``float64[T, 6]`` in rad."""
    velocities: Floats
    torques: Floats
    """Torques of the controller before clipping, in Nm."""
    tip: Floats
    """``float64[T, 3]``: the tip of the pen's holder in metres, where the nib is when its spring is relaxed."""
    nib: Floats
    """``float64[T, 3]``: the point of the nib in metres."""
    pressed: Floats
    """``float64[T]``: how far the nib is pushed into its holder, in metres."""
    touching: NDArray[np.bool_]
    """``bool[T]``: whether the nib is on the paper."""
    collisions: tuple[str, ...]
    """Pairs of parts that touched, besides nib and paper."""

    def __len__(self) -> int:
        return len(self.joints)


def draw(arm: Arm, motion: Motion, report: Callable[[int, int], None] = lambda done, total: None) -> Drawing:
    """Simulate the arm while it follows ``motion``; the same motion gives the same drawing, bit for bit."""
    model, data = arm.model, mujoco.MjData(arm.model)
    controller = _controller_model(arm)
    inverse = mujoco.MjData(controller)
    count, collisions = len(motion), set()
    joints, velocities, torques = np.empty((3, count, JOINTS))
    tip, nib = np.empty((2, count, 3))
    pressed, touching = np.empty(count), np.zeros(count, np.bool_)
    data.qpos[:JOINTS] = motion.joints[0]
    jacobian = np.zeros((3, model.nv))
    for i in range(count):
        mujoco.mj_step1(model, data)
        angles, rates = data.qpos[:JOINTS], data.qvel[:JOINTS]
        inverse.qpos[:JOINTS], inverse.qvel[:JOINTS] = angles, rates
        feedback = STIFFNESS * (motion.joints[i] - angles) + DAMPING * (motion.velocities[i] - rates)
        inverse.qacc[:JOINTS] = motion.accelerations[i] + feedback
        mujoco.mj_inverse(controller, inverse)
        demand = inverse.qfrc_inverse[:JOINTS].copy()
        if (height := motion.tip[i, 2]) < 0:
            mujoco.mj_jacSite(controller, inverse, jacobian, None, arm.tip)
            demand += arm.spring * height * jacobian[2, :JOINTS]
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
        if i % 500 == 0:
            report(i, count)
    return Drawing(motion.step, joints, velocities, torques, tip, nib, pressed, touching, tuple(sorted(collisions)))


def _controller_model(arm: Arm) -> mujoco.MjModel:
    """The controller's model of the arm: lighter, without friction, springs or contacts."""
    model, disable = copy.copy(arm.model), mujoco.mjtDisableBit
    model.body_mass[:] *= LIGHTER
    model.body_inertia[:] *= LIGHTER
    model.opt.disableflags |= disable.mjDSBL_CONSTRAINT | disable.mjDSBL_SPRING | disable.mjDSBL_DAMPER
    return model
