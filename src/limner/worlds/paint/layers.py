"""Layers: what a stroke adds to whatever lies below it.

Paint covers: a pixel under a stroke becomes ``keep · below + add``, whatever it was. So a stroke that is painted once
on a transparent ground is known on every ground, strokes on top of each other are one layer again, and a change deep in
a program can be scored without painting again what lies above.

Notable choices:
- This holds for strokes that do not depend on where the pen was (``actions.standalone``), up to rounding to 8 bits.
  Brushes that smudge or erase break it, so a refinement scores the real picture at the end of a sweep.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from limner.worlds import Renderer, make_renderer
from limner.worlds.paint.actions import standalone


@dataclass(frozen=True)
class Layer:
    """One layer on each of N canvases."""

    keep: Tensor
    """``float32[N, H, W, 1]``: share of what lies below that still shows."""
    add: Tensor
    """``float32[N, H, W, C]``, 0 … 255."""

    def over(self, below: Tensor) -> Tensor:
        """Canvases ``uint8[N, M, H, W, C]``, M for each layer, with it on top."""
        above = (below * self.keep[:, None]).add_(self.add[:, None])
        return above.round_().clamp_(0, 255).to(torch.uint8)

    def then(self, upper: Layer) -> Layer:
        """This layer and one above it, as one."""
        return Layer(self.keep * upper.keep, self.add * upper.keep + upper.add)

    def where(self, rows: Tensor, other: Layer) -> Layer:
        """This layer in ``rows`` bool[N], ``other`` elsewhere."""
        chosen = rows[:, None, None, None]
        return Layer(torch.where(chosen, self.keep, other.keep), torch.where(chosen, self.add, other.add))


def best_colours(cover: Tensor, below: Tensor, above: Layer, goals: Tensor) -> tuple[Tensor, Tensor]:
    """The colours ``float32[N, M, C]``, 0 … 1, in which strokes bring their pictures closest to their goals.

    And the squared errors then ``[N, M]``, summed over the picture, 0 … 255. By least squares. ``cover``
    ``float32[N·M, H, W, 1]`` is what M strokes of one colour each cover of each of N canvases, one after the other;
    they are put on ``below`` and under ``above``, all ``[N, H, W, C]``, 0 … 255.
    """
    seen = cover.view(len(goals), -1, cover[0].numel()) * above.keep.view(len(goals), 1, -1)
    ground = below.flatten(1, 2)
    missing = (goals - above.add).flatten(1, 2) - ground * above.keep.flatten(1, 2)
    # A stroke adds its ink where it is seen and takes away the ground: missing + seen · ground is left to explain.
    squares = seen.square()
    once = seen @ torch.cat([missing, (missing * ground).sum(2, keepdim=True)], dim=2)
    twice = squares @ torch.cat([ground, ground.square().sum(2, keepdim=True)], dim=2)
    wanted, covered = once[..., :-1] + twice[..., :-1], squares.sum(2, keepdim=True)
    ink = (wanted / covered.clamp(min=1e-6)).clamp_(0, 255)
    errors = missing.square().sum((1, 2))[:, None] + 2 * once[..., -1] + twice[..., -1]
    return ink / 255, errors + (ink.square() * covered - 2 * ink * wanted).sum(2)


class LayerPainter:
    """Paints single actions as layers, for canvases like those of a renderer."""

    def __init__(self, renderer: Renderer, threads: int) -> None:
        """``renderer`` paints standalone strokes on white: see ``paints_layers``."""
        self.renderer = make_renderer(renderer.settings() | {"ground": "transparent"}, renderer.batch, threads)

    def paint(self, actions: Tensor) -> Layer:
        """The layers of ``actions`` int64[N, P]."""
        picture = self._picture(actions).float()
        cover = picture[..., -1:] / 255
        return Layer(1 - cover, picture[..., :-1] * cover)

    def cover(self, actions: Tensor) -> Tensor:
        """What each of ``actions`` int64[N, P] covers, ``float32[N, H, W, 1]``, 0 … 1."""
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
    """Whether what an action paints on ``renderer`` is a layer."""
    return standalone(renderer.actions) and renderer.settings().get("ground") == "white"
