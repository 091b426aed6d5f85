"""A painting as a stack of layers, so that any of its strokes can be taken out, changed or recoloured.

A pixel under a stroke of one colour becomes ``(1 - cover) · below + cover · colour``, whatever it was: a stroke that is
painted once on a transparent ground is known on every ground. So the picture is linear in the colours of all strokes
once their shapes are fixed.

Everything is kept at several scales, by powers of two, as wide strokes need fewer pixels than narrow ones: at a scale
of n the canvas is n × ``SIDE`` pixels wide. Boxes are aligned to what is one pixel at the scale of 1.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from limner.actions import IntArray
from limner.worlds.paint.settings import PaintSettings, paint_actions
from limner.worlds.world import Canvas

Floats = NDArray[np.float32]
Box = tuple[int, int, int, int]
"""Top, left, bottom and right, in pixels of a scale."""

SIDE = 64
"""Pixels along each side at the scale of 1."""
CLOSE = 1.0
"""Mean squared error, of all channels together, in a box where the strokes are left as they are."""


@dataclass(frozen=True)
class Layer:
    """A stroke that has been painted."""

    action: IntArray
    """``int64[P]`` of the large canvas; its colour does not count."""
    colour: Floats
    """``float32[C]``, 0 … 255."""
    box: Box
    """In pixels of the finest scale: outside of it nothing is covered."""
    covers: dict[int, Floats]
    """Opacity ``float32[h, w]`` in [0, 1] in the box, by scale."""
    scale: int
    """That the stroke was searched at."""

    def part(self, scale: int, box: Box) -> tuple[tuple[slice, slice], Floats] | None:
        """Where in ``box``, in pixels of ``scale``, something is covered, and how much; None: nowhere."""
        factor = max(self.covers) // scale
        own = [edge // factor for edge in self.box]
        top, left, bottom, right = (pick(a, b) for pick, a, b in zip((max, max, min, min), own, box, strict=True))
        if top >= bottom or left >= right:
            return None
        cover = self.covers[scale][top - own[0] : bottom - own[0], left - own[1] : right - own[1]]
        return np.s_[top - box[0] : bottom - box[0], left - box[1] : right - box[1]], cover


class Surroundings(NamedTuple):
    """What lies below a stroke and above it, in a box of h × w pixels."""

    below: Floats
    """``float32[h, w, C]``, 0 … 255."""
    keep: Floats
    """``float32[h, w]``: share of the stroke that is not hidden."""
    add: Floats
    """``float32[h, w, C]``: what hides the rest."""

    @classmethod
    def on_top(cls, below: Floats) -> Self:
        """Of a stroke that nothing hides."""
        return cls(below, np.ones(below.shape[:2], np.float32), np.zeros_like(below))


class Stack:
    """Strokes on a ground, beside the goal that they are to come close to."""

    def __init__(self, goal: Canvas, weights: NDArray[np.float64], ground: Canvas) -> None:
        """``goal`` and ``ground`` are ``uint8[S, S, C]``, S a power of two times ``SIDE``; errors count by ``weights``.

        These are ``float64[S, S]`` in [0, 1].
        """
        self.finest = len(goal) // SIDE
        self.scales = [2**i for i in range(self.finest.bit_length())]
        self.layers: list[Layer] = []
        self.boxes = np.zeros((0, 4), np.int64)
        """Of all layers, ``int64[N, 4]``."""
        shares = weights.astype(np.float32)[..., None]
        self.weights = {scale: pool(shares, self.finest // scale) for scale in self.scales}
        self.goals = {scale: pool(goal * shares, self.finest // scale) for scale in self.scales}
        for scale in self.scales:
            self.goals[scale] /= np.maximum(self.weights[scale], 1e-6)
        self._ground = {scale: pool(ground.astype(np.float32), self.finest // scale) for scale in self.scales}
        self.canvases = {scale: picture.copy() for scale, picture in self._ground.items()}
        """The picture, ``float32[n · SIDE, n · SIDE, C]`` by scale n."""

    def error(self, scale: int) -> Floats:
        """Weighted squared error ``float32[n · SIDE, n · SIDE]`` of the picture at a scale n."""
        error: Floats = (np.square(self.goals[scale] - self.canvases[scale]) * self.weights[scale]).sum(-1)
        return error

    def missing(self) -> IntArray:
        """The strokes in whose boxes the picture is not ``CLOSE`` to its goal, ascending."""
        sums = np.pad(self.error(self.finest), ((1, 0), (1, 0))).cumsum(0, np.float64).cumsum(1)
        top, left, bottom, right = self.boxes.T
        there = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
        return np.flatnonzero(there > CLOSE * (bottom - top) * (right - left))

    def push(self, layer: Layer) -> None:
        """Put a stroke on top."""
        self.layers.append(layer)
        self.boxes = np.concatenate([self.boxes, [layer.box]])
        self._lay(layer)
        self._pool(layer.box)

    def replace(self, index: int, layer: Layer) -> None:
        """Put another stroke in the place of one."""
        box = union(self.layers[index].box, layer.box)
        self.layers[index], self.boxes[index] = layer, layer.box
        below, keep, add = self.around(index, self.finest, box)
        part = layer.part(self.finest, box)
        if part is not None:
            _blend(below[part[0]], part[1], layer.colour)
        self.canvases[self.finest][inside(box)] = below * keep[..., None] + add
        self._pool(box)

    def keep(self, indices: IntArray) -> None:
        """Keep the strokes of these indices only, which ascend."""
        self.put([self.layers[i] for i in indices])

    def put(self, layers: list[Layer]) -> None:
        """Have these strokes, and no others."""
        self.layers = layers
        self.boxes = np.asarray([layer.box for layer in layers], np.int64).reshape(-1, 4)
        self.compose()

    def around(self, index: int, scale: int, box: Box) -> Surroundings:
        """What lies around stroke ``index`` in a box, in pixels of a scale."""
        below, keep, add = Surroundings.on_top(self._ground[scale][inside(box)].copy())
        for i in self.overlapping(scale, box):
            part = self.layers[i].part(scale, box)
            if i == index or part is None:
                continue
            where, cover = part
            if i < index:
                _blend(below[where], cover, self.layers[i].colour)
            else:
                keep[where] *= 1 - cover
                _blend(add[where], cover, self.layers[i].colour)
        return Surroundings(below, keep, add)

    def overlapping(self, scale: int, box: Box, first: int = 0) -> IntArray:
        """The strokes from number ``first`` on, some pixels of whose boxes are in a box in pixels of a scale."""
        top, left, bottom, right = np.asarray(box) * (self.finest // scale)
        boxes = self.boxes[first:]
        reach = (boxes[:, 0] < bottom) & (boxes[:, 2] > top) & (boxes[:, 1] < right) & (boxes[:, 3] > left)
        return first + np.flatnonzero(reach)

    def solve_colours(self, allowed: Callable[[Floats], Floats], sweeps: int = 10) -> None:
        """Give strokes the colours that bring the picture closest together, by coordinate descent.

        Those in whose boxes it is ``CLOSE`` already keep theirs.

        ``allowed`` gives what may be of colours ``float32[N, C]``.
        """
        scale, changed = self.finest, self.missing().tolist()
        rest, shown = self.goals[scale] - self.canvases[scale], self._shown()
        weights = [self.weights[scale][inside(layer.box)][..., 0] for layer in self.layers]
        weighted = [cover * weight for cover, weight in zip(shown, weights, strict=True)]
        squares = [float(np.vdot(cover, weight)) for cover, weight in zip(shown, weighted, strict=True)]
        colours = np.asarray([layer.colour for layer in self.layers], np.float32)
        for _ in range(sweeps if len(colours) else 0):
            before = colours.copy()
            for i in changed:
                if squares[i] < 1e-3:
                    continue
                missing = rest[inside(self.layers[i].box)]
                change = np.tensordot(weighted[i], missing, 2) / squares[i]
                new = allowed(np.clip(colours[i] + change, 0, 255)[None])[0]
                missing -= shown[i][..., None] * (new - colours[i])
                colours[i] = new
            if np.abs(colours - before).max() < 0.5:
                break
        self.recolour(colours)

    def recolour(self, colours: Floats) -> None:
        """Give all strokes ``colours`` float32[N, C]."""
        self.put([replace(layer, colour=colour) for layer, colour in zip(self.layers, colours, strict=True)])

    def actions(self, settings: PaintSettings) -> IntArray:
        """The actions ``int64[N, P]`` of all strokes, with their colours."""
        if not self.layers:
            return np.zeros((0, len(paint_actions(settings))), np.int64)
        actions = np.stack([layer.action for layer in self.layers])
        if not settings.color:
            return actions
        colours = np.stack([layer.colour for layer in self.layers]) * ((settings.levels - 1) / 255)
        return np.concatenate([actions, colours.round().astype(np.int64)], axis=1)

    def losses(self) -> NDArray[np.float64]:
        """How much the weighted squared error would grow without each stroke, ``float64[N]``."""
        scale = self.finest
        canvas, grounds = self._ground[scale].copy(), []
        for layer in self.layers:
            below = canvas[inside(layer.box)]
            grounds.append(below.copy())
            _blend(below, layer.covers[scale], layer.colour)
        rest, losses = self.goals[scale] - canvas, np.zeros(len(self.layers))
        for i, (layer, shown) in enumerate(zip(self.layers, self._shown(), strict=True)):
            there = inside(layer.box)
            change = shown[..., None] * (grounds[i] - layer.colour)
            growth = change * (change - 2 * rest[there]) * self.weights[scale][there]
            losses[i] = growth.sum(dtype=np.float64)
        return losses

    def compose(self) -> None:
        """Paint the picture anew."""
        self.canvases[self.finest] = self._ground[self.finest].copy()
        for layer in self.layers:
            self._lay(layer)
        size = self.finest * SIDE
        self._pool((0, 0, size, size))

    def _shown(self) -> list[Floats]:
        """How much of each stroke is not hidden, ``float32[h, w]`` in its box."""
        size = self.finest * SIDE
        clear, shown = np.ones((size, size), np.float32), []
        for layer in reversed(self.layers):
            there, cover = clear[inside(layer.box)], layer.covers[self.finest]
            shown.append(cover * there)
            there *= 1 - cover
        return shown[::-1]

    def _lay(self, layer: Layer) -> None:
        _blend(self.canvases[self.finest][inside(layer.box)], layer.covers[self.finest], layer.colour)

    def _pool(self, box: Box) -> None:
        """Bring the coarser scales up to date in a box."""
        for scale in self.scales[:-1]:
            factor = self.finest // scale
            coarse: Box = (box[0] // factor, box[1] // factor, box[2] // factor, box[3] // factor)
            self.canvases[scale][inside(coarse)] = pool(self.canvases[self.finest][inside(box)], factor)


def pool(picture: Floats, factor: int) -> Floats:
    """Means of ``factor`` × ``factor`` pixels of ``float32[H, W, C]``."""
    if factor == 1:
        return picture.copy()
    height, width, channels = picture.shape
    blocks = picture.reshape(height // factor, factor, width // factor, factor, channels)
    means: Floats = blocks.mean((1, 3), dtype=np.float32)
    return means


def union(a: Box, b: Box) -> Box:
    """The smallest box that holds both."""
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def inside(box: Box) -> tuple[slice, slice]:
    """What is in a box, of a picture."""
    return np.s_[box[0] : box[2], box[1] : box[3]]


def _blend(there: Floats, cover: Floats, colour: Floats) -> None:
    """Lay a colour on what is ``there`` float32[h, w, C]."""
    there += cover[..., None] * (colour - there)
