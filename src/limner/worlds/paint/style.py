"""How a painting is to look: another brush, paper or range of radii than the agent's own, and fewer colours."""

import re
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import ImageColor

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
    """Name of a brush, or path of a ``.myb`` file. None: the agent's."""
    opaque: bool = False
    """Strokes cover what is below them entirely."""
    paper: str = "white"
    """Colour of the ground."""
    palette: tuple[str, ...] = ()
    """Colours that strokes may have, the nearest in place of each. Empty: all."""
    grey: bool = False
    """Strokes have shades of grey."""
    radii: tuple[float, float] | None = None
    """Smallest and largest radius, in pixels of a 64-pixel canvas."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "paper", hexadecimal(self.paper))
        object.__setattr__(self, "palette", tuple(hexadecimal(colour) for colour in self.palette))
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

        palette = np.asarray([ImageColor.getrgb(colour) for colour in self.palette]) / 255
        distances = np.linalg.norm(rgb2lab(colours)[:, None] - rgb2lab(palette)[None], axis=-1)
        nearest: NDArray[np.float64] = palette[distances.argmin(1)]
        return nearest

    @property
    def limited(self) -> bool:
        """Whether not all colours are allowed."""
        return self.grey or bool(self.palette)


def hexadecimal(colour: str) -> str:
    """A CSS colour as ``#rrggbb``; ``ValueError`` when it is none."""
    try:
        red, green, blue, *_ = ImageColor.getrgb(colour)
    except ValueError:
        raise ValueError(f"{colour!r} is no colour: give a name of CSS, such as navy, or #rrggbb") from None
    return f"#{red:02x}{green:02x}{blue:02x}"


def is_grey(colour: str) -> bool:
    """Whether ``#rrggbb`` is a shade of grey."""
    return colour[1:3] == colour[3:5] == colour[5:7]


def read_palette(text: str) -> tuple[str, ...]:
    """The colours in a text: one a line as ``#rrggbb`` or a name, or a GIMP palette (``.gpl``: red, green, blue, name).

    ``ValueError`` naming the first line that is no colour, or when there is none.
    """
    lines = [line.strip() for line in text.splitlines()]
    gimp = lines[:1] == ["GIMP Palette"]
    skipped = r"#|Name:|Columns:|GIMP Palette|$" if gimp else r"//|;|$"
    colours = []
    for line in (line for line in lines if not re.match(skipped, line)):
        match = re.match(r"(\d{1,3})\s+(\d{1,3})\s+(\d{1,3})(\s|$)", line) if gimp else None
        if match and all(int(part) < 256 for part in match.groups()[:3]):
            colours.append("#" + "".join(f"{int(part):02x}" for part in match.groups()[:3]))
        else:
            bare = re.fullmatch(r"[0-9a-fA-F]{6}", line)
            colours.append(hexadecimal(f"#{line}" if bare else line))
    require(len(colours) > 0, "there is no colour in it: write one a line, such as #aa3311")
    return tuple(colours)
