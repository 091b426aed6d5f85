"""The world ``paint``: brush strokes painted by libmypaint."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from limner.actions import ActionSpace, IntArray
from limner.worlds import register
from limner.worlds.paint import _paint
from limner.worlds.paint.brushes import brush_folders, brush_names
from limner.worlds.paint.joint_programs import check_joint, joint_programs
from limner.worlds.paint.large import LargePainting
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.separate import paint_band, paint_layers
from limner.worlds.paint.settings import PaintSettings, paint_actions, standalone
from limner.worlds.paint.strokes import order_strokes, pen_strokes
from limner.worlds.paint.style import Style
from limner.worlds.stroke import Cover
from limner.worlds.world import Renderer, World

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from limner.worlds.refinement import Refinement


class PaintWorld(World):
    """Strokes cover each other: programs are refined under layers, with colours by least squares."""

    name: ClassVar[str] = "paint"
    settings_type: ClassVar[type[Any]] = PaintSettings
    renderer_type: ClassVar[type[Any]] = Paint
    style_type: ClassVar[type[Any] | None] = Style
    actions = staticmethod(paint_actions)
    strokes = staticmethod(pen_strokes)
    band = staticmethod(paint_band)
    layers = staticmethod(paint_layers)
    large_canvas = staticmethod(LargePainting)
    check_joint = staticmethod(check_joint)
    joint_programs = staticmethod(joint_programs)

    def random_programs(self, space: ActionSpace, steps: int, batch: int, generator: Generator) -> Tensor:
        """As ``World.random_programs``: small curves in several places.

        All parts are uniform but the places: those of one action lie around a centre, with a standard deviation of a
        sixth of the grid. Every other action on average has a new centre, uniform on the canvas.
        """
        import torch

        from limner.worlds.proposals import canonical, random_actions

        actions = random_actions(space, (steps, batch), generator)
        centre = torch.rand(2, batch, generator=generator)
        for t in range(steps):
            again = torch.rand(batch, generator=generator) < 0.5
            centre = torch.where(again, torch.rand(2, batch, generator=generator), centre)
            for i, part in enumerate(space.parts):
                if part.grid is not None:
                    rows, columns = part.grid
                    y, x = centre + torch.randn(2, batch, generator=generator) / 6
                    row = (y * rows).long().clamp(0, rows - 1)
                    actions[t, :, i] = row * columns + (x * columns).long().clamp(0, columns - 1)
        return canonical(space, actions)

    def order(self, space: ActionSpace, programs: Tensor) -> Tensor | None:
        """See ``order_strokes``; None unless each stroke gives its start and all have one colour.

        Dark strokes on white paint the same picture in any order, up to rounding; a reversed stroke differs a little
        where a brush depends on the direction. Colours cover each other.
        """
        import torch

        if not standalone(space) or space.coloured:
            return None
        return torch.from_numpy(order_strokes(space, programs.numpy()))

    def refinement(self, renderer: Renderer) -> type[Refinement]:
        """``LayeredRefinement`` where strokes are layers."""
        from limner.worlds.paint.refinement import LayeredRefinement, paints_layers

        return LayeredRefinement if paints_layers(renderer) else super().refinement(renderer)

    def covers(self, settings: PaintSettings) -> Callable[[IntArray], Cover | None] | None:
        """Where strokes are layers on an opaque ground."""
        from limner.worlds.paint.covers import find_covers

        return find_covers(settings)

    def units(self, settings: PaintSettings) -> dict[str, tuple[float, str]]:
        """Radii in pixels of the canvas, pressure in per cent."""
        return {"size": (settings.canvas / 64, "px"), "pressure": (100, "%")}

    def choices(self) -> dict[str, list[str]]:
        """The brushes."""
        return {"brush": brush_names()}

    def repeats_release(self, settings: PaintSettings) -> bool:
        """With the preset "deepmind-2018"."""
        return settings.preset is not None

    def facts(self) -> dict[str, Any]:
        """Version of libmypaint, and the brushes."""
        folders = [str(folder) for folder in brush_folders() if folder.is_dir()]
        return {"libmypaint": _paint.libmypaint, "brushes": len(brush_names()), "brush folders": folders}


register(PaintWorld())
