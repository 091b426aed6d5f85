"""Tracking errors of a simulated motion, and how much of the joints' limits it used.

Notable choices:
- The error is the distance between planned and measured tip at the same time. The distance to the path is that to the
  nearest planned position at any time, which leaves delays out.
- Torques are those before clipping, so they can exceed their limits.
"""

import io
from typing import Any

import numpy as np
from scipy.spatial import cKDTree  # type: ignore[import-untyped]

from limner.robot.arm import MILLIMETRE, Arm
from limner.robot.drawing import Drawing
from limner.robot.motion import Motion

RATE = 100  # rows per second of the table of joints


def tracking(arm: Arm, motion: Motion, drawing: Drawing) -> dict[str, Any]:
    """The measures by name, as JSON values; errors are those while the plan has the pen down."""
    down = motion.down
    error = np.linalg.norm(drawing.tip - motion.tip, axis=1)[down] / MILLIMETRE
    distance = cKDTree(motion.tip[down]).query(drawing.tip[down])[0] / MILLIMETRE
    lengths = np.linalg.norm(np.diff(motion.tip, axis=0), axis=1) / MILLIMETRE
    drawn = down[1:] & down[:-1]
    shares = {
        "velocity": abs(drawing.velocities).max(0) / arm.velocity,
        "torque": abs(drawing.torques).max(0) / arm.torque,
    }
    outside = ((drawing.joints < arm.lower) | (drawing.joints > arm.upper)).any(0)
    exceeded = {"position": outside, **{limit: values > 1 for limit, values in shares.items()}}
    violations = [f"{limit} of {arm.names[i]}" for limit, joints in exceeded.items() for i in np.flatnonzero(joints)]
    return {
        "sheet_mm": {"size": arm.sheet.size, "x": arm.sheet.x, "y": arm.sheet.y},
        "duration_s": _round(len(motion) * motion.step),
        "pen_down_mm": _round(lengths[drawn].sum()),
        "pen_up_mm": _round(lengths[~drawn].sum()),
        "error_mm": {"mean": _round(error.mean()), "worst": _round(error.max())},
        "distance_to_path_mm": {"mean": _round(distance.mean()), "worst": _round(distance.max())},
        "largest_share": {
            limit: dict(zip(arm.names, map(_round, values.tolist()), strict=True)) for limit, values in shares.items()
        },
        "violations": violations,
        "collisions": list(drawing.collisions),
    }


def joints_csv(arm: Arm, drawing: Drawing) -> str:
    """Time, angles, velocities and torques of all joints as CSV, ``RATE`` rows per second."""
    every = round(1 / (RATE * drawing.step))
    names = [f"{name}_{unit}" for unit in ("rad", "rad_per_s", "Nm") for name in arm.names]
    times = np.arange(len(drawing)) * drawing.step
    columns = np.column_stack([times, drawing.joints, drawing.velocities, drawing.torques])
    text = io.StringIO()
    rows = columns[::every].round(6) + 0.0  # no −0
    np.savetxt(text, rows, "%.6f", ",", header=",".join(["time_s", *names]), comments="")
    return text.getvalue()


def _round(value: float) -> float:
    return round(float(value), 4)
