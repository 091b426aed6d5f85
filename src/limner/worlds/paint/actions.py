"""The action spaces of the paint renderer.

Notable choices:
- The spaces differ in how places are given; size, pressure and colour are the same parts in all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from limner.actions import COLOURS, ActionSpace, Part

JUMP, PAINT, VIA = 0, 1, 2
"""Values of the part ``flag``: move with the pen lifted, paint a curve, or (splines only) add a control point."""

Space = Literal["bezier", "line", "stroke", "relative", "spline"]
"""How the actions of a painter are parametrised: see ``paint_actions``."""


def bezier_actions(
    grid: int = 32,
    sizes: Sequence[float] = (1, 2, 4, 8, 12, 24),
    pressures: int = 10,
    color: bool = False,
    levels: int = 20,
) -> ActionSpace:
    """The action space of SPIRAL (Ganin et al. 2018, section 4.2 and appendix).

    One action moves the pen along the quadratic Bézier from where it is, through ``control``, to ``end``,
    or jumps to ``end``. ``sizes`` are brush radii in pixels of a 64-pixel canvas; ``pressures`` values go
    from ``1 / pressures`` to 1; with ``color`` three parts of ``levels`` values from 0 to 1 follow.
    """
    return paint_actions("bezier", grid, sizes, pressures, color, levels)


def paint_actions(
    space: Space, grid: int, sizes: Sequence[float], pressures: int, color: bool, levels: int
) -> ActionSpace:
    """An action space of the paint renderer; all but the places are as in ``bezier_actions``.

    - ``bezier``: ``flag, end, control``, as described there.
    - ``line``: ``flag, end``. A straight line from the pen to ``end``, or a jump there.
    - ``stroke``: ``start, control, end``. Every action is a quadratic Bézier of its own, set down at ``start``: what it
      paints does not depend on where the pen was left. There is no flag, and all parts count.
    - ``relative``: ``flag, end, control`` as in ``bezier``, but ``end`` and ``control`` are offsets from the cell that
      the pen is in, up to r = ``grid // 2`` cells each way: parts of (2r + 1)² values. What lies beyond the edge of the
      canvas is moved to the cell at the edge. The pen starts in the upper left cell.
    - ``spline``: ``flag, point``. A jump starts a stroke at ``point``, VIA adds a control point to it, PAINT paints it
      all as far as its own ``point``, where the next stroke starts unless a jump comes first: the compound strokes of
      Mellor et al. 2019. The curve is a quadratic B-spline (``curves.spline``) where theirs is cubic: the
      engine paints it exactly, it never leaves the canvas, and it is a line without a control point, the curve of
      ``bezier`` with one. Control points that no PAINT follows, because a jump or the end of the program comes first,
      leave no trace.

    ``ValueError`` when there is nothing to choose from.
    """
    if grid < 2 or pressures < 1 or levels < 2 or len(sizes) < 1 or not all(0 < s < 1000 for s in sizes):
        raise ValueError(
            f"impossible action space: grid={grid} (at least 2), sizes={tuple(sizes)} (one or more, in pixels), "
            f"pressures={pressures} (at least 1), levels={levels} (at least 2)"
        )
    flagged = space != "stroke"

    def place(name: str, dependent: bool = False) -> Part:
        return Part(name, grid * grid, grid=(grid, grid), dependent=dependent)

    def offset(name: str, dependent: bool = False) -> Part:
        reach = grid // 2
        side = 2 * reach + 1
        return Part(name, side * side, (side, side), None, dependent, origin=(reach, reach))

    def scale(name: str, values: Sequence[float]) -> Part:
        return Part(name, len(values), values=tuple(values), dependent=flagged)

    places = {
        "bezier": [_flag("jump", "paint"), place("end"), place("control", dependent=True)],
        "line": [_flag("jump", "paint"), place("end")],
        "stroke": [place("start"), place("control"), place("end")],
        "spline": [_flag("jump", "paint", "via"), place("point")],
        "relative": [_flag("jump", "paint"), offset("end"), offset("control", dependent=True)],
    }
    parts = places[space]
    parts.append(scale("size", [float(size) for size in sizes]))
    parts.append(scale("pressure", [(i + 1) / pressures for i in range(pressures)]))
    if color:
        parts += [scale(name, [i / (levels - 1) for i in range(levels)]) for name in COLOURS]
    return ActionSpace(tuple(parts))


def standalone(actions: ActionSpace) -> bool:
    """Whether an action says itself where its stroke starts, so that it does not depend on where the pen was left."""
    return "start" in actions


def _flag(*verbs: str) -> Part:
    return Part("flag", len(verbs), verbs=verbs, full=("paint",))
