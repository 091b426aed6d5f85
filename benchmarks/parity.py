"""Compare `deepmind-2018` with what libmypaint 1.3.0 itself paints, event by event as the released environment fed it.

    python benchmarks/parity.py --library /path/to/libmypaint.so          # prints the largest difference per brush
    python benchmarks/parity.py --library … --save tests/worlds/paint/libmypaint-1.3.0.npz

The library must be libmypaint 1.3.0 (its plain API is called through ctypes; another version can be named to see how
far it is). The events are computed here, independently of the renderer: start, control and end in pixels, 50 events a
curve, 0.1 s each (as a 32-bit float), pressure linear along the curve, one brush for an episode.
"""

from __future__ import annotations

import argparse
import ctypes
from pathlib import Path
from typing import Any

import numpy as np

from limner.worlds.paint.brushes import find_brush
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PaintSettings

BRUSHES = ("classic/pen", "classic/calligraphy")
EPISODES, STEPS = 6, 19
SIZES = (1, 2, 4)
RADIUS, HUE = 3, 20  # numbers of the settings radius_logarithmic and color_h in 1.3.0
SECONDS = float(np.float32(0.1))


class Request(ctypes.Structure):
    """MyPaintTileRequest."""

    _fields_ = (
        ("tx", ctypes.c_int),
        ("ty", ctypes.c_int),
        ("readonly", ctypes.c_int),
        ("buffer", ctypes.POINTER(ctypes.c_uint16)),
        ("context", ctypes.c_void_p),
        ("thread_id", ctypes.c_int),
        ("mipmap_level", ctypes.c_int),
    )


def paint(library: ctypes.CDLL, brush_file: Path, episode: np.ndarray, settings: PaintSettings) -> np.ndarray:
    """What `library` paints for one episode, actions int64[T, P] of grey `settings`: the last canvas, uint8[64, 64]."""
    pointer = ctypes.c_void_p
    for name in ("brush_new", "fixed_tiled_surface_new", "fixed_tiled_surface_interface"):
        getattr(library, f"mypaint_{name}").restype = pointer
    surface = pointer(library.mypaint_fixed_tiled_surface_new(64, 64))
    interface = pointer(library.mypaint_fixed_tiled_surface_interface(surface))
    request = Request()
    library.mypaint_tile_request_init(ctypes.byref(request), 0, 0, 0, 0)
    library.mypaint_tiled_surface_tile_request_start(surface, ctypes.byref(request))
    tile = np.ctypeslib.as_array(request.buffer, (64, 64, 4))
    tile[:] = 1 << 15

    brush = pointer(library.mypaint_brush_new())
    if not library.mypaint_brush_from_string(brush, brush_file.read_bytes()):
        raise SystemExit(f"{brush_file}: the library cannot read it")

    def set_base(setting: int, value: float) -> None:
        library.mypaint_brush_set_base_value(brush, setting, ctypes.c_float(value))

    def event(x: float, y: float, pressure: float) -> None:
        floats = [ctypes.c_float(value) for value in (x, y, pressure, 0, 0)]
        library.mypaint_brush_stroke_to(brush, interface, *floats, ctypes.c_double(SECONDS))

    def jump(x: float, y: float) -> None:
        library.mypaint_brush_reset(brush)
        library.mypaint_brush_new_stroke(brush)
        event(x, y, 0)

    jump(0, 0)
    set_base(RADIUS, np.log(settings.sizes[0]))
    for setting in range(HUE, HUE + 3):
        set_base(setting, 0)
    x0 = y0 = last = 0.0
    painting = False
    for flag, end, control, size, strength in episode.tolist():
        y1, x1 = (64 * cell / settings.grid for cell in divmod(end, settings.grid))
        yc, xc = (64 * cell / settings.grid for cell in divmod(control, settings.grid))
        library.mypaint_surface_begin_atomic(interface)
        if flag:
            pressure = np.linspace(0.1, 1.0, 10)[strength]
            start = last if painting else pressure
            set_base(RADIUS, np.log(float(settings.sizes[size])))
            if not painting:
                event(x0, y0, start)
            for t in np.linspace(0, 1, 51)[1:]:
                event(
                    (1 - t) ** 2 * x0 + 2 * (1 - t) * t * xc + t**2 * x1,
                    (1 - t) ** 2 * y0 + 2 * (1 - t) * t * yc + t**2 * y1,
                    start * (1 - t) + pressure * t,
                )
            x0, y0, last = x1, y1, pressure
        else:
            jump(x1, y1)
            x0 = y0 = y1  # the release stored y twice
        painting = bool(flag)
        library.mypaint_surface_end_atomic(interface, None)

    color, alpha = tile[..., 0].astype(np.uint32), tile[..., 3].astype(np.uint32)
    straight = np.where(alpha > 0, ((color << 15) + alpha // 2) // np.maximum(alpha, 1), 0)
    picture = ((255 * straight + (1 << 14)) >> 15).astype(np.uint8)
    library.mypaint_brush_unref(brush)
    library.mypaint_surface_unref(interface)
    return picture


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", dest="path", required=True, help="path of the shared library of libmypaint 1.3.0")
    parser.add_argument(
        "--brush", action="append", help="compare this brush (may be repeated) instead of the usual two"
    )
    parser.add_argument("--save", type=Path, help="write programs and the library's pictures here (compressed npz)")
    arguments = parser.parse_args()
    library = ctypes.CDLL(arguments.path)
    fixture: dict[str, Any] = {}
    for brush in arguments.brush or BRUSHES:
        settings = PaintSettings(brush=brush, sizes=SIZES, preset="deepmind-2018")
        renderer = Paint(settings, EPISODES)
        rng = np.random.default_rng(2018)
        actions = np.stack([renderer.actions.sample(rng, EPISODES) for _ in range(STEPS)])
        reference = np.stack([paint(library, find_brush(brush), actions[:, i], settings) for i in range(EPISODES)])
        for step in actions:
            renderer.step(step)
        difference = np.abs(renderer.canvas()[..., 0].astype(int) - reference)
        print(
            f"{brush}: largest difference {difference.max()}/255, mean {difference.mean():.5f}, "
            f"pixels that differ {100 * (difference > 0).mean():.2f} %, ink {100 * (reference < 255).mean():.0f} %"
        )
        fixture[f"{brush}:actions"] = actions.astype(np.int16)
        fixture[f"{brush}:pictures"] = reference
    if arguments.save:
        np.savez_compressed(arguments.save, **fixture)


if __name__ == "__main__":
    main()
