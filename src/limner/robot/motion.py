"""Motion planning: joint angles over time that follow the path of the pen within the limits of the joints.

Notable choices:
- Inverse kinematics every half millimetre, each from the last solution, and a cubic spline of the angles over the
  length of the path.
- The fastest speed profile within the limits, by a forward and a backward pass along the path (Bobrow, Dubowsky and
  Gibson, 1985; here with limits on velocities and accelerations). Two moving averages of the length over time make the
  acceleration continuous and leave the path as it is.
- Every sample is checked afterwards; a segment that exceeds a limit is planned again, slower.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline  # type: ignore[import-untyped]

from limner.robot.arm import JOINTS, MILLIMETRE, Arm, Floats
from limner.robot.kinematics import solve
from limner.robot.path import LIFT, REST, Way, rest, ways

PITCH = 0.5 * MILLIMETRE  # distance between points that inverse kinematics solves for
DRAWING, TRAVEL = (0.08, 0.6), (0.25, 1.5)  # greatest speed in m/s and acceleration along the path in m/s²
SHARE = 0.8  # fraction of the joints' limits that is planned with
BENDING = 0.5  # fraction of that acceleration for curvature; the rest is for changing speed
AVERAGES = (0.04, 0.02)  # windows of the moving averages in seconds
PAUSE = 0.02  # seconds of rest between segments


@dataclass(frozen=True)
class Motion:
    """The plan, at every step of the simulation."""

    step: float
    joints: Floats
    """``float64[T, 6]`` in rad."""
    velocities: Floats
    accelerations: Floats
    tip: Floats
    """``float64[T, 3]``: planned position of the tip of the pen's holder in metres; z < 0 below the paper."""

    def __len__(self) -> int:
        return len(self.joints)

    @property
    def down(self) -> NDArray[np.bool_]:
        """``bool[T]``: whether the pen should be on the paper."""
        return self.tip[:, 2] < 0


def check_reach(arm: Arm) -> None:
    """``ValueError`` naming the part of the sheet that the arm cannot reach, or what it would collide with there."""
    sheet = arm.sheet
    remedy = "move the sheet with --sheet-x and --sheet-y, or make it smaller with --sheet-size"
    columns, rows = {0.5: "", 0.0: " left", 1.0: " right"}, {0.5: "", 0.0: " upper", 1.0: " lower"}
    for right, down, depth in product(columns, rows, (MILLIMETRE, -LIFT)):
        part = f"the{rows[down] + columns[right] or ' middle'} of the sheet of {sheet.size:g} mm"
        try:
            angles = solve(arm, sheet.world(np.asarray([right, down, depth])))
        except ValueError as error:
            raise ValueError(f"{part} is out of reach ({error}): {remedy}") from None
        if collision := arm.touches(angles):
            raise ValueError(f"at {part} the arm would run into something ({collision}): {remedy}")
    try:
        solve(arm, rest(sheet))
    except ValueError as error:
        raise ValueError(f"no place to wait {REST / MILLIMETRE:g} mm above the sheet ({error}): {remedy}") from None


def plan(arm: Arm, strokes: Sequence[Floats], report: Callable[[int, int], None] = lambda done, total: None) -> Motion:
    """The motion that draws ``strokes``, ``float64[n, 3]`` each: (x, y, pressure) in [0, 1] of the sheet.

    ``ValueError`` when a part of the sheet is out of reach.
    """
    check_reach(arm)
    angles = solve(arm, rest(arm.sheet))
    path = list(ways(strokes, arm.sheet))
    parts = []
    for done, way in enumerate(path, 1):
        part, angles = _parametrise(arm, way, angles)
        parts.append(part)
        report(done, len(path))
    return Motion(arm.step, *(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _parametrise(arm: Arm, way: Way, start: Floats) -> tuple[tuple[Floats, Floats, Floats, Floats], Floats]:
    """Angles, velocities, accelerations and tip at every step of a segment; and the angles at its end."""
    count = max(4, int(np.ceil(way.length / PITCH)) + 1)
    lengths = np.linspace(0, way.length, count)
    angles = np.empty((count, JOINTS))
    angles[0] = start
    for i, place in enumerate(way.curve(lengths[1:]), 1):
        angles[i] = solve(arm, place, angles[i - 1])
    spline = CubicSpline(lengths, angles)
    pace = 1.0
    while True:
        s, speed, change = _speed_profile(arm, spline, way, pace)
        first, second = spline(s, 1), spline(s, 2)
        velocities = first * speed[:, None]
        accelerations = first * change[:, None] + second * speed[:, None] ** 2
        worst = max((abs(velocities) / arm.velocity).max(), np.sqrt((abs(accelerations) / arm.acceleration).max()))
        if worst <= 1:
            return (spline(s), velocities, accelerations, way.curve(s)), angles[-1]
        pace *= 0.95 / float(worst)


def _speed_profile(arm: Arm, spline: CubicSpline, way: Way, pace: float) -> tuple[Floats, Floats, Floats]:
    """Length s along a segment, its speed and acceleration at every step; ``pace`` scales the speed."""
    fastest, strongest = DRAWING if way.drawing else TRAVEL
    count = max(32, int(way.length / PITCH) * 4)
    s = np.linspace(0, way.length, count + 1)
    first, second = abs(spline(s, 1)) + 1e-9, abs(spline(s, 2)) + 1e-9
    allowed = np.minimum(fastest, (SHARE * arm.velocity / first).min(1))
    allowed = np.minimum(allowed, np.sqrt((SHARE * BENDING * arm.acceleration / second).min(1)))
    gain = 2 * np.diff(s) * np.minimum(strongest, (SHARE * (1 - BENDING) * arm.acceleration / first).min(1))[1:]
    squares = allowed**2
    squares[[0, -1]] = 0
    for i in range(count):
        squares[i + 1] = min(squares[i + 1], squares[i] + gain[i])
    for i in reversed(range(count)):
        squares[i] = min(squares[i], squares[i + 1] + gain[i])
    speeds = pace * np.sqrt(squares)
    times = np.concatenate([[0], np.cumsum(2 * np.diff(s) / (speeds[1:] + speeds[:-1]))])
    t = np.arange(0, times[-1] + arm.step, arm.step)
    at = np.clip(np.searchsorted(times, t, "right") - 1, 0, count - 1)
    after = np.minimum(t - times[at], times[at + 1] - times[at])
    done = s[at] + after * (speeds[at] + (speeds[at + 1] - speeds[at]) * after / (times[at + 1] - times[at]) / 2)
    for seconds in AVERAGES:
        window = max(1, round(seconds / arm.step))
        done = np.convolve(np.pad(done, window, mode="edge"), np.full(window, 1 / window), "valid")
    still = round(PAUSE / arm.step)
    done = np.clip(np.pad(done, (1, still + 1), mode="edge"), 0, way.length)
    speed = (done[2:] - done[:-2]) / (2 * arm.step)
    change = (done[2:] - 2 * done[1:-1] + done[:-2]) / arm.step**2
    return done[1:-1], speed, change
