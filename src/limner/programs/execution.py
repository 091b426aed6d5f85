"""Pictures and strokes of programs: the same program gives the same bytes in any process, thread and order.

The picture of a program with a frame is what lies in the frame.
"""

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limner.programs.program import Program, resolve
from limner.worlds import Settings, find_world, make_renderer, read_settings
from limner.worlds.stroke import Points, Stroke
from limner.worlds.world import BAND, Canvas

MAX_FRAMES_BYTES = 2 * 2**30
MAX_BATCH_PIXELS = 2**24
MAX_BAND_PIXELS = 2**24
"""Of a band: what libmypaint paints on has 8 bytes a pixel."""


def execute(program: Program, size: int | None = None) -> Canvas:
    """The picture ``uint8[H, W, C]`` that the program paints, at ``size`` pixels or at its own canvas size.

    At another size the geometry and the brush radius scale with the canvas. With a frame the longer of H and W is the
    size.
    """
    return execute_all([program], size=size)[0]


def frames(program: Program, size: int | None = None) -> NDArray[np.uint8]:
    """The picture before the first and after each action: ``uint8[T + 1, H, W, C]``; ``ValueError`` beyond 2 GiB."""
    count, (side, _, channels) = len(program) + 1, _at_size(program, size)[1]
    width, height = (side, side) if program.frame is None else program.frame.size(side)
    shape = (height, width, channels)
    if (needed := count * math.prod(shape)) > MAX_FRAMES_BYTES:
        raise ValueError(f"{count} frames of {shape} need {needed / 2**30:.1f} GiB: choose a smaller size")
    result = np.empty((count, *shape), np.uint8)
    for i, picture in enumerate(snapshots(program, range(count), size)):
        result[i] = picture
    return result


def snapshots(program: Program, counts: Iterable[int], size: int | None = None) -> Iterator[Canvas]:
    """The picture ``uint8[H, W, C]`` after each of ``counts`` actions, which ascend."""
    renderer = make_renderer(json.loads(_at_size(program, size)[0]))
    renderer.reset()
    done = 0
    for count in counts:
        for action in program.actions[done:count]:
            renderer.step(action[None])
        done = count
        yield _shown(program, renderer.canvas()[0])


def picture_shape(program: Program, size: int | None = None) -> tuple[int, int, int]:
    """Height, width and channels of what ``execute`` gives; ``ValueError`` when the size is out of range."""
    side = read_settings(_sized(program, size)).canvas
    width, height = (side, side) if program.frame is None else program.frame.size(side)
    return height, width, resolve(program.renderer)[2][2]


def bands(program: Program, size: int | None = None) -> Iterator[Canvas]:
    """What ``execute`` gives, from top to bottom, in bands ``uint8[h, W, C]`` that need little memory.

    Each band is a few thousand rows at most, and the program is executed anew for it. Where the world paints only whole
    canvases it is executed once.
    """
    settings = read_settings(_sized(program, size))
    side = settings.canvas
    left, top, right, bottom = (0, 0, side, side) if program.frame is None else program.frame.box(side)
    height = max(BAND, MAX_BAND_PIXELS // side // BAND * BAND)
    for start in range(top // BAND * BAND, bottom, height):
        rows = range(start, min(start + height, bottom))
        if (picture := _band(program, settings, rows)) is None:
            whole = execute(program, size)
            yield from (whole[row : row + height] for row in range(0, len(whole), height))
            return
        yield picture[max(0, top - start) :, left:right]


def layers(program: Program, ends: Sequence[int], size: int | None = None) -> Iterator[Canvas] | None:
    """What parts of a program paint, laid over each other the picture: ``uint8[H, W, 2 or 4]``, straight alpha.

    Part i ends before the action ``ends[i]``. None where strokes are no layers, as with a brush that smudges.
    """
    settings = read_settings(_sized(program, size))
    found = find_world(settings.name).layers(settings, program.actions, ends)
    return None if found is None else (_shown(program, layer) for layer in found)


def pen_strokes(program: Program) -> list[Points]:
    """As ``coloured_strokes``, without colours: ``float64[n, 3]`` each, (x, y, pressure) in [0, 1]."""
    return [stroke.points for stroke in coloured_strokes(program)]


def coloured_strokes(program: Program) -> list[Stroke]:
    """The strokes that a program paints, in order; ``ValueError`` when it is of a world without strokes."""
    settings = read_settings(program.renderer)
    strokes = find_world(settings.name).strokes(settings, program.actions)
    if strokes is None:
        raise ValueError(f"the renderer {settings.name!r} has no pen: a program of 'paint' is needed")
    return strokes


def execute_all(programs: Sequence[Program], threads: int = 1, size: int | None = None) -> list[Canvas]:
    """The picture of each program, in order. Programs with equal settings are painted as batches on ``threads``."""
    pictures: dict[int, Canvas] = {}
    groups: dict[tuple[str, tuple[int, int, int]], list[int]] = {}
    for i, program in enumerate(programs):
        groups.setdefault(_at_size(program, size), []).append(i)
    for (settings, (height, width, _)), members in groups.items():
        members.sort(key=lambda i: len(programs[i]))  # a batch paints as many steps as its longest program
        batch = max(1, min(256, MAX_BATCH_PIXELS // (height * width)))
        for start in range(0, len(members), batch):
            some = members[start : start + batch]
            pictures |= zip(some, _paint(settings, [programs[i] for i in some], threads), strict=True)
    return [_shown(program, pictures[i]) for i, program in enumerate(programs)]


def _paint(settings: str, programs: list[Program], threads: int) -> list[Canvas]:
    """Pictures of programs of one renderer, sorted by length; what a canvas shows after its program is not read."""
    lengths = np.asarray([len(program) for program in programs])
    actions = np.zeros((lengths[-1], len(programs), programs[0].actions.shape[1]), np.int64)
    for i, program in enumerate(programs):
        actions[: len(program), i] = program.actions
    renderer = make_renderer(json.loads(settings), len(programs), threads)
    renderer.reset()
    pictures: list[Canvas] = []
    for step in range(lengths[-1] + 1):
        if (done := int(np.searchsorted(lengths, step, side="right"))) > len(pictures):
            pictures += [picture.copy() for picture in renderer.canvas()[len(pictures) : done]]
        if step < lengths[-1]:
            renderer.step(actions[step])
    return pictures


def _band(program: Program, settings: Settings, rows: range) -> Canvas | None:
    """The ``rows`` of a canvas ``uint8[h, S, C]``, None where only the whole can be painted; nothing else is kept."""
    renderer = find_world(settings.name).band(settings, rows)
    if renderer is None:
        return None
    renderer.reset()
    for action in program.actions:
        renderer.step(action[None])
    picture: Canvas = renderer.canvas()[0]
    return picture


def _shown(program: Program, square: Canvas) -> Canvas:
    """What lies in the program's frame of its canvas ``uint8[S, S, C]``."""
    return square if program.frame is None else np.ascontiguousarray(program.frame.cut(square))


def _at_size(program: Program, size: int | None) -> tuple[str, tuple[int, int, int]]:
    """Settings (JSON) and canvas shape of the program at ``size``."""
    return resolve(_sized(program, size))[1:]


def _sized(program: Program, size: int | None) -> dict[str, Any]:
    """The settings of the program's renderer at ``size``."""
    return program.renderer if size is None else program.renderer | {"canvas": size}
