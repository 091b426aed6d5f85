"""Settings and action spaces of the paint renderer."""

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from limner.actions import COLOURS, ActionSpace, Part
from limner.worlds.colours import is_grey
from limner.worlds.validation import check_fields, require
from limner.worlds.world import Settings

JUMP, PAINT, VIA = 0, 1, 2
"""Values of the part ``flag``: move with the pen lifted, paint a curve, or (splines only) add a control point."""

Space = Literal["bezier", "line", "stroke", "relative", "spline"]
"""How the places of an action are given: see ``paint_actions``."""


@dataclass(frozen=True)
class PaintSettings(Settings):
    """Canvas, brush and action space."""

    name: ClassVar[str] = "paint"
    since: ClassVar[dict[str, int]] = {"opaque": 2}
    """Settings that programs of earlier schemas do not have, and the schema that they came with."""
    canvas: int = 64
    """Height and width in pixels, 64 … 8192."""
    brush: str = "classic/pen"
    """Name of a brush of MyPaint's 1.0 set, or path to a ``.myb`` file."""
    color: bool = False
    """Paint in colour: the action gains ``red, green, blue``, the canvas three channels instead of one."""
    ground: str = "white"
    """white, transparent or a colour #rrggbb, grey unless in colour. A transparent ground adds an alpha channel;
    colours are then not multiplied by alpha."""
    space: Space = "bezier"
    """What an action paints: a curve or a line from the pen, a stroke of its own, a curve by offsets from the pen, or a
    spline of points given by earlier actions: see ``paint_actions``."""
    grid: int = 32
    """Cells along each side of the grid that places are chosen from, 2 … 4096; they may be smaller than pixels."""
    sizes: tuple[float, ...] = (1, 2, 4, 8, 12, 24)
    """Brush radii in pixels of a 64-pixel canvas, 0.05 … 64. libmypaint limits radii to 0.2 … 1000 pixels (of a canvas
    of 2048 at most; larger ones are scaled). Pressure can make a stroke wider than its radius."""
    pressures: int = 10
    """Number of pressures, from ``1 / pressures`` to 1."""
    levels: int = 20
    """Number of values of each colour channel, from 0 to 1."""
    events: int = 50
    """Pen events per curve, 0.1 s each."""
    opaque: bool = False
    """The brush covers entirely, whatever its file and the pressure say."""
    preset: Literal["deepmind-2018"] | None = None
    """Repeat the released SPIRAL environment where it deviates from its paper.

    A grid cell means its upper left corner, not its centre; after a jump to (x, y) the next curve starts at (y, y); and
    colours are divided by alpha even on white, which shows only with brushes that erase. (That environment's action
    mask at the first step and its 19 actions concern episodes, not painting.)
    """

    def __post_init__(self) -> None:
        ranges = {"canvas": (64, 8192), "grid": (2, 4096), "sizes": (0.05, 64), "pressures": (1, 1000)}
        check_fields(self, "renderer.", within=ranges | {"levels": (2, 256), "events": (1, 1000)})
        shown = re.fullmatch("#[0-9a-f]{6}", self.ground) is not None and (self.color or is_grey(self.ground))
        need = "'white', 'transparent' or a colour #rrggbb, grey unless color is set"
        known = self.ground in ("white", "transparent")
        require(known or shown, f"renderer.ground is {self.ground!r}: must be {need}")
        require(
            self.preset is None or self.space == "bezier",
            f"renderer.space is {self.space!r}: must be 'bezier' with preset {self.preset!r}",
        )


def paint_actions(settings: PaintSettings = PaintSettings()) -> ActionSpace:
    """The action space: the places of ``settings.space``, then ``size``, ``pressure`` and, in colour, three channels.

    - ``bezier`` (Ganin et al. 2018, section 4.2 and appendix): ``flag, end, control``. The quadratic Bézier from the
      pen through ``control`` to ``end``, or a jump to ``end``.
    - ``line``: ``flag, end``. A straight line from the pen to ``end``, or a jump there.
    - ``stroke``: ``start, control, end``. A quadratic Bézier of its own: what it paints does not depend on where the
      pen was left. There is no flag, and all parts count.
    - ``relative``: ``flag, end, control`` as in ``bezier``, but ``end`` and ``control`` are offsets from the pen's
      cell, up to r = ``grid // 2`` cells each way: parts of (2r + 1)² values. Places beyond the edge of the canvas are
      moved to the cell at the edge. The pen starts in the upper left cell.
    - ``spline``: ``flag, point``. A jump starts a stroke at ``point``, VIA adds a control point to it, PAINT paints it
      all as far as its own ``point``, where the next stroke starts unless a jump comes first: the compound strokes of
      Mellor et al. 2019. The curve is a quadratic B-spline (``curves.spline``) where theirs is cubic: the engine paints
      it exactly, it never leaves the canvas, and it is a line without a control point, the curve of ``bezier`` with
      one. Control points that no PAINT follows, because a jump or the end of the program comes first, have no effect.
    """
    flagged, relative = settings.space != "stroke", settings.space == "relative"
    side = settings.grid // 2 * 2 + 1 if relative else settings.grid
    origin = (side // 2, side // 2) if relative else (0, 0)

    def flag(*verbs: str) -> Part:
        return Part("flag", len(verbs), verbs=verbs, full=("paint",))

    def place(name: str, dependent: bool = False) -> Part:
        return Part(name, side * side, (side, side), dependent=dependent, origin=origin)

    def scale(name: str, values: list[float]) -> Part:
        return Part(name, len(values), values=tuple(values), dependent=flagged)

    bezier = [flag("jump", "paint"), place("end"), place("control", dependent=True)]
    parts = {
        "bezier": bezier,
        "relative": bezier,
        "line": [flag("jump", "paint"), place("end")],
        "stroke": [place("start"), place("control"), place("end")],
        "spline": [flag("jump", "paint", "via"), place("point")],
    }[settings.space]
    parts.append(scale("size", [float(size) for size in settings.sizes]))
    parts.append(scale("pressure", [(i + 1) / settings.pressures for i in range(settings.pressures)]))
    if settings.color:
        parts += [scale(name, [i / (settings.levels - 1) for i in range(settings.levels)]) for name in COLOURS]
    return ActionSpace(tuple(parts))


def standalone(actions: ActionSpace) -> bool:
    """Whether an action gives the start of its stroke, so that it does not depend on where the pen was left."""
    return "start" in actions
