"""Painting with libmypaint: integer actions become Bézier curves, a native engine paints them on a batch of canvases.

Notable choices:
- The engine (``paint.cpp``) takes decoded curves and knows nothing of actions; ``curves.py`` decodes them.
- A curve is ``events`` pen events 0.1 s apart. Colour and size change at once. A curve that starts after a jump (or the
  reset) has one more event, which sets the pen down where it starts.
- Sizes are radii in pixels of a 64-pixel canvas and scale with the canvas: a program can be painted at any size.
- A brush is new after every reset, so a program paints the same pixels whatever was painted before it.
- ``preset="deepmind-2018"`` repeats what google-deepmind/spiral did instead: see ``PaintSettings.preset``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from limner.actions import ActionSpace, FloatArray, IntArray
from limner.worlds.paint import _paint
from limner.worlds.paint.brushes import load_brush
from limner.worlds.paint.curves import CurveDecoder, Pens
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.validation import hand_out, plain
from limner.worlds.world import Canvas, State


@dataclass(frozen=True)
class PaintState:
    """Saved canvases; see ``Paint.save``."""

    settings: PaintSettings
    canvases: tuple[_paint.Saved, ...]
    pens: Pens

    def __len__(self) -> int:
        return len(self.canvases)

    def take(self, rows: IntArray | Sequence[int]) -> PaintState:
        """The saved canvases ``rows`` (int64[M], repeats allowed), in that order. Pixels are shared, not copied."""
        index = np.asarray(rows, np.int64)
        return PaintState(self.settings, tuple(self.canvases[i] for i in index), self.pens.take(index))


class Paint:
    """``batch`` canvases painted by ``threads`` threads; implements ``limner.worlds.world.Renderer``.

    Calls from several Python threads are serialised. After ``os.fork`` a child paints on with threads of its own.
    """

    def __init__(self, settings: PaintSettings = PaintSettings(), batch: int = 1, threads: int = 1) -> None:
        if not 1 <= batch <= 1 << 20 or not 1 <= threads <= 1024:
            raise ValueError(f"batch must be at least 1 and threads in 1 … 1024, got {batch!r} and {threads!r}")
        brush = load_brush(settings.brush)
        self._settings = settings
        self._decoder = CurveDecoder(settings)
        self._engine = _paint.Engine(
            batch=batch,
            size=settings.canvas,
            color=settings.color,
            transparent=settings.ground == "transparent",
            straight=settings.preset is not None,
            events=settings.events,
            base=brush.base,
            mappings=brush.mappings,
            threads=min(threads, batch),
        )
        self._batch = batch
        self._pixels = np.empty((batch, *self.shape), np.uint8)
        self._pens = self._decoder.new(batch)
        self.reset()

    @property
    def actions(self) -> ActionSpace:
        """The parts of the space in the settings; by default ``flag, end, control, size, pressure``."""
        return self._decoder.actions

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of one canvas: 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA)."""
        return self._settings.canvas, self._settings.canvas, self._engine.channels

    @property
    def batch(self) -> int:
        """Number of canvases."""
        return self._batch

    def settings(self) -> dict[str, Any]:
        """JSON-able settings from which ``make_renderer`` rebuilds this renderer."""
        return plain(self._settings)

    def reset(self, indices: IntArray | None = None) -> None:
        """Blank canvases, new brushes and the pen in the upper left corner: all of them, or ``indices`` only."""
        rows = self._rows(indices)
        self._engine.reset(rows.tolist(), self._pixels)
        self._pens = self._pens.put(rows, self._decoder.new(len(rows)))

    def load(self, pictures: Canvas, indices: IntArray | None = None) -> None:
        """As ``reset``, but the canvases show ``pictures`` uint8[N, H, W, C], opaque, for later actions to paint on.

        ``ValueError`` when the ground is transparent, or the pictures are not like the canvases.
        """
        rows = self._rows(indices)
        if pictures.dtype != np.uint8 or pictures.ndim != 4:
            raise ValueError(f"pictures must be uint8[N, H, W, C], got {pictures.dtype}{list(pictures.shape)}")
        self._engine.load(np.ascontiguousarray(pictures), rows.tolist(), self._pixels)
        self._pens = self._pens.put(rows, self._decoder.new(len(rows)))

    def step(self, actions: IntArray) -> None:
        """Execute one action ``int64[N, P]`` on every canvas; ``ValueError`` on a bad one, nothing painted."""
        checked = self.actions.validate(actions)
        if checked.shape != (self._batch, len(self.actions)):
            raise ValueError(f"actions must have shape {(self._batch, len(self.actions))}, got {checked.shape}")
        curves, pens = self._decoder.decode(checked, self._pens)
        if self._engine.step(curves, self._pixels) >= 0:
            self.reset()
            raise ValueError(
                f"brush {self._settings.brush!r} needs too many or too large dabs for one curve: use another brush "
                f"(all canvases were reset)"
            )
        self._pens = pens

    def canvas(self, out: Canvas | None = None) -> Canvas:
        """The pictures ``uint8[N, H, W, C]``: a fresh array, or written into ``out``."""
        return hand_out(self._pixels, out)

    def pen(self) -> FloatArray:
        """Where the next curve starts: ``float32[N, 2]``, (x, y) in [0, 1] of the canvas."""
        return (self._pens.place / self._settings.canvas).astype(np.float32)

    def save(self, indices: IntArray | None = None) -> PaintState:
        """The state of all canvases, or of ``indices``, with everything that decides what is painted next."""
        rows = self._rows(indices)
        saved = tuple(self._engine.save(rows.tolist()))
        return PaintState(self._settings, saved, self._pens.take(rows))

    def restore(self, state: State, indices: IntArray | None = None) -> None:
        """Put saved canvas ``i`` into canvas ``indices[i]`` (default: canvas ``i``), bit for bit.

        A brush without randomness (``pen``, ``calligraphy``) is copied: some 10 µs. Any other is rebuilt by replaying
        its curves since the last reset, which takes about half as long as painting them (``dry_brush``), or as long as
        painting them when the brush smudges. ``benchmarks/painting.py`` measures it. ``ValueError`` when the state was
        saved by a renderer with other settings.
        """
        if not isinstance(state, PaintState) or state.settings != self._settings:
            raise ValueError("cannot restore what a renderer with other settings has saved")
        rows = np.arange(len(state)) if indices is None else self._rows(indices)
        self._engine.restore(list(state.canvases), rows.tolist(), self._pixels)
        self._pens = self._pens.put(rows, state.pens)

    def _rows(self, indices: IntArray | None) -> IntArray:
        if indices is None:
            return np.arange(self._batch)
        rows = np.atleast_1d(np.asarray(indices))
        if rows.ndim != 1 or (rows.size and rows.dtype.kind not in "iu"):
            raise ValueError(f"indices must be a list of whole numbers, got {indices!r}")
        return rows.astype(np.int64)
