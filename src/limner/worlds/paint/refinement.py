"""Refinement: a finished program is changed here and there, and what brings the picture closer stays.

Notable choices:
- All programs of a batch have the same length and are refined side by side, in sweeps: the first action of each is
  varied, the best variation done, then the second, and so on.
- A variation is judged by the finished picture. What comes after it is not painted again but laid over it, as layers,
  where these are exact but for rounding (``layers``): the cost of a change does not grow with the program.
- In colour, every variation is given the colour that suits it best, by least squares over the layers. And a quarter of
  them are chance's, aimed at what the finished picture misses: opaque paint may have left a stroke useless, which no
  small change mends. Without colours that does not help.
- A sweep counts only where the picture that it really painted is closer than before.
- Programs that place objects are refined in another way: see ``limner.worlds.scenes.refinement``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import torch
from torch import Tensor

from limner.agents.rollout import paint
from limner.search.lookahead import Simulator, likeness, recolour, vary
from limner.worlds.observation import preprocess
from limner.worlds.paint.layers import Layer, LayerPainter, best_colours, paints_layers
from limner.worlds.proposals import ResidualProposals
from limner.worlds.world import Renderer


class Refinement:
    """Programs that get closer to their goals, ``uint8[B, H, W, C]``, as long as there is time."""

    def __init__(
        self, renderer: Renderer, simulator: Simulator, goals: Tensor, actions: Tensor, threads: int = 1
    ) -> None:
        """``actions`` int64[T, B, P] are canonical; ``renderer`` has a canvas for each of the B programs."""
        self.renderer, self.simulator, self.goals = renderer, simulator, goals
        self.actions = actions.clone()
        self.painter = LayerPainter(renderer, threads) if paints_layers(renderer) else None
        coloured = self.painter is not None and renderer.actions.coloured
        self.shapes = LayerPainter(simulator.renderer, threads) if coloured else None
        self.layers = [self.painter.paint(action) for action in actions] if self.painter else []
        self.canvas = paint(renderer, actions)
        self.scores = simulator.score(self.canvas, goals)

    def run(self, seconds: float, generator: torch.Generator, stop: threading.Event | None = None) -> None:
        """Try changes for about so many seconds, or until ``stop`` is set."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end and not (stop and stop.is_set()):
            self.sweep(generator, end)

    @torch.no_grad()
    def sweep(self, generator: torch.Generator, end: float = float("inf")) -> None:
        """Try variations of every action once, as many as the simulator has copies; after ``end`` leave the rest."""
        actions, layers, above = self.actions.clone(), list(self.layers), self._above()
        self.renderer.reset()
        for t in range(len(actions)):
            if time.perf_counter() < end:
                later = () if self.painter else list(actions[t + 1 :])
                actions[t] = self._choose(actions[t], later, above[t], generator)
                if self.painter:
                    layers[t] = self.painter.paint(actions[t])
            self.renderer.step(actions[t].numpy())
        canvas = torch.from_numpy(self.renderer.canvas())
        scores = self.simulator.score(canvas, self.goals)
        better = scores > self.scores
        self.actions = torch.where(better[:, None], actions, self.actions)
        self.layers = [new.where(better, old) for new, old in zip(layers, self.layers, strict=True)]
        self.canvas = torch.where(better[:, None, None, None], canvas, self.canvas)
        self.scores = torch.where(better, scores, self.scores)

    def _choose(
        self, action: Tensor, later: Sequence[Tensor], above: Layer | None, generator: torch.Generator
    ) -> Tensor:
        """The best of ``action`` int64[B, P] and its variations on the canvases as they are."""
        tries = self.simulator.tries
        varied = vary(self.renderer.actions, action.repeat_interleave(tries, dim=0), generator)
        if self.shapes is not None and above is not None:
            return self._choose_coloured(self.shapes, action, varied, above, generator)
        tried = torch.cat([action[:, None], varied.view(len(action), tries, -1)[:, 1:]], dim=1)
        return self.simulator.best(self.renderer.save(), self.goals, tried, later, above)[0]

    def _choose_coloured(
        self, shapes: LayerPainter, action: Tensor, varied: Tensor, above: Layer, generator: torch.Generator
    ) -> Tensor:
        """The same with chance's proposals, each in the colour that suits it best."""
        space, tries, batch = self.renderer.actions, self.simulator.tries, len(action)
        ink, target = (preprocess(pictures, pictures.shape[1]) for pictures in (self.canvas, self.goals))
        fresh = ResidualProposals(space).aim(ink, target, torch.zeros(batch, 2), generator, max(1, tries // 4))
        proposed = [actions.view(batch, -1, len(space)) for actions in (action, fresh, varied)]
        tried = torch.cat(proposed, dim=1)[:, :tries].flatten(0, 1)
        below = torch.from_numpy(self.renderer.canvas()).float()
        colours, errors = best_colours(shapes.cover(tried), below, above, self.goals.float())
        tried = recolour(space, tried, colours.flatten(0, 1)).view(batch, tries, -1)
        if self.simulator.score is likeness:
            return tried[torch.arange(batch), errors.argmin(dim=1)]
        tried[:, 0] = action
        return self.simulator.best(self.renderer.save(), self.goals, tried, (), above)[0]

    def _above(self) -> list[Layer | None]:
        """What lies above each action, as one layer; None where it has to be painted."""
        if not self.painter:
            return [None] * len(self.actions)
        above = [self.painter.nothing()]
        for layer in reversed(self.layers[1:]):
            above.append(layer.then(above[-1]))
        return list(reversed(above))
