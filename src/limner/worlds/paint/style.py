"""How a painting is to look: another brush, paper or range of radii than the agent's own, and fewer colours."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from limner.extras import require_extra
from limner.worlds.colours import channels, hexadecimal, is_grey
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.validation import require
from limner.worlds.world import Canvas

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in a shade of grey (ITU-R BT.601)."""
EXACT = 256
"""Levels of a channel with which a program holds every colour of 8 bits exactly."""


@dataclass(frozen=True)
class Style:
    """What is asked of a painting. Colours are CSS names or ``#rrggbb``; ``ValueError`` names one that is neither."""

    brush: str | None = None
    """Name of a brush, or path of a ``.myb`` file. None: the agent's, or that of a search (``large.BRUSH``)."""
    opaque: bool = False
    """Strokes cover what is below them entirely."""
    paper: str = "white"
    """Colour of the ground."""
    palette: tuple[str, ...] = ()
    """Colours that strokes may have, the nearest in place of each. Empty: all. Any need the extra ``pens``."""
    grey: bool = False
    """Strokes have shades of grey."""
    radii: tuple[float, float] | None = None
    """Smallest and largest radius, in pixels of a 64-pixel canvas."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "paper", hexadecimal(self.paper))
        object.__setattr__(self, "palette", tuple(hexadecimal(colour) for colour in self.palette))
        if self.palette:
            require_extra("pens", "a palette")
        require(not (self.palette and self.grey), "palette and grey exclude each other: give one of the two")
        least, most = self.radii or (0.05, 64.0)
        require(0.05 <= least <= most <= 64, f"radii are {self.radii}: must ascend and be in 0.05 … 64")

    def settings(self, own: PaintSettings) -> PaintSettings:
        """The settings of a renderer for an agent that learnt with ``own``; ``ValueError`` when it cannot be had."""
        if not own.color:
            asked = {"palette": bool(self.palette), "paper": not is_grey(self.paper)}
            for name in (name for name, given in asked.items() if given):
                raise ValueError(f"{name}: an agent that paints in grey has no colours; name one that paints in colour")
        ground = own.ground if self.paper == "#ffffff" else self.paper
        return replace(own, brush=self.brush or own.brush, opaque=self.opaque or own.opaque, ground=ground)

    def radius(self, radius: float) -> float:
        """The radius that is allowed nearest to ``radius``, in pixels of a 64-pixel canvas."""
        return radius if self.radii is None else min(max(radius, self.radii[0]), self.radii[1])

    def goal(self, picture: Canvas) -> Canvas:
        """What to paint of ``picture`` uint8[H, W, C]."""
        if not self.grey or picture.shape[-1] != 3:
            return picture
        shades = (picture @ np.asarray(LUMA)).round().astype(np.uint8)
        return np.repeat(shades[..., None], 3, axis=-1)

    def colours(self, colours: NDArray[np.float64]) -> NDArray[np.float64]:
        """The colours that are allowed nearest to ``colours`` float64[N, 3] in [0, 1]."""
        if self.grey:
            return np.repeat((colours @ np.asarray(LUMA))[:, None], 3, axis=1)
        if not self.palette:
            return colours
        from skimage.color import rgb2lab

        palette = np.asarray([channels(colour) for colour in self.palette]) / 255
        distances = np.linalg.norm(rgb2lab(colours)[:, None] - rgb2lab(palette)[None], axis=-1)
        nearest: NDArray[np.float64] = palette[distances.argmin(1)]
        return nearest

    @property
    def limited(self) -> bool:
        """Whether not all colours are allowed."""
        return self.grey or bool(self.palette)
