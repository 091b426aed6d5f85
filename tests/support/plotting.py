"""A plotter for tests: it reads G-code by a parser that knows nothing of Limner, and is strict."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from gcodeparser import GcodeLine, parse_gcode_lines
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from limner.export.plotter import GcodeSettings
from limner.worlds.stroke import Stroke

BLACK = (0.0, 0.0, 0.0)
ROUNDED = 0.002
"""Millimetres: two numbers of three decimals, in two or three coordinates."""

colours = st.sampled_from([BLACK, (1.0, 0.0, 0.0), (0.0, 0.0, 0.8), (0.9, 0.95, 1.0)])
polylines = st.integers(1, 12).flatmap(lambda n: arrays(np.float64, (n, 3), elements=st.floats(0, 1)))
strokes_of_any_kind = st.lists(st.builds(Stroke, polylines, colours), min_size=1, max_size=5)
sheets = {
    "sheet": st.floats(50, 500),
    "margin": st.floats(0, 20),
    "left": st.floats(-50, 50),
    "bottom": st.floats(-50, 50),
    "mirror": st.sampled_from(["no", "x", "y"]),
    "feed": st.floats(1, 5000),
    "travel": st.floats(1, 5000),
    "tolerance": st.sampled_from([0.0, 0.01, 0.05, 1.0]),
    "join": st.sampled_from([0.0, 0.1, 30.0]),
    "order": st.sampled_from(["program", "nearest"]),
    "pens": st.sampled_from([1, 2, 3, ("black", "red"), ("#0000ff",)]),
}
plotters = st.one_of(
    st.builds(
        GcodeSettings,
        **sheets,
        safe=st.floats(2, 10),
        contact=st.floats(-1, 1),
        depth=st.sampled_from([0.0, 0.5, 2.0]),
    ),
    st.builds(
        GcodeSettings,
        **sheets,
        pen=st.just("servo"),
        servo_up=st.sampled_from([None, 0.0, 40.5]),
        servo_down=st.floats(50, 1000),
        dwell=st.sampled_from([0.0, 0.15]),
    ),
)


class Plotter:
    """Executes G-code; anything that a machine should not be told fails.

    ``pens`` holds what each pen draws: lines ``float64[n, 3]`` in millimetres of the machine. ``travelled`` is how far
    the pen moves sideways while it is up.
    """

    def __init__(self, text: str, settings: GcodeSettings) -> None:
        self.settings, self.down, self.feed, self.travelled = settings, False, 0.0, 0.0
        self.here: list[float] = [0.0, 0.0, 0.0]
        self.pens: list[list[list[list[float]]]] = [[]]
        first, second, *self._left, last = parse_gcode_lines(text)
        assert [first.command_str, second.command_str, last.command_str] == ["G21", "G90", "M2"]
        self._lift(self._left.pop(0))
        while self._left:
            self._execute(self._left.pop(0))
        assert not self.down
        assert self.here[:2] == [0, 0], "ends at home"
        self.drawn = [[np.array(line) for line in lines] for lines in self.pens]

    def _execute(self, line: GcodeLine) -> None:
        self.feed = line.params.get("F", self.feed)
        if line.command_str == "M0":
            assert not self.down, "pauses with the pen up"
            assert self.here[:2] == [0, 0], "pauses at home"
            self.pens.append([])
        elif self.down and line.command_str == "G1" and "X" in line.params:
            assert line.params.keys() <= set("XYZF")
            assert self.feed == pytest.approx(self.settings.feed, abs=0.001)
            self._move(line)
            self.pens[-1][-1].append(self.here)
        elif self.down:
            self._lift(line)
        elif line.command_str == "G0":
            assert line.params.keys() == set("XYF"), "travels with the pen up"
            assert self.feed == pytest.approx(self.settings.travel, abs=0.001)
            before = self.here
            self._move(line)
            self.travelled += float(np.linalg.norm(np.subtract(self.here, before)))
        else:
            self._lower(line)
            self.pens[-1].append([self.here])

    def _move(self, line: GcodeLine) -> None:
        self.here = [line.params.get(axis, place) for axis, place in zip("XYZ", self.here, strict=True)]

    def _lift(self, line: GcodeLine) -> None:
        if self.settings.pen == "z":
            assert line.command_str == "G0"
            assert line.params.keys() == {"Z", "F"}
            self._move(line)
            assert self.here[2] == pytest.approx(self.settings.safe, abs=0.001)
        else:
            up = self.settings.servo_up
            assert line.command_str == ("M5" if up is None else "M3")
            assert line.params == ({} if up is None else {"S": up})
            self._wait()
        self.down = False

    def _lower(self, line: GcodeLine) -> None:
        if self.settings.pen == "z":
            assert line.command_str == "G1"
            assert line.params.keys() == {"Z", "F"}
            assert self.feed == pytest.approx(self.settings.feed, abs=0.001)
            self._move(line)
            assert self.here[2] <= self.settings.contact + 0.001
        else:
            assert line.command_str == "M3"
            assert line.params == {"S": pytest.approx(self.settings.servo_down, abs=0.001)}
            self._wait()
        self.down = True

    def _wait(self) -> None:
        if self.settings.dwell:
            line = self._left.pop(0)
            assert line.command_str == "G4"
            assert line.params == {"P": self.settings.dwell}


def in_millimetres(points: np.ndarray, settings: GcodeSettings) -> np.ndarray:
    """Where the points of a stroke are to be."""
    x, y, pressure = points.T
    x, y = (1 - x if settings.mirror == "x" else x), (1 - y if settings.mirror == "y" else y)
    side = settings.sheet - 2 * settings.margin
    corner = np.array([settings.left, settings.bottom]) + settings.margin
    depth = settings.contact - settings.depth * pressure if settings.pen == "z" else 0 * pressure
    return np.column_stack([corner + np.column_stack([x, 1 - y]) * side, depth])


def apart(points: np.ndarray, line: np.ndarray) -> np.ndarray:
    """How far each of some points is from a polyline."""
    distances = [np.linalg.norm(points - line[0], axis=-1)]
    for one, other in pairwise(line):
        way = other - one
        share = np.clip((points - one) @ way / max(way @ way, 1e-300), 0, 1)
        distances.append(np.linalg.norm(points - one - share[:, None] * way, axis=-1))
    return np.min(distances, axis=0)


def length(lines: list[np.ndarray]) -> float:
    return sum(float(np.linalg.norm(np.diff(line[:, :2], axis=0), axis=1).sum()) for line in lines)
