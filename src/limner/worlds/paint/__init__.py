"""The world ``paint``: brush strokes in a real paint engine, libmypaint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from limner.actions import ActionSpace, IntArray
from limner.worlds import register
from limner.worlds.paint.actions import paint_actions
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.world import LargeCanvas, Points, Renderer, World

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from limner.worlds.observation import Targets
    from limner.worlds.proposals import Proposer
    from limner.worlds.refinement import Refinement
    from limner.worlds.simulator import Simulator


class PaintWorld(World):
    """Strokes cover each other: programs are refined under layers, with colours by least squares."""

    name: ClassVar[str] = "paint"
    settings_type: ClassVar[type[Any]] = PaintSettings

    def make(self, settings: PaintSettings, batch: int, threads: int) -> Renderer:
        """As ``World.make``; ``ValueError`` when there is no such brush."""
        from limner.worlds.paint.renderer import Paint

        return Paint(settings, batch, threads)

    def actions(self, settings: PaintSettings) -> ActionSpace:
        """See ``paint_actions``."""
        return paint_actions(
            settings.space, settings.grid, settings.sizes, settings.pressures, settings.color, settings.levels
        )

    def random_programs(self, space: ActionSpace, steps: int, batch: int, generator: torch.Generator) -> Tensor:
        """Small curves here and there: see ``programs.random_curves``."""
        from limner.worlds.paint.programs import random_curves

        return random_curves(space, steps, batch, generator)

    def order(self, space: ActionSpace, programs: Tensor) -> Tensor | None:
        """Strokes from the upper left on to the nearest end: see ``stroke_order``."""
        from limner.worlds.paint.stroke_order import can_order_strokes, order_strokes

        return order_strokes(space, programs) if can_order_strokes(space) else None

    def refine(
        self, renderer: Renderer, simulator: Simulator, targets: Targets, actions: Tensor, proposer: Proposer
    ) -> Refinement:
        """Under layers where strokes are layers."""
        from limner.worlds.paint.layers import paints_layers
        from limner.worlds.paint.refinement import LayeredRefinement

        if paints_layers(renderer):
            return LayeredRefinement(renderer, simulator, targets.goal, actions)
        return super().refine(renderer, simulator, targets, actions, proposer)

    def repeats_release(self, settings: PaintSettings) -> bool:
        """With the preset "deepmind-2018"."""
        return settings.preset is not None

    def strokes(self, settings: PaintSettings, actions: IntArray) -> list[Points] | None:
        """See ``strokes.pen_strokes``."""
        from limner.worlds.paint.strokes import pen_strokes

        return pen_strokes(settings, actions)

    def large_canvas(self, settings: PaintSettings, detail: int) -> LargeCanvas:
        """See ``large.LargePainting``; ``ValueError`` unless strokes are standalone, on white, and not too fine."""
        from limner.worlds.paint.large import LargePainting

        return LargePainting(settings, detail)

    def facts(self) -> dict[str, Any]:
        """Version of the engine, and the brushes."""
        from limner.worlds.paint import _paint
        from limner.worlds.paint.brushes import brush_folders, brush_names

        folders = [str(folder) for folder in brush_folders() if folder.is_dir()]
        return {"libmypaint": _paint.libmypaint, "brushes": len(brush_names()), "brush folders": folders}


register(PaintWorld())
