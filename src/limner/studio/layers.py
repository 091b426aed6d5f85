"""The pictures of a program whose strokes are layers: any step at once, and any change without painting all anew.

Covers are blended with Pillow, which does it in C. Pictures are kept every so often ("keys"), so a seek blends what
lies after the last key, and a change blends only what is in the box that has changed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from limner.actions import IntArray
from limner.studio.picture import as_canvas, as_image
from limner.worlds.stroke import Cover
from limner.worlds.world import Canvas

WORK = 1_500_000
"""Pixels that are blended between two keys, at most."""
COUNT = 160
"""Strokes between two keys, at most."""
LARGEST = 256 * 2**20
"""Bytes of the covers of a program, at most."""

SEEN = 26
"""Opacity, of 255, from which on a stroke is what is seen at a place."""

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Layer:
    """A stroke to blend."""

    box: Box
    mask: Image.Image
    colour: int | tuple[int, ...]

    @classmethod
    def of(cls, cover: Cover | None) -> Layer:
        """An action that paints nothing has an empty box."""
        if cover is None:
            return cls((0, 0, 0, 0), Image.new("L", (1, 1)), 0)
        colour = cover.colour[0] if len(cover.colour) == 1 else cover.colour
        return cls(cover.box, Image.fromarray(cover.opacity), colour)

    @property
    def area(self) -> int:
        """Pixels in the box."""
        return (self.box[2] - self.box[0]) * (self.box[3] - self.box[1])

    def blend(self, picture: Image.Image, left: int, top: int) -> None:
        """Lay it on a ``picture`` whose upper left corner is at ``left``, ``top``."""
        found = _overlap(self.box, (left, top, left + picture.width, top + picture.height))
        if found is None:
            return
        own = (found[0] - self.box[0], found[1] - self.box[1], found[2] - self.box[0], found[3] - self.box[1])
        mask = self.mask if found == self.box else self.mask.crop(own)
        picture.paste(self.colour, (found[0] - left, found[1] - top, found[2] - left, found[3] - top), mask)


class LayeredPictures:
    """The pictures after each number of actions of a program that changes."""

    def __init__(self, covers: Callable[[IntArray], Cover | None], ground: Canvas) -> None:
        """``covers`` as ``World.covers`` gives them; ``ground`` uint8[S, S, C] is what an empty program shows."""
        self._covers = covers
        self._layers: list[Layer] = []
        self.actions: IntArray = np.zeros((0, 0), np.int64)
        """Those that are blended, ``int64[T, P]``."""
        self._keys: list[tuple[int, Image.Image]] = [(0, as_image(ground))]
        self._top, self._since = self._keys[0][1].copy(), 0

    def __len__(self) -> int:
        return len(self._layers)

    def update(self, actions: IntArray) -> None:
        """The program is now ``actions`` int64[T, P]; ``MemoryError`` where its covers take more than ``LARGEST``."""
        old = self.actions.reshape(-1, actions.shape[1])
        first = alike(old, actions)
        last = min(alike(old[::-1], actions[::-1]), min(len(old), len(actions)) - first)
        gone, fresh = self._layers[first : len(old) - last], []
        room = LARGEST - sum(layer.area for layer in self._layers) + sum(layer.area for layer in gone)
        for action in actions[first : len(actions) - last]:
            fresh.append(Layer.of(self._covers(action)))
            room -= fresh[-1].area
            if room < 0:
                raise MemoryError
        self._layers[first : len(old) - last] = fresh
        self.actions = actions.copy()
        if last == 0 and not gone:
            self._extend(first)
        else:
            self._repair(first, last, len(actions) - len(old), [*gone, *fresh])

    def picture(self, count: int) -> Canvas:
        """The picture ``uint8[S, S, C]`` after ``count`` actions."""
        if count == len(self):
            return as_canvas(self._top)
        done, key = self._keys[bisect_right(self._keys, count, key=lambda key: key[0]) - 1]
        picture = key.copy()
        for layer in self._layers[done:count]:
            layer.blend(picture, 0, 0)
        return as_canvas(picture)

    def topmost(self, x: int, y: int, count: int) -> int | None:
        """Of the first ``count`` actions, the last one that covers a tenth of a pixel or more; None without one."""
        for i in range(count - 1, -1, -1):
            left, top, right, bottom = self._layers[i].box
            if left <= x < right and top <= y < bottom:
                opacity = self._layers[i].mask.getpixel((x - left, y - top))
                if isinstance(opacity, int) and opacity >= SEEN:
                    return i
        return None

    def box(self, index: int) -> Box:
        """Left, top, right and bottom in pixels of what an action paints; zeros where that is nothing."""
        return self._layers[index].box

    def _extend(self, first: int) -> None:
        """Blend the layers from ``first`` on, which are new, on the top."""
        for number in range(first, len(self._layers)):
            layer = self._layers[number]
            layer.blend(self._top, 0, 0)
            self._since += layer.area
            if self._since >= WORK or number + 1 - self._keys[-1][0] >= COUNT:
                self._keys.append((number + 1, self._top.copy()))
                self._since = 0

    def _repair(self, first: int, last: int, shift: int, changed: list[Layer]) -> None:
        """Blend anew what has changed between the first ``first`` and the last ``last`` layers.

        There are ``shift`` more layers than before.
        """
        kept, after = [key for key in self._keys if key[0] <= first], len(self._layers) - last
        between = self._layers[first:after]
        if not last or len(between) > COUNT or sum(layer.area for layer in between) > WORK:
            self._keys = kept
            self._top, self._since = kept[-1][1].copy(), 0
            self._extend(kept[-1][0])
            return
        later = [(count + shift, key) for count, key in self._keys[len(kept) :] if count + shift >= after]
        self._keys = kept + later
        boxes = [layer.box for layer in changed if layer.area]
        if not boxes:
            return
        box = tuple(pick(edge) for pick, edge in zip((min, min, max, max), zip(*boxes, strict=True), strict=True))
        done, key = kept[-1]
        part, targets = key.crop(box), dict(later)
        for number in range(done, len(self._layers) + 1):
            if number in targets:
                targets[number].paste(part, box)
            if number < len(self._layers):
                self._layers[number].blend(part, box[0], box[1])
        self._top.paste(part, box)


def alike(one: IntArray, other: IntArray) -> int:
    """How many rows at the start of two arrays ``int64[T, P]`` are equal."""
    count = min(len(one), len(other))
    differ = (one[:count] != other[:count]).any(1)
    return int(differ.argmax()) if differ.any() else count


def _overlap(one: Box, other: Box) -> Box | None:
    left, top, right, bottom = (pick(a, b) for pick, a, b in zip((max, max, min, min), one, other, strict=True))
    return (left, top, right, bottom) if left < right and top < bottom else None
