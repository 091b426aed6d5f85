"""Strokes in plain units: pixels of a picture, radii in pixels, pressures from 0 to 1, colours as text.

``Units`` turns them into the nearest actions of a canvas, and actions into what they paint.

Notable choices:
- Most brushes leave no paint on less than half their radius. So a dot, or whatever is shorter, is painted as a
  straight stroke of ``DOT`` radii towards its end.
- What ``Units.marks`` says is turned into the same actions again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from limner.actions import COLOURS, IntArray
from limner.programs.frame import Frame
from limner.worlds.colours import as_text, channels, hexadecimal
from limner.worlds.validation import require, require_range
from limner.worlds.world import Renderer

SHORTEST, LONGEST = 64, 1024
"""Width and height of a picture, in pixels."""
MOST_STROKES = 5_000
"""Of a picture."""
NARROWEST_REGION = 8
"""Width and height of a region that is painted like a picture, in pixels."""
SHORT, DOT = 0.5, 0.6
"""Radii that a stroke is long, at least, and those of one that takes the place of a shorter one."""

Point = tuple[float, float]
"""x from the left and y from the top, in pixels of the picture."""
Region = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels of the picture."""


@dataclass(frozen=True)
class Mark:
    """A stroke in plain units: a quadratic Bézier curve, or a straight line where ``control`` is in the middle."""

    start: Point
    control: Point
    end: Point
    radius: float
    """In pixels of the picture. With some brushes pressure makes a stroke wider or narrower."""
    pressure: float = 1.0
    """0 … 1."""
    colour: str = "#000000"
    """``#rrggbb``, or a name of CSS."""


class Units:
    """Plain units on a picture that lies in ``frame`` of a renderer's canvas.

    Actions have the parts ``start``, ``control``, ``end``, ``size``, ``pressure`` and three channels of colour.
    """

    def __init__(self, frame: Frame, renderer: Renderer) -> None:
        settings = renderer.settings()
        self.frame, self._space = frame, renderer.actions
        self._side, self._grid = int(settings["canvas"]), int(settings["grid"])
        self._sizes = np.asarray(settings["sizes"], np.float64)
        self._longer = max(frame.width, frame.height)
        self._left, self._top, self._right, self._bottom = frame.box(self._side)

    @property
    def radii(self) -> tuple[float, float]:
        """Smallest and largest radius, in pixels of the picture."""
        return float(self._sizes[0]) * self._longer / 64, float(self._sizes[-1]) * self._longer / 64

    def action(self, mark: Mark, name: str) -> list[int]:
        """The action nearest to a stroke; ``ValueError``, in which the stroke is called ``name``, if there is none."""
        for place in ("start", "end", "control"):
            self._check_point(getattr(mark, place), f"{name}.{place}")
        least, most = self.radii
        near = f"{math.ceil(100 * least) / 100:g} … {math.floor(100 * most) / 100:g} pixels"
        require(least <= mark.radius <= most, f"{name}.radius is {mark.radius}: must be in {near}")
        require_range(f"{name}.pressure", mark.pressure, 0, 1)
        shade = dict(zip(COLOURS, _channels(mark.colour, f"{name}.colour"), strict=True))
        size = int(np.abs(np.log(self._sizes) - math.log(mark.radius * 64 / self._longer)).argmin())
        mark, action = self._lengthened(mark), []
        for part in self._space.parts:
            if part.grid is not None:
                action.append(self._cell(getattr(mark, part.name)))
            elif part.name == "size":
                action.append(size)
            elif part.name == "pressure":
                action.append(max(0, round(mark.pressure * part.size) - 1))
            else:
                action.append(round(shade[part.name] / 255 * (part.size - 1)))
        return action

    def marks(self, actions: IntArray) -> list[Mark]:
        """What ``actions`` int64[N, P] paint."""
        space, frame = self._space, self.frame
        cells = np.stack([space.cells(actions, name)[..., ::-1] for name in ("start", "control", "end")], axis=1)
        places = (cells + 0.5) * (self._side / self._grid) - (self._left, self._top)
        points = np.clip(places * (self._longer / self._side), 0, (frame.width, frame.height))
        radii = self._sizes[actions[:, space.index("size")]] * (self._longer / 64)
        pressures = space.values(actions, "pressure").round(6)
        shades = np.stack([space.values(actions, name) for name in COLOURS], axis=-1)
        colours = [as_text(*rgb) for rgb in (shades * 255).round().astype(int).tolist()]
        rows = zip(points.tolist(), radii.tolist(), pressures.tolist(), colours, strict=True)
        return [
            Mark((a[0], a[1]), (b[0], b[1]), (c[0], c[1]), radius, round(pressure, 6), colour)
            for (a, b, c), radius, pressure, colour in rows
        ]

    def box(self, region: Region | None, least: float = 0) -> tuple[int, int, int, int]:
        """A region of the picture, all of it by default, as left, top, right and bottom in pixels of the canvas.

        These are at least one pixel apart. ``ValueError`` unless the region lies in the picture and is at least
        ``least`` pixels of it wide and high.
        """
        width, height = self.frame.width, self.frame.height
        left, top, right, bottom = region or (0, 0, width, height)
        text = f"region is [{left:g}, {top:g}, {right:g}, {bottom:g}]"
        within = 0 <= left < right <= width and 0 <= top < bottom <= height
        require(within, f"{text}: left, top, right and bottom must ascend within 0 … {width} and 0 … {height}")
        large = right - left >= least and bottom - top >= least
        require(large, f"{text}: must be at least {least:g} pixels wide and high")
        scale = self._side / self._longer
        x = min(math.floor(left * scale) + self._left, self._right - 1)
        y = min(math.floor(top * scale) + self._top, self._bottom - 1)
        end = math.ceil(right * scale) + self._left, math.ceil(bottom * scale) + self._top
        return x, y, max(x + 1, min(end[0], self._right)), max(y + 1, min(end[1], self._bottom))

    def _lengthened(self, mark: Mark) -> Mark:
        """A straight stroke to the end of one that is too short: from the left, or from the right at the left edge."""
        cell, (x, y) = self._longer / self._grid, mark.end
        length = math.dist(mark.start, mark.control) + math.dist(mark.control, mark.end)
        if length >= max(SHORT * mark.radius, 0.9 * cell):
            return mark
        least = DOT * mark.radius + cell  # that rounding may take away
        start = x - least if x >= least else x + least
        return replace(mark, start=(start, y), control=((start + x) / 2, y))

    def _check_point(self, point: Point, name: str) -> None:
        (x, y), (width, height) = point, (self.frame.width, self.frame.height)
        inside = 0 <= x <= width and 0 <= y <= height
        require(inside, f"{name} is [{x:g}, {y:g}]: must lie in the picture, 0 … {width} across and 0 … {height} down")

    def _cell(self, point: Point) -> int:
        """The number of the cell that a point of the picture lies in."""
        scale = self._side / self._longer
        place = np.asarray([point[0] * scale + self._left, point[1] * scale + self._top]) * (self._grid / self._side)
        column, row = np.clip(place.astype(int), 0, self._grid - 1).tolist()
        return int(row * self._grid + column)


def _channels(colour: str, name: str) -> tuple[int, int, int]:
    try:
        return channels(hexadecimal(colour))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
