"""Renderers execute actions on a batch of canvases.

Notable choices:
- A renderer is a batch: one call steps N canvases. A single canvas is a batch of one.
- It knows actions and pixels, nothing of episodes, rewards or programs.
- Its hidden state can be saved and restored, bit for bit, one saved canvas into any number of canvases.
- ``settings()`` is JSON; ``make_renderer`` turns it back into a renderer that paints the same pixels.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from limner.actions import ActionSpace, FloatArray, IntArray

Canvas = NDArray[np.uint8]


class State(Protocol):
    """Saved canvases with everything that decides what later actions paint on them."""

    def __len__(self) -> int: ...

    def take(self, rows: IntArray) -> State:
        """The saved canvases ``rows`` (int64[M], repeats allowed), in that order."""
        ...


class Renderer(Protocol):
    """Executes actions on ``batch`` canvases of ``shape`` (height, width, channels), uint8."""

    @property
    def actions(self) -> ActionSpace:
        """What an action consists of."""
        ...

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of a canvas."""
        ...

    @property
    def batch(self) -> int:
        """Number of canvases N."""
        ...

    def settings(self) -> dict[str, Any]:
        """JSON-able settings, ``"name"`` among them, from which ``make_renderer`` rebuilds this renderer."""
        ...

    def reset(self, indices: IntArray | None = None) -> None:
        """Blank canvases and a pen at its start: all of them, or ``indices`` only."""
        ...

    def step(self, actions: IntArray) -> None:
        """Execute one action, ``int64[N, P]``, on every canvas. ``ValueError`` on a bad one, nothing painted."""
        ...

    def canvas(self, out: Canvas | None = None) -> Canvas:
        """The pictures, ``uint8[N, H, W, C]``: a fresh array, or written into ``out``."""
        ...

    def pen(self) -> FloatArray:
        """Where the next curve starts: ``float32[N, 2]``, (x, y) in [0, 1] of the canvas."""
        ...

    def save(self, indices: IntArray | None = None) -> State:
        """The state of all canvases, or of ``indices``."""
        ...

    def restore(self, state: Any, indices: IntArray | None = None) -> None:
        """Put canvas ``i`` of a ``State`` that such a renderer saved into canvas ``indices[i]`` (default: ``i``)."""
        ...


def make_renderer(settings: dict[str, Any], batch: int = 1, threads: int = 1) -> Renderer:
    """The renderer that ``settings`` (see ``Renderer.settings``) describes; ``ValueError`` when they are bad."""
    rest = dict(settings)
    name = rest.pop("name", None)
    if name == "paint":
        from limner.worlds.paint.renderer import Paint, PaintSettings

        return Paint(PaintSettings.from_dict(rest), batch, threads)
    if name == "toy":
        from limner.worlds.toy.renderer import Toy, ToySettings

        return Toy(ToySettings.from_dict(rest), batch)
    if name == "scenes":
        from limner.worlds.scenes.renderer import Scenes, ScenesSettings

        return Scenes(ScenesSettings.from_dict(rest), batch, threads)
    raise ValueError(f"unknown renderer {name!r}: must be 'paint', 'scenes' or 'toy'")
