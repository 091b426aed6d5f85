"""Settings and action space of the toy renderer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from limner.actions import ActionSpace, Part
from limner.worlds.validation import check_fields, require
from limner.worlds.world import Settings

JUMP, PAINT = 0, 1
"""Values of the part ``flag``."""


@dataclass(frozen=True)
class ToySettings(Settings):
    """Everything that decides the pixels."""

    name: ClassVar[str] = "toy"
    canvas: int = 32
    """Height and width in pixels, 8 to 1024."""
    grid: int = 8
    """Rows and columns of the locations, 2 to ``canvas``."""
    sizes: tuple[float, ...] = (2.0, 4.0)
    """Radii in pixels of a 64-pixel canvas."""
    pressures: int = 4
    """Number of opacities, from ``1 / pressures`` to 1."""

    def __post_init__(self) -> None:
        ranges = {"canvas": (8, 1024), "grid": (2, 1024), "sizes": (0, 1000), "pressures": (1, 1000)}
        check_fields(self, "renderer.", within=ranges)
        require(self.grid <= self.canvas, f"renderer.grid is {self.grid}: must be at most the canvas, {self.canvas}")
        object.__setattr__(self, "sizes", tuple(float(size) for size in self.sizes))


def toy_actions(settings: ToySettings) -> ActionSpace:
    """``flag, end, control, size, pressure``, as SPIRAL's in grey: after a jump only the first two count."""
    grid, pressures = (settings.grid, settings.grid), settings.pressures
    opacities = tuple((i + 1) / pressures for i in range(pressures))
    return ActionSpace(
        (
            Part("flag", 2, verbs=("jump", "paint"), full=("paint",)),
            Part("end", settings.grid**2, grid),
            Part("control", settings.grid**2, grid, dependent=True),
            Part("size", len(settings.sizes), values=settings.sizes, dependent=True),
            Part("pressure", pressures, values=opacities, dependent=True),
        )
    )
