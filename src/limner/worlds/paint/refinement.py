"""Refinement under layers, for strokes that do not depend on each other.

A pixel under a stroke becomes ``keep · below + add``, whatever it was. So a stroke that is painted once on a
transparent ground is known on every ground, and a stack of strokes is one layer again. This holds for standalone
strokes, up to rounding to 8 bits. Brushes that smudge or erase break it, so the real picture is scored at the end of a
sweep.

Later strokes are put on top of a candidate as layers, so the cost of a change does not grow with the program. In colour
every candidate is given its best colour, by least squares over the layers, and a quarter of the candidates are residual
proposals: small changes do not improve a stroke that is hidden under opaque paint.
"""

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Generator, Tensor

from limner.worlds import Renderer, make_renderer
from limner.worlds.observation import Targets, preprocess
from limner.worlds.paint.settings import standalone
from limner.worlds.proposals import Proposer, ResidualProposals, recolour
from limner.worlds.refinement import Refinement
from limner.worlds.simulator import Simulator, negative_mse


@dataclass(frozen=True)
class Layer:
    """One layer on each of N canvases."""

    keep: Tensor
    """``float32[N, H, W, 1]``: share of what lies below that still shows."""
    add: Tensor
    """``float32[N, H, W, C]``, 0 … 255."""

    def over(self, below: Tensor) -> Tensor:
        """Canvases ``below`` uint8[N, M, H, W, C], M for each layer, with the layer on top."""
        above = (below * self.keep[:, None]).add_(self.add[:, None])
        return above.round_().clamp_(0, 255).to(torch.uint8)

    def then(self, upper: Self) -> Self:
        """This layer and one above it, as one."""
        return type(self)(self.keep * upper.keep, self.add * upper.keep + upper.add)

    def where(self, rows: Tensor, other: Self) -> Self:
        """This layer in ``rows`` bool[N], ``other`` elsewhere."""
        chosen = rows[:, None, None, None]
        return type(self)(torch.where(chosen, self.keep, other.keep), torch.where(chosen, self.add, other.add))


def best_colours(cover: Tensor, below: Tensor, above: Layer, goals: Tensor) -> tuple[Tensor, Tensor]:
    """The colours of strokes that bring pictures closest to their goals, by least squares, and the errors then.

    ``cover`` float32[N·M, H, W, 1] is the opacity of M candidate strokes for each of N canvases, those of one canvas
    next to each other. They lie between ``below`` and ``above``; these and ``goals`` are ``[N, H, W, C]``, 0 … 255.
    Colours are ``float32[N, M, C]`` in [0, 1]; errors ``[N, M]`` are squared, of values 0 … 255, and summed.
    """
    shown = cover.view(len(goals), -1, cover[0].numel()) * above.keep.view(len(goals), 1, -1)
    ground = below.flatten(1, 2)
    missing = (goals - above.add).flatten(1, 2) - ground * above.keep.flatten(1, 2)
    # A stroke adds shown · colour and removes shown · ground, so the colour has to fit missing + shown · ground.
    squares = shown.square()
    once = shown @ torch.cat([missing, (missing * ground).sum(2, keepdim=True)], dim=2)
    twice = squares @ torch.cat([ground, ground.square().sum(2, keepdim=True)], dim=2)
    wanted, covered = once[..., :-1] + twice[..., :-1], squares.sum(2, keepdim=True)
    colours = (wanted / covered.clamp(min=1e-6)).clamp_(0, 255)
    errors = missing.square().sum((1, 2))[:, None] + 2 * once[..., -1] + twice[..., -1]
    return colours / 255, errors + (colours.square() * covered - 2 * colours * wanted).sum(2)


class LayerPainter:
    """Paints single actions as layers, for canvases like those of a renderer."""

    def __init__(self, renderer: Renderer, threads: int) -> None:
        """``renderer`` has to satisfy ``paints_layers``."""
        self.renderer = make_renderer(renderer.settings() | {"ground": "transparent"}, renderer.batch, threads)

    def paint(self, actions: Tensor) -> Layer:
        """The layers of ``actions`` int64[N, P]."""
        picture = self._picture(actions).float()
        cover = picture[..., -1:] / 255
        return Layer(1 - cover, picture[..., :-1] * cover)

    def cover(self, actions: Tensor) -> Tensor:
        """Opacity ``float32[N, H, W, 1]`` in [0, 1] of what ``actions`` int64[N, P] paint."""
        return self._picture(actions)[..., -1:] / 255

    def nothing(self) -> Layer:
        """Empty layers."""
        batch, height, width, channels = (self.renderer.batch, *self.renderer.shape)
        return Layer(torch.ones(batch, height, width, 1), torch.zeros(batch, height, width, channels - 1))

    def _picture(self, actions: Tensor) -> Tensor:
        self.renderer.reset()
        self.renderer.step(actions.numpy())
        return torch.from_numpy(self.renderer.canvas())


def paints_layers(renderer: Renderer) -> bool:
    """Whether an action on ``renderer`` paints a layer: a standalone stroke on white."""
    return standalone(renderer.actions) and renderer.settings().get("ground") != "transparent"


class LayeredRefinement(Refinement):
    """As ``Refinement``, for a renderer whose actions are layers (``paints_layers``)."""

    def __init__(
        self, renderer: Renderer, simulator: Simulator, targets: Targets, actions: Tensor, proposer: Proposer
    ) -> None:
        super().__init__(renderer, simulator, targets, actions, proposer)
        self.painter = LayerPainter(renderer, simulator.threads)
        self.shapes = LayerPainter(simulator.renderer, simulator.threads) if renderer.actions.coloured else None
        self.layers = [self.painter.paint(action) for action in actions]

    def sweep(self, generator: Generator, end: float = math.inf) -> None:
        """As ``Refinement.sweep``."""
        self._changed = list(self.layers)
        self._above = [self.painter.nothing()]  # what lies above each action, as one layer
        for layer in reversed(self.layers[1:]):
            self._above.insert(0, layer.then(self._above[0]))
        super().sweep(generator, end)

    def _choose(self, actions: Tensor, t: int, generator: Generator) -> Tensor:
        candidates = self._perturbed(actions[t], generator)
        if self.shapes is not None:
            best = self._choose_coloured(self.shapes, actions[t], candidates, self._above[t], generator)
        else:
            candidates[:, 0] = actions[t]
            best = self.simulator.best(self.renderer.save(), self.goals, candidates, above=self._above[t].over)
        self._changed[t] = self.painter.paint(best)
        return best

    def _choose_coloured(
        self, shapes: LayerPainter, action: Tensor, perturbed: Tensor, above: Layer, generator: Generator
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
