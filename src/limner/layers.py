"""Layers: what a stroke adds to whatever lies below it.

Paint covers: a pixel under a stroke becomes ``keep · below + add``, whatever it was. So a stroke that is painted once
on a transparent ground is known on every ground, strokes on top of each other are one layer again, and a change deep in
a program can be judged without painting anew what lies above.

Notable choices:
- This holds for strokes that do not depend on where the pen was (``ActionSpace.standalone``), and up to the rounding
  to 8 bits. Brushes that smudge or erase break it: who judges by layers looks at the real picture in the end.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from limner.renderers import Renderer, make_renderer


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

    def best_colours(self, below: Tensor, above: Layer, goals: Tensor) -> tuple[Tensor, Tensor]:
        """The colours ``float32[N, M, C]``, 0 … 1, in which strokes bring their pictures closest to their goals.

        And the squared errors then ``[N, M]``, summed over the picture, 0 … 255. By least squares. This layer holds M
        strokes of one colour each for each of N canvases, one after the other; they are put on ``below`` and under
        ``above``, all ``[N, H, W, C]``, 0 … 255.
        """
        through = self.keep.view(len(goals), -1, *self.keep.shape[1:]) * above.keep[:, None]
        cover = above.keep[:, None] - through
        missing = (goals - above.add)[:, None] - below[:, None] * through
        wanted = torch.einsum("nmhwi,nmhwc->nmc", cover, missing)
        covered = cover.square().sum((2, 3))
        ink = (wanted / covered.clamp(min=1e-6)).clamp_(0, 255)
        errors = missing.square().sum((2, 3)) - 2 * ink * wanted + ink.square() * covered
        return ink / 255, errors.sum(-1)


class LayerPainter:
    """Paints single actions as layers, for canvases like those of a renderer."""

    def __init__(self, stage: Renderer, threads: int) -> None:
        """``stage`` is a painter of standalone strokes on white: see ``paints_layers``."""
        self.renderer = make_renderer(stage.settings() | {"ground": "transparent"}, stage.batch, threads)

    def paint(self, actions: Tensor) -> Layer:
        """The layers of ``actions`` int64[N, P]."""
        self.renderer.reset()
        self.renderer.step(actions.numpy())
        picture = torch.from_numpy(self.renderer.canvas()).float()
        cover = picture[..., -1:] / 255
        return Layer(1 - cover, picture[..., :-1] * cover)

    def nothing(self) -> Layer:
        """Empty layers."""
        batch, height, width, channels = (self.renderer.batch, *self.renderer.shape)
        return Layer(torch.ones(batch, height, width, 1), torch.zeros(batch, height, width, channels - 1))


def paints_layers(stage: Renderer) -> bool:
    """Whether what an action paints on ``stage`` is a layer."""
    return stage.actions.standalone and stage.settings().get("ground") == "white"
