"""The paint renderer: actions are decoded into Bézier curves, which a native engine paints on a batch of canvases.

Notable choices:
- A curve is ``events`` pen events 0.1 s apart. Colour and size change at once. A curve that starts after a jump (or a
  reset) has one more event, which sets the pen down where it starts.
- Sizes are radii in pixels of a 64-pixel canvas and scale with the canvas: a program can be painted at any size.
- A brush is new after every reset, so a program paints the same pixels whatever was painted before it.
- ``preset="deepmind-2018"`` repeats google-deepmind/spiral where it differs: see ``PaintSettings.preset``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from limner.actions import FloatArray, IntArray
from limner.worlds.paint import _paint
from limner.worlds.paint.brushes import load_brush
from limner.worlds.paint.curves import CurveDecoder, Pens
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.validation import check_actions, check_indices, copy_out, plain
from limner.worlds.world import Canvas, State


@dataclass(frozen=True)
class PaintState:
    """Saved canvases; see ``Paint.save``."""

    settings: PaintSettings
    canvases: tuple[_paint.Saved, ...]
    pens: Pens

    def __len__(self) -> int:
        return len(self.canvases)

    def take(self, rows: IntArray | Sequence[int]) -> Self:
        """The saved canvases ``rows`` (int64[M], repeats allowed), in that order. Pixels are shared, not copied."""
        index = np.asarray(rows, np.int64)
        return type(self)(self.settings, tuple(self.canvases[i] for i in index), self.pens.take(index))


class Paint:
    """``batch`` canvases painted by ``threads`` threads; implements ``limner.worlds.world.Renderer``.

    A canvas has 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA) channels. Calls from several Python threads are
    serialised. After ``os.fork`` the renderer of a child starts threads of its own.
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
        self.batch = batch
        self.shape = (settings.canvas, settings.canvas, self._engine.channels)
        self.actions = self._decoder.actions
        self._pixels = np.empty((batch, *self.shape), np.uint8)
        self._pens = self._decoder.new(batch)
        self.reset()

    def settings(self) -> dict[str, Any]:
        """Settings as JSON values from which ``make_renderer`` rebuilds this renderer."""
        return plain(self._settings)

    def reset(self, indices: IntArray | None = None) -> None:
        """Blank canvases, new brushes and the pen in the upper left corner: all of them, or ``indices`` only."""
        rows = check_indices(indices, self.batch)
        self._engine.reset(rows.tolist(), self._pixels)
        self._pens = self._pens.put(rows, self._decoder.new(len(rows)))

    def load(self, pictures: Canvas, indices: IntArray | None = None) -> None:
        """As ``reset``, but to opaque ``pictures`` uint8[N, H, W, C].

        ``ValueError`` when the ground is transparent, or the pictures are not like the canvases.
        """
        rows = check_indices(indices, self.batch)
        if pictures.dtype != np.uint8 or pictures.ndim != 4:
            raise ValueError(f"pictures must be uint8[N, H, W, C], got {pictures.dtype}{list(pictures.shape)}")
        self._engine.load(np.ascontiguousarray(pictures), rows.tolist(), self._pixels)
        self._pens = self._pens.put(rows, self._decoder.new(len(rows)))

    def step(self, actions: IntArray) -> None:
        """Execute one action ``int64[N, P]`` on every canvas; ``ValueError`` on a bad one, nothing painted."""
        curves, pens = self._decoder.decode(check_actions(self.actions, actions, self.batch), self._pens)
        if self._engine.step(curves, self._pixels) >= 0:
            self.reset()
            raise ValueError(
                f"brush {self._settings.brush!r} needs too many or too large dabs for one curve: use another brush "
                "(all canvases were reset)"
            )
        self._pens = pens

    def canvas(self, out: Canvas | None = None) -> Canvas:
        """The pictures ``uint8[N, H, W, C]``: a fresh array, or written into ``out``."""
        return copy_out(self._pixels, out)

    def pen(self) -> FloatArray:
        """Where the next curve starts: ``float32[N, 2]``, (x, y) in [0, 1] of the canvas."""
        return (self._pens.place / self._settings.canvas).astype(np.float32)

    def save(self, indices: IntArray | None = None) -> PaintState:
        """The state of all canvases, or of ``indices``, with everything that decides what is painted next."""
        rows = check_indices(indices, self.batch)
        return PaintState(self._settings, tuple(self._engine.save(rows.tolist())), self._pens.take(rows))

    def restore(self, state: State, indices: IntArray | None = None) -> None:
        """Put saved canvas ``i`` into canvas ``indices[i]`` (default: canvas ``i``), bit for bit.

        A brush without randomness (``pen``, ``calligraphy``) is copied, in some 10 µs. Any other replays its curves
        since the last reset, which takes about half as long as painting them, or as long if the brush smudges
        (``benchmarks/painting.py``). ``ValueError`` when the state was saved by a renderer with other settings.
        """
        if not isinstance(state, PaintState) or state.settings != self._settings:
            raise ValueError("cannot restore what a renderer with other settings has saved")
        rows = np.arange(len(state)) if indices is None else check_indices(indices, self.batch)
        self._engine.restore(list(state.canvases), rows.tolist(), self._pixels)
        self._pens = self._pens.put(rows, state.pens)
