"""A picture in pieces: what parts of a program paint, each as a layer of its own, and bands of a large picture."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from limner.actions import IntArray
from limner.worlds.paint.brushes import load_brush, paints_over
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.world import Canvas


def paint_band(settings: PaintSettings, rows: range) -> Paint | None:
    """As ``World.band``; None with a brush that reads the canvas, which has to be there then."""
    band = Paint(settings, rows=rows)
    return None if band.reads_canvas else band


def paint_layers(settings: PaintSettings, actions: IntArray, ends: Sequence[int]) -> Iterator[Canvas] | None:
    """As ``World.layers``; None with a brush that does more than lay paint over what is there.

    The pen and the brush go on from one layer to the next as they do in the picture.
    """
    if not paints_over(load_brush(settings.brush, settings.opaque)):
        return None
    return _layers(Paint(replace(settings, ground="transparent")), actions, ends)


def _layers(renderer: Paint, actions: IntArray, ends: Sequence[int]) -> Iterator[Canvas]:
    done = 0
    for end in ends:
        renderer.clear()
        for action in actions[done:end]:
            renderer.step(action[None])
        done = end
        yield renderer.canvas()[0]
