"""Decodes the actions of each action space into curves for the engine.

All spaces become the same rows, jumps and quadratic Béziers (``Curve`` in paint.cpp), some of them several an action.
Pressure changes linearly from the last value to the new one; after a jump or a reset it is constant along the curve.
Decoding leaves ``Pens``, the state between actions, unchanged: an action that is refused moves no pen.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from limner.actions import BoolArray, IntArray
from limner.worlds.paint.settings import PAINT, VIA, PaintSettings, paint_actions

Doubles = NDArray[np.float64]

_NONE, _JUMP, DOWN, ON = range(4)  # `Kind` in paint.cpp, the first value of a curve


@dataclass(frozen=True)
class Pens:
    """The state of N pens, which decides with canvas and brush what their next actions paint."""

    place: Doubles
    """``float64[N, 2]``: (x, y) in pixels, where the next curve starts."""
    pressure: Doubles
    """``float64[N]``: of the last curve, in [0, 1]."""
    down: BoolArray
    """``bool[N]``: whether the next curve continues the last one."""
    via: IntArray
    """``int64[N, K]``: cells of the control points of the next curve, in order, padded with -1."""

    def __getitem__(self, rows: IntArray) -> Self:
        """Copies of the pens ``rows`` (int64[M], repeats allowed), in that order."""
        return type(self)(self.place[rows], self.pressure[rows], self.down[rows], self.via[rows])

    def put(self, rows: IntArray, pens: Self) -> Self:
        """A copy in which pen ``rows[i]`` is replaced by pen ``i`` of ``pens``."""
        place, pressure, down = self.place.copy(), self.pressure.copy(), self.down.copy()
        place[rows], pressure[rows], down[rows] = pens.place, pens.pressure, pens.down
        via = np.full((len(place), max(self.via.shape[1], pens.via.shape[1])), -1)
        via[:, : self.via.shape[1]] = self.via
        via[rows] = -1
        via[rows, : pens.via.shape[1]] = pens.via
        return type(self)(place, pressure, down, via)


class CurveDecoder:
    """Decodes the actions of a renderer with certain settings; lengths are in pixels."""

    def __init__(self, settings: PaintSettings) -> None:
        grid, levels = settings.grid, settings.levels
        self.actions = paint_actions(settings)
        self._release = settings.preset is not None
        cells = np.stack(np.divmod(np.arange(grid**2), grid)[::-1], -1)
        self._grid, self._cell = grid, settings.canvas / grid
        self._places = (cells + (0.0 if self._release else 0.5)) * self._cell  # x, y in pixels
        self._log_radii = np.log(np.asarray(settings.sizes, np.float64) * (settings.canvas / 64))
        self._pressures = np.arange(1, settings.pressures + 1) / settings.pressures
        self._shades = np.arange(levels) / (levels - 1)
        spaces = (self._bezier, self._line, self._stroke, self._relative, self._spline)
        self._decode = {decode.__name__[1:]: decode for decode in spaces}[settings.space]

    def new(self, count: int) -> Pens:
        """Lifted pens in the upper left corner."""
        return Pens(np.zeros((count, 2)), np.zeros(count), np.zeros(count, np.bool_), np.empty((count, 0), np.int64))

    def decode(self, actions: IntArray, pens: Pens) -> tuple[Doubles, Pens]:
        """Curves ``float64[N, count, 13]`` of valid actions ``int64[N, P]``, and the pens after them."""
        curves, after = self._decode(actions, pens)
        radii = self._log_radii[actions[:, self.actions.index("size")]]
        # The size of a jump does not count, but the brush's tracking noise depends on the radius: it is the first.
        curves[:, :, 7] = np.where(curves[:, :, 0] == _JUMP, self._log_radii[0], radii[:, None])
        if self.actions.coloured:
            curves[:, :, 10:] = _hsv(self._shades[actions[:, -3:]])[:, None]
        return curves, after

    def _bezier(self, actions: IntArray, pens: Pens) -> tuple[Doubles, Pens]:
        curves, after = self._from_pen(actions, pens, self._place(actions, "control"), self._place(actions, "end"))
        if self._release:
            after = replace(after, place=np.where(after.down[:, None], after.place, after.place[:, 1:]))
        return curves, after

    def _line(self, actions: IntArray, pens: Pens) -> tuple[Doubles, Pens]:
        end = self._place(actions, "end")
        return self._from_pen(actions, pens, (pens.place + end) / 2, end)

    def _relative(self, actions: IntArray, pens: Pens) -> tuple[Doubles, Pens]:
        here = (pens.place[:, ::-1] / self._cell).astype(np.int64)  # row, column

        def place(name: str) -> Doubles:
            cells = np.clip(here + self.actions.cells(actions, name), 0, self._grid - 1)
            numbers: IntArray = cells[:, 0] * self._grid + cells[:, 1]
            return self._places[numbers]

        return self._from_pen(actions, pens, place("control"), place("end"))

    def _from_pen(self, actions: IntArray, pens: Pens, control: Doubles, end: Doubles) -> tuple[Doubles, Pens]:
        """A jump or a curve from the place of the pen."""
        painting, pressure = actions[:, 0] == PAINT, self._pressure(actions)
        curves = np.zeros((len(actions), 1, 13))
        curves[:, 0, 0] = np.where(painting, np.where(pens.down, ON, DOWN), _JUMP)
        curves[:, 0, 1:7] = np.concatenate([pens.place, control, end], axis=1)
        curves[:, 0, 8], curves[:, 0, 9] = np.where(pens.down, pens.pressure, pressure), pressure
        return curves, Pens(end, pressure, painting, pens.via)

    def _stroke(self, actions: IntArray, pens: Pens) -> tuple[Doubles, Pens]:
        start, end, pressure = self._place(actions, "start"), self._place(actions, "end"), self._pressure(actions)
        curves = np.zeros((len(actions), 2, 13))
        curves[:, :, 0] = _JUMP, DOWN
        curves[:, 0, 5:7] = start
        curves[:, 1, 1:3], curves[:, 1, 3:5], curves[:, 1, 5:7] = start, self._place(actions, "control"), end
        curves[:, 1, 8:10] = pressure[:, None]
        return curves, Pens(end, pressure, np.zeros(len(end), np.bool_), pens.via)

    def _spline(self, actions: IntArray, pens: Pens) -> tuple[Doubles, Pens]:
        painting, passing = actions[:, 0] == PAINT, actions[:, 0] == VIA
        point, pressure = self._place(actions, "point"), self._pressure(actions)
        given = (pens.via >= 0).sum(-1)
        bends = np.where(painting, given, 0)
        joints, controls = spline(pens.place, self._places[pens.via], point, bends)
        before = np.where(pens.down, pens.pressure, pressure)
        count = controls.shape[1]
        along = np.arange(count + 1) / np.maximum(bends, 1)[:, None]  # share of the spline, 1 at its end
        pressures = np.where(along < 1, (1 - along) * before[:, None] + along * pressure[:, None], pressure[:, None])
        curves = np.zeros((len(actions), count, 13))
        curves[:, :, 0] = np.where(along[:, :-1] < 1, ON, _NONE)
        curves[:, 0, 0] = np.select([passing, ~painting, ~pens.down], [_NONE, _JUMP, DOWN], ON)
        curves[:, :, 1:3], curves[:, :, 3:5], curves[:, :, 5:7] = joints[:, :-1], controls, joints[:, 1:]
        curves[:, :, 8], curves[:, :, 9] = pressures[:, :-1], pressures[:, 1:]
        via = np.full((len(actions), np.where(passing, given + 1, 0).max()), -1)
        kept = min(via.shape[1], pens.via.shape[1])
        via[passing, :kept] = pens.via[passing, :kept]
        via[passing, given[passing]] = actions[passing, self.actions.index("point")]
        place = np.where(passing[:, None], pens.place, point)
        down = np.where(passing, pens.down, painting)
        return curves, Pens(place, np.where(painting, pressure, pens.pressure), down, via)

    def _place(self, actions: IntArray, name: str) -> Doubles:
        return self._places[actions[:, self.actions.index(name)]]

    def _pressure(self, actions: IntArray) -> Doubles:
        return self._pressures[actions[:, self.actions.index("pressure")]]


def spline(start: Doubles, via: Doubles, end: Doubles, bends: IntArray) -> tuple[Doubles, Doubles]:
    """N splines as C quadratic Béziers each: joints ``float64[N, C + 1, 2]`` and control points ``float64[N, C, 2]``.

    Spline i goes from ``start[i]`` to ``end[i]``, both ``[N, 2]``; the first ``n = bends[i]`` points of ``via[i]``
    (``[N, K, 2]``) are its control points: a uniform quadratic B-spline with knots 0, 0, 0, 1, 2, … n − 1, n, n, n.
    Inserting each inner knot once more gives its Béziers, which join half way between control points. There are
    ``max(n, 1)`` of them, and without a control point the only one is straight; entries after them are undefined.
    """
    pieces = np.maximum(bends, 1)
    controls = np.concatenate([via, end[:, None]], axis=1)[:, : pieces.max()]
    controls[:, 0] = np.where(bends[:, None] > 0, controls[:, 0], (start + end) / 2)
    joints = np.concatenate([start[:, None], (controls[:, :-1] + controls[:, 1:]) / 2, end[:, None]], axis=1)
    joints[np.arange(len(joints)), pieces] = end
    return joints, controls


def _hsv(rgb: Doubles) -> Doubles:
    """Hue, saturation and value, each in [0, 1], of colours ``float64[N, 3]``."""
    red, green, blue = rgb.T
    value = rgb.max(-1)
    spread = value - rgb.min(-1)
    safe = np.where(spread > 0, spread, 1)
    hue = np.select(
        [spread == 0, red == value, green == value],
        [0, (green - blue) / safe % 6, 2 + (blue - red) / safe],
        4 + (red - green) / safe,
    )
    saturation = np.where(value > 0, spread / np.where(value > 0, value, 1), 0)
    return np.stack([hue / 6, saturation, value], -1)
