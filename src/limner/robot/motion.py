"""When each joint is where: the ways of the pen as angles over time, within the limits of the joints.

Notable choices:
- Inverse kinematics every half millimetre, from the solution before, and a cubic spline through the angles: they are
  smooth functions of the length of the way.
- Along each way the pen is as fast as the joints allow, and no faster than a steady hand: the greatest speeds forwards
  and backwards along the path (Bobrow, Dubowsky and Gibson, 1985; here with limits on velocities and accelerations).
- That speed changes abruptly; averaging its course over a short time twice leaves the path as it is, and makes the
  acceleration continuous.
- Every sample is checked afterwards. What exceeds a limit is planned again, slower.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline  # type: ignore[import-untyped]

from limner.robot.arm import JOINTS, MILLIMETRE, Arm, Floats
from limner.robot.kinematics import solve
from limner.robot.path import LIFT, REST, Way, rest, ways

PITCH = 0.5 * MILLIMETRE
"""Between places whose angles are solved for."""
DRAWING, TRAVEL = (0.08, 0.6), (0.25, 1.5)
"""Greatest speed in m/s and acceleration along the way in m/s², drawing and in the air."""
SHARE = 0.8
"""Of the joints' limits that is planned with."""
BENDING = 0.5
"""Of that acceleration, what may be spent on bends of the way; the rest is for changing speed."""
AVERAGES = (0.04, 0.02)
"""Seconds over which the speed is averaged."""
PAUSE = 0.02
"""Seconds of standing still between ways."""


@dataclass(frozen=True)
class Motion:
    """What is planned, at every step of the simulation."""

    step: float
    joints: Floats
    """``float64[T, 6]`` in rad."""
    velocities: Floats
    accelerations: Floats
    tip: Floats
    """``float64[T, 3]``: where the tip of the pen's holder should be, in metres; below the paper z < 0."""

    def __len__(self) -> int:
        return len(self.joints)

    @property
    def down(self) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """``bool[T]``: whether the pen should be on the paper."""
        return self.tip[:, 2] < 0


def check_reach(arm: Arm) -> None:
    """``ValueError`` naming the part of the sheet that the arm cannot draw on, or what it would run into there."""
    sheet = arm.sheet
    remedy = "move the sheet with --sheet-x and --sheet-y, or make it smaller with --sheet-size"
    names = {0.0: "left", 0.5: "", 1.0: "right"}, {0.0: "upper", 0.5: "", 1.0: "lower"}
    for right in (0.5, 0.0, 1.0):
        for down in (0.5, 0.0, 1.0):
            for depth in (MILLIMETRE, -LIFT):
                part = f"{names[1][down]} {names[0][right]}".strip() or "middle"
                part = f"the {part} of the sheet of {sheet.size:g} mm"
                place = sheet.world(np.asarray([right, down, depth]))
                try:
                    angles = solve(arm, place)
                except ValueError as error:
                    raise ValueError(f"{part} is out of reach ({error}): {remedy}") from None
                if thing := arm.touches(angles):
                    raise ValueError(f"at {part} the arm would run into something ({thing}): {remedy}")
    try:
        solve(arm, rest(sheet))
    except ValueError as error:
        raise ValueError(f"no place to wait {REST / MILLIMETRE:g} mm above the sheet ({error}): {remedy}") from None


def plan(arm: Arm, strokes: Sequence[Floats], report: Callable[[int, int], None] | None = None) -> Motion:
    """The motion that draws ``strokes``, ``float64[n, 3]`` each: (x, y, pressure) as shares of the sheet.

    ``ValueError`` where a part of the sheet is out of reach.
    """
    check_reach(arm)
    angles = solve(arm, rest(arm.sheet))
    path = list(ways(strokes, arm.sheet))
    parts = []
    for done, way in enumerate(path):
        part, angles = _timed(arm, way, angles)
        parts.append(part)
        if report:
            report(done + 1, len(path))
    return Motion(arm.step, *(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _timed(arm: Arm, way: Way, start: Floats) -> tuple[tuple[Floats, Floats, Floats, Floats], Floats]:
    """Angles, velocities, accelerations and tip at every step of a way; and the angles at its end."""
    count = max(4, int(np.ceil(way.length / PITCH)) + 1)
    lengths = np.linspace(0, way.length, count)
    angles = np.empty((count, JOINTS))
    angles[0] = start
    for i, place in enumerate(way.curve(lengths[1:]), 1):
        angles[i] = solve(arm, place, angles[i - 1])
    course = CubicSpline(lengths, angles)
    pace = 1.0
    while True:
        s, speed, change = _progress(arm, course, way, pace)
        first, second = course(s, 1), course(s, 2)
        velocities = first * speed[:, None]
        accelerations = first * change[:, None] + second * speed[:, None] ** 2
        worst = max(
            float((abs(velocities) / arm.velocity).max()), float(np.sqrt((abs(accelerations) / arm.acceleration).max()))
        )
        if worst <= 1:
            return (course(s), velocities, accelerations, way.curve(s)), angles[-1]
        pace *= 0.95 / worst


def _progress(arm: Arm, course: CubicSpline, way: Way, pace: float) -> tuple[Floats, Floats, Floats]:
    """Length done, its speed and the change of that, at every step; ``pace`` scales the speed that is allowed."""
    fastest, push = DRAWING if way.drawing else TRAVEL
    count = max(32, int(way.length / PITCH) * 4)
    s = np.linspace(0, way.length, count + 1)
    first, second = abs(course(s, 1)) + 1e-9, abs(course(s, 2)) + 1e-9
    allowed = np.minimum(fastest, (SHARE * arm.velocity / first).min(1))
    allowed = np.minimum(allowed, np.sqrt((SHARE * BENDING * arm.acceleration / second).min(1)))
    gain = 2 * np.diff(s) * np.minimum(push, (SHARE * (1 - BENDING) * arm.acceleration / first).min(1))[1:]
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
