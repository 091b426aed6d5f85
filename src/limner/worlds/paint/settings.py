"""Settings of the paint renderer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from limner.worlds.paint.actions import Space
from limner.worlds.validation import check_fields, require
from limner.worlds.world import Settings


@dataclass(frozen=True)
class PaintSettings(Settings):
    """What to paint with, and on what."""

    name: ClassVar[str] = "paint"
    canvas: int = 64
    """Height and width in pixels, 64 … 4096."""
    brush: str = "classic/pen"
    """Name of a brush of MyPaint's 1.0 set, or path to a ``.myb`` file."""
    color: bool = False
    """Paint in colour: the action gains ``red, green, blue``, the canvas three channels instead of one."""
    ground: Literal["white", "transparent"] = "white"
    """A transparent ground adds an alpha channel; colours are then not multiplied by alpha."""
    space: Space = "bezier"
    """What an action paints: a curve or a line from the pen, a stroke of its own, a curve by offsets from the pen, or a
    spline of points given by earlier actions. ``actions.paint_actions`` defines it."""
    grid: int = 32
    """Cells along each side of the grid that places are chosen from, 2 … 4096; they may be smaller than pixels."""
    sizes: tuple[float, ...] = (1, 2, 4, 8, 12, 24)
    """Brush radii in pixels of a 64-pixel canvas. libmypaint paints none below 0.2 real pixels (of 2048 at most, larger
    canvases being that, scaled) or above 1000; with pressure a stroke may be wider than this."""
    pressures: int = 10
    """Number of pressures, from ``1 / pressures`` to 1."""
    levels: int = 20
    """Number of values of each colour channel, from 0 to 1."""
    events: int = 50
    """Pen events per curve, 0.1 s each."""
    preset: Literal["deepmind-2018"] | None = None
    """Repeat the released SPIRAL environment where it deviates from its paper.

    A grid cell means its upper left corner, not its centre; after a jump to (x, y) the next curve starts at (y, y); and
    colours are divided by alpha even on white, which only shows with brushes that erase. (That environment's action
    mask at the first step and its 19 actions concern episodes, not painting.)
    """

    def __post_init__(self) -> None:
        ranges = {"canvas": (64, 4096), "grid": (2, 4096), "sizes": (0.05, 64), "pressures": (1, 1000)}
        check_fields(self, "renderer.", within=ranges | {"levels": (2, 256), "events": (1, 1000)})
        require(
            self.preset is None or self.space == "bezier",
            f"renderer.space is {self.space!r}: must be 'bezier' with preset {self.preset!r}",
        )
