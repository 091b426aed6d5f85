"""The arm of ``arm.xml`` with its sheet: a MuJoCo model, and the limits of its joints.

Notable choices:
- Six hinges and a pen. The nib slides in a sprung holder: the arm pushes the holder's tip below the paper, the nib
  stays on it, and the spring decides how hard it presses. So nothing needs to measure a force.
- The sheet lies before the robot as before someone who stands opposite: read from there, the drawing is upright.
- Limits are in the XML: ranges and torques where MuJoCo wants them, velocities and accelerations as ``user`` values.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limner.worlds.scenes.mujoco import mujoco

Floats = NDArray[np.float64]

JOINTS = 6
MILLIMETRE = 1e-3
LARGEST = 1000.0
"""Of sizes and places, in millimetres: far more than the arm reaches."""
BASE = 80.0
"""Radius of the robot's foot in millimetres."""


@dataclass(frozen=True)
class Sheet:
    """A square of paper on the table; in millimetres, seen from the axis of the robot's foot."""

    size: float = 100.0
    """Length of a side."""
    x: float = 340.0
    """How far before the robot its middle lies."""
    y: float = 0.0
    """How far to the robot's left."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.size) and 1 <= self.size <= LARGEST):
            raise ValueError(f"--sheet-size is {self.size:g}: must be in 1 … {LARGEST:g} mm")
        for name in ("x", "y"):
            if not (math.isfinite(value := getattr(self, name)) and abs(value) <= LARGEST):
                raise ValueError(f"--sheet-{name} is {value:g}: must be in −{LARGEST:g} … {LARGEST:g} mm")
        beside = [max(abs(place) - self.size / 2, 0) for place in (self.x, self.y)]
        if math.hypot(*beside) < BASE:
            raise ValueError(
                f"a sheet of {self.size:g} mm at x={self.x:g}, y={self.y:g} mm lies under the robot's foot, which is "
                f"{BASE:g} mm in radius: move it away with --sheet-x, or make it smaller with --sheet-size"
            )

    def world(self, points: Floats) -> Floats:
        """Places in metres ``[..., 3]`` of points: shares to the right and down, 1 being the side; depth in metres."""
        right, down, depth = np.moveaxis(np.asarray(points, np.float64), -1, 0)
        x = self.x + (down - 0.5) * self.size
        y = self.y + (right - 0.5) * self.size
        return np.stack([x * MILLIMETRE, y * MILLIMETRE, -depth], axis=-1)

    def shares(self, places: Floats) -> Floats:
        """Of places in metres ``[..., 2 or 3]``: right and down from the upper left corner, 1 being the side."""
        places = np.asarray(places, np.float64) / MILLIMETRE
        return np.stack([(places[..., 1] - self.y) / self.size + 0.5, (places[..., 0] - self.x) / self.size + 0.5], -1)


class Arm:
    """A model with its sheet, scratch data, and what is asked of it often."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        spec = mujoco.MjSpec.from_string(files("limner.robot").joinpath("arm.xml").read_text())
        paper = spec.geom("sheet")
        half = sheet.size * MILLIMETRE / 2
        paper.size = [half, half, paper.size[2]]
        paper.pos = [sheet.x * MILLIMETRE, sheet.y * MILLIMETRE, paper.pos[2]]
        self.model: Any = spec.compile()
        self.data: Any = mujoco.MjData(self.model)
        self.names = [self.model.joint(i).name for i in range(JOINTS)]
        self.lower, self.upper = self.model.jnt_range[:JOINTS].T.copy()
        self.velocity, self.acceleration = self.model.jnt_user[:JOINTS].T.copy()
        self.torque = self.model.actuator_forcerange[:, 1].copy()
        self.tip = self.model.site("tip").id
        self.nib, self.paper = self.model.geom("nib").id, self.model.geom("sheet").id
        self.spring = float(self.model.jnt_stiffness[JOINTS])

    @property
    def step(self) -> float:
        """Seconds of a step of the simulation."""
        return float(self.model.opt.timestep)

    def copy(self) -> Any:
        """The model anew, to be changed."""
        return copy.copy(self.model)

    def pose(self, joints: Floats) -> tuple[Floats, Floats]:
        """Place of the pen's tip in metres and the rotation ``[3, 3]`` of the hand, for six joint angles."""
        self.data.qpos[:JOINTS] = joints
        mujoco.mj_kinematics(self.model, self.data)
        return self.data.site_xpos[self.tip].copy(), self.data.site_xmat[self.tip].reshape(3, 3).copy()

    def jacobians(self) -> tuple[Floats, Floats]:
        """How tip and hand move with each joint, ``[3, 6]`` each, in the pose that was asked for last."""
        mujoco.mj_comPos(self.model, self.data)
        moving, turning = np.zeros((2, 3, self.model.nv))
        mujoco.mj_jacSite(self.model, self.data, moving, turning, self.tip)
        return moving[:, :JOINTS], turning[:, :JOINTS]

    def touches(self, joints: Floats) -> str | None:
        """What the arm, but for its nib, would run into with these joint angles; None if nothing."""
        self.pose(joints)
        mujoco.mj_collision(self.model, self.data)
        for contact in self.data.contact:
            if self.nib not in contact.geom:
                return " and ".join(self.model.geom(i).name or "arm" for i in contact.geom)
        return None
