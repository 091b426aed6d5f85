"""The arm of ``arm.xml`` with its sheet: a MuJoCo model, and the limits of its joints.

Notable choices:
- Six hinges and a pen. The nib slides in a sprung holder: the arm moves the holder's tip below the paper, the nib stays
  on the paper, and the spring sets the force. So no force is measured.
- The drawing is upright for someone who faces the robot.
- Limits are in the XML: ranges and torques in MuJoCo's attributes, velocities and accelerations as ``user`` values.
"""

import math
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limner.worlds.scenes.mujoco import mujoco
from limner.worlds.validation import require

Floats = NDArray[np.float64]

JOINTS = 6
MILLIMETRE = 1e-3
LARGEST = 1000.0  # largest size and coordinate of a sheet in millimetres: far more than the arm reaches
BASE = 80.0  # radius of the robot's base in millimetres


@dataclass(frozen=True)
class Sheet:
    """A square of paper on the table, in millimetres from the axis of the robot's base."""

    size: float = 100.0
    """Length of a side."""
    x: float = 340.0
    """Distance of its centre in front of the robot."""
    y: float = 0.0
    """Distance of its centre to the robot's left."""

    def __post_init__(self) -> None:
        require(1 <= self.size <= LARGEST, f"--sheet-size is {self.size:g}: must be in 1 … {LARGEST:g} mm")
        for name, value in (("x", self.x), ("y", self.y)):
            require(abs(value) <= LARGEST, f"--sheet-{name} is {value:g}: must be in −{LARGEST:g} … {LARGEST:g} mm")
        distance = math.hypot(*(max(abs(centre) - self.size / 2, 0) for centre in (self.x, self.y)))
        require(
            distance >= BASE,
            f"a sheet of {self.size:g} mm at x={self.x:g}, y={self.y:g} mm lies under the robot's base, which is "
            f"{BASE:g} mm in radius: move it away with --sheet-x, or make it smaller with --sheet-size",
        )

    def world(self, points: Floats) -> Floats:
        """World coordinates in metres ``[..., 3]`` of (right, down) in sides of the sheet and depth in metres."""
        right, down, depth = np.moveaxis(np.asarray(points, np.float64), -1, 0)
        x = self.x + (down - 0.5) * self.size
        y = self.y + (right - 0.5) * self.size
        return np.stack([x * MILLIMETRE, y * MILLIMETRE, -depth], axis=-1)

    def shares(self, places: Floats) -> Floats:
        """(right, down) from the upper left corner, in sides, of world coordinates in metres ``[..., 2 or 3]``."""
        x, y = np.moveaxis(np.asarray(places, np.float64)[..., :2] / MILLIMETRE, -1, 0)
        return np.stack([(y - self.y) / self.size + 0.5, (x - self.x) / self.size + 0.5], axis=-1)


class Arm:
    """The MuJoCo model with its sheet, scratch data, and the limits and identifiers that are used often."""

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
        self.step = float(self.model.opt.timestep)
        """Seconds of a step of the simulation."""

    def pose(self, joints: Floats) -> tuple[Floats, Floats]:
        """Position of the pen's tip in metres and rotation ``[3, 3]`` of the hand, for six joint angles."""
        self.data.qpos[:JOINTS] = joints
        mujoco.mj_kinematics(self.model, self.data)
        return self.data.site_xpos[self.tip].copy(), self.data.site_xmat[self.tip].reshape(3, 3).copy()

    def jacobians(self) -> tuple[Floats, Floats]:
        """Jacobians of the tip's position and the hand's rotation, ``[3, 6]`` each, at the last ``pose``."""
        mujoco.mj_comPos(self.model, self.data)
        position, rotation = np.zeros((2, 3, self.model.nv))
        mujoco.mj_jacSite(self.model, self.data, position, rotation, self.tip)
        return position[:, :JOINTS], rotation[:, :JOINTS]

    def touches(self, joints: Floats) -> str | None:
        """What the arm, except for its nib, collides with at these joint angles; None without a collision."""
        self.pose(joints)
        mujoco.mj_collision(self.model, self.data)
        for contact in self.data.contact:
            if self.nib not in contact.geom:
                return " and ".join(self.model.geom(i).name or "arm" for i in contact.geom)
        return None
