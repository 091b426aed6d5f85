"""The paint renderer: actions are decoded into Bézier curves, which a native engine paints on a batch of canvases.

A curve is ``events`` pen events 0.1 s apart. Colour and size change at once. A curve that starts after a jump (or a
reset) has one more event, which sets the pen down where it starts. A brush is new after every reset, so a program
paints the same pixels whatever was painted before it.
"""

from typing import Any, NamedTuple

import numpy as np

from limner.actions import FloatArray, IntArray
from limner.worlds.colours import channels
from limner.worlds.paint import _paint
from limner.worlds.paint.brushes import load_brush
from limner.worlds.paint.curves import CurveDecoder
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.validation import require
from limner.worlds.world import Canvas, Renderer


class Dabs(NamedTuple):
    """What a brush made of a curve."""

    made: int
    """Number of dabs."""
    laid: int
    """How many of them laid paint: those that are not too weak, not outside the canvas, and do not erase."""
    radii: float
    """The sum of the radii of those, in pixels."""
    hardness: float
    """The sum of their hardness, in [0, 1] each."""
    first: list[float]
    """The first of those: x, y in pixels, and the place of the pen on the curve, in [0, 1], behind which it may lag."""
    last: list[float]
    """The last of those, likewise."""


class Paint(Renderer):
    """``batch`` canvases painted by ``threads`` threads.

    A canvas has 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA) channels. Of its rows some alone may be kept, a band.
    Calls from several Python threads are serialised. After ``os.fork`` the renderer of a child starts threads of its
    own.

    To restore a brush without randomness (``pen``, ``calligraphy``) is to copy it, in some 10 µs. Any other replays its
    curves since the last reset, which takes about half as long as painting them, or as long if the brush smudges
    (``benchmarks/painting.py``).
    """

    _settings: PaintSettings

    def __init__(
        self, settings: PaintSettings = PaintSettings(), batch: int = 1, threads: int = 1, rows: range | None = None
    ) -> None:
        """``ValueError`` when there is no such brush.

        ``rows`` are those of the canvas that are kept, the first of them a multiple of 64; None: all. They show what
        they show on the whole canvas, unless the brush reads the canvas (``reads_canvas``).
        """
        self._decoder = CurveDecoder(settings)
        channels = (3 if settings.color else 1) + (settings.ground == "transparent")
        self._kept = range(settings.canvas) if rows is None else rows
        super().__init__(settings, self._decoder.actions, channels, batch, threads, len(self._kept))
        self._brush, self._threads = load_brush(settings.brush, settings.opaque), min(threads, batch)
        self._engine = self._make_engine()
        self._pens = self._decoder.new(batch)
        self.reset()

    def _make_engine(self) -> _paint.Engine:
        settings = self._settings
        return _paint.Engine(
            batch=self.batch,
            size=settings.canvas,
            top=self._kept.start,
            bottom=self._kept.stop,
            color=settings.color,
            transparent=settings.ground == "transparent",
            straight=settings.preset is not None,
            events=settings.events,
            base=self._brush.base,
            mappings=self._brush.mappings,
            threads=self._threads,
        )

    def __getstate__(self) -> tuple[dict[str, Any], list[_paint.Saved]]:
        """What a copy or a pickle is made from: all but the engine, and the canvases in it."""
        rest = {name: value for name, value in vars(self).items() if name != "_engine"}
        return rest, self._engine.save(range(self.batch))

    def __setstate__(self, state: tuple[dict[str, Any], list[_paint.Saved]]) -> None:
        rest, canvases = state
        vars(self).update(rest)
        self._engine = self._make_engine()
        self._engine.restore(canvases, range(self.batch), self._canvas)

    def load(self, pictures: Canvas, indices: IntArray | None = None) -> None:
        """As ``reset``, but to opaque ``pictures`` uint8[N, H, W, C].

        ``ValueError`` when the ground is transparent, or the pictures are not like the canvases.
        """
        rows = self._rows(indices, self.batch)
        pixels = pictures.dtype == np.uint8 and pictures.ndim == 4
        require(pixels, f"pictures must be uint8[N, H, W, C], got {pictures.dtype}{list(pictures.shape)}")
        self._engine.load(np.ascontiguousarray(pictures), rows.tolist(), self._canvas)
        self._pens = self._pens.put(rows, self._decoder.new(len(rows)))

    def clear(self) -> None:
        """Blank canvases, on which pens and brushes go on with what they were at; not on a coloured ground."""
        require(self._blank(np.arange(1)) is None, f"cannot clear a canvas of the ground {self._settings.ground!r}")
        self._engine.clear(self._canvas)

    @property
    def reads_canvas(self) -> bool:
        """Whether what the brush paints depends on what is on the canvas, all over it: it smudges."""
        return self._engine.reads_canvas

    def pen(self) -> FloatArray:
        """As ``Renderer.pen``."""
        return (self._pens.place / self._settings.canvas).astype(np.float32)

    def dabs(self) -> list[list[Dabs]]:
        """For each canvas, the dabs of each curve of the last action, jumps included."""
        return [[Dabs(*one) for one in curves] for curves in self._engine.dabs]

    def _blank(self, rows: IntArray) -> Canvas | None:
        """What a reset of ``rows`` shows, ``uint8[N, H, W, C]``; None: white, or nothing on a transparent ground."""
        settings = self._settings
        if not settings.ground.startswith("#"):
            return None
        colour = np.asarray(channels(settings.ground)[: 3 if settings.color else 1], np.uint8)
        return np.broadcast_to(colour, (len(rows), *self.shape))

    def _reset(self, rows: IntArray) -> None:
        if (blank := self._blank(rows)) is not None:
            self.load(blank, rows)
            return
        self._engine.reset(rows.tolist(), self._canvas)
        self._pens = self._pens.put(rows, self._decoder.new(len(rows)))

    def _step(self, actions: IntArray) -> None:
        curves, pens = self._decoder.decode(actions, self._pens)
        if self._engine.step(curves, self._canvas) >= 0:
            self.reset()
            problem = f"brush {self._settings.brush!r} needs too many or too large dabs for one curve"
            raise ValueError(f"{problem}: use another brush (all canvases were reset)")
        self._pens = pens

    def _save(self, rows: IntArray) -> tuple[Any, ...]:
        return np.fromiter(self._engine.save(rows.tolist()), np.object_, len(rows)), self._pens[rows]

    def _restore(self, rows: IntArray, parts: Any) -> None:
        canvases, pens = parts
        self._engine.restore(canvases.tolist(), rows.tolist(), self._canvas)
        self._pens = self._pens.put(rows, pens)
