"""Refinement under layers, for strokes that do not depend on each other.

Notable choices:
- What comes after a candidate is not painted again but put on top of it as layers, exact up to rounding: the cost of a
  change does not grow with the program.
- In colour every candidate is given its best colour, by least squares over the layers. A quarter of the candidates are
  residual proposals, aimed at the error of the finished picture: small changes do not improve a stroke that is hidden
  under opaque paint. Without colours these proposals do not help.
"""

import math

import torch
from torch import Tensor

from limner.worlds import Renderer
from limner.worlds.observation import preprocess
from limner.worlds.paint.layers import Layer, LayerPainter, best_colours
from limner.worlds.proposals import ResidualProposals
from limner.worlds.refinement import Refinement
from limner.worlds.simulator import Simulator, negative_mse
from limner.worlds.variation import recolour


class LayeredRefinement(Refinement):
    """As ``Refinement``, for a renderer whose actions are layers (``paints_layers``)."""

    def __init__(self, renderer: Renderer, simulator: Simulator, goals: Tensor, actions: Tensor) -> None:
        super().__init__(renderer, simulator, goals, actions)
        self.painter = LayerPainter(renderer, simulator.threads)
        self.shapes = LayerPainter(simulator.renderer, simulator.threads) if renderer.actions.coloured else None
        self.layers = [self.painter.paint(action) for action in actions]

    def sweep(self, generator: torch.Generator, end: float = math.inf) -> None:
        """As ``Refinement.sweep``."""
        self._changed = list(self.layers)
        self._above = [self.painter.nothing()]  # what lies above each action, as one layer
        for layer in reversed(self.layers[1:]):
            self._above.insert(0, layer.then(self._above[0]))
        super().sweep(generator, end)

    def _choose(self, actions: Tensor, t: int, generator: torch.Generator) -> Tensor:
        candidates = self._perturbed(actions[t], generator)
        if self.shapes is not None:
            best = self._choose_coloured(self.shapes, actions[t], candidates, self._above[t], generator)
        else:
            candidates[:, 0] = actions[t]
            best = self.simulator.best(self.renderer.save(), self.goals, candidates, above=self._above[t].over)
        self._changed[t] = self.painter.paint(best)
        return best

    def _choose_coloured(
        self, shapes: LayerPainter, action: Tensor, perturbed: Tensor, above: Layer, generator: torch.Generator
    ) -> Tensor:
        """The best of ``action`` int64[B, P], residual proposals and perturbations, each in its best colour."""
        space, count, batch = self.renderer.actions, self.simulator.candidates, len(action)
        canvas, target = (preprocess(pictures, pictures.shape[1]) for pictures in (self.canvas, self.goals))
        pen = torch.zeros(batch, 2)
        proposed = ResidualProposals(space).aim(canvas, target, pen, generator, max(1, count // 4))
        candidates = torch.cat([action[:, None], proposed.view(batch, -1, len(space)), perturbed], dim=1)
        candidates = candidates[:, :count].flatten(0, 1)
        below = torch.from_numpy(self.renderer.canvas()).float()
        colours, errors = best_colours(shapes.cover(candidates), below, above, self.goals.float())
        candidates = recolour(space, candidates, colours.flatten(0, 1)).view(batch, count, -1)
        if self.simulator.objective is negative_mse:
            return candidates[torch.arange(batch), errors.argmin(dim=1)]
        candidates[:, 0] = action
        return self.simulator.best(self.renderer.save(), self.goals, candidates, above=above.over)

    def _accept(self, actions: Tensor, canvas: Tensor) -> Tensor:
        better = super()._accept(actions, canvas)
        self.layers = [new.where(better, old) for new, old in zip(self._changed, self.layers, strict=True)]
        return better
