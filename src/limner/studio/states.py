"""The pictures of a program whose actions depend on each other: it is executed, from a state that was kept.

As many states are kept as fit; where that is not each, those at every second, fourth … action.
"""

from __future__ import annotations

from bisect import bisect_right

import numpy as np

from limner.actions import IntArray
from limner.studio.layers import alike
from limner.studio.picture import changed_box
from limner.worlds import Settings, make_renderer
from limner.worlds.world import Canvas, State, on_white

ROOM = 192 * 2**20
"""Bytes of the states and pictures that are kept, about."""
STATE = 12
"""Bytes that a state takes for each pixel, at most: the paint engine's 16 bits in four channels, and the picture."""


class ExecutedPictures:
    """The pictures after each number of actions of a program that changes."""

    def __init__(self, settings: Settings) -> None:
        self._renderer = make_renderer(settings)
        self._renderer.reset()
        self.actions: IntArray = np.zeros((0, len(self._renderer.actions)), np.int64)
        """Those that are executed, ``int64[T, P]``."""
        self._stride = 1
        self._most = max(8, ROOM // (STATE * settings.canvas**2))
        self._keys: list[tuple[int, State, Canvas]] = []
        self._keep(0)
        self._at = 0

    def __len__(self) -> int:
        return len(self.actions)

    def update(self, actions: IntArray) -> None:
        """The program is now ``actions`` int64[T, P]: what is after the first change is executed anew."""
        same = alike(self.actions, actions)
        self._keys = [key for key in self._keys if key[0] <= same]
        self.actions = actions.copy()
        self._run(len(actions))

    def picture(self, count: int) -> Canvas:
        """The picture ``uint8[S, S, C]`` after ``count`` actions."""
        done, _, picture = self._key(count)
        if done < count:
            self._run(count)
            return self._shown()
        return picture

    def topmost(self, x: int, y: int, count: int) -> int | None:
        """Of the first ``count`` actions, the last that changes a pixel; None without one."""
        pixel = self.picture(count)[y, x]
        for done, _, picture in reversed(self._keys):
            if done < count and (picture[y, x] != pixel).any():
                return self._within(x, y, done, count)
            if done < count:
                count = done
        return None

    def box(self, index: int) -> tuple[int, int, int, int]:
        """Left, top, right and bottom in pixels of what an action changes; zeros where that is nothing."""
        return changed_box(self.picture(index), self.picture(index + 1)) or (0, 0, 0, 0)

    def _within(self, x: int, y: int, done: int, count: int) -> int:
        """The last of the actions ``done`` … ``count`` - 1 that changes a pixel, of which one does."""
        after = self.picture(count)[y, x]
        for i in range(count - 1, done, -1):
            if (self.picture(i)[y, x] != after).any():
                return i
        return done

    def _key(self, count: int) -> tuple[int, State, Canvas]:
        return self._keys[bisect_right(self._keys, count, key=lambda key: key[0]) - 1]

    def _run(self, count: int) -> None:
        """Execute the first ``count`` actions, and keep states that are not kept."""
        done, state, _ = self._key(count)
        self._renderer.restore(state)
        last = self._keys[-1][0]
        for i in range(done, count):
            self._renderer.step(self.actions[i : i + 1])
            if i + 1 > last and (i + 1) % self._stride == 0:
                self._keep(i + 1)

    def _keep(self, count: int) -> None:
        self._keys.append((count, self._renderer.save(), self._shown()))
        if len(self._keys) > self._most:
            self._stride *= 2
            self._keys = [key for key in self._keys if key[0] % self._stride == 0]

    def _shown(self) -> Canvas:
        picture: Canvas = on_white(self._renderer.canvas())[0]
        return picture
