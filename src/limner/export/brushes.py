"""A sheet of brushes: the same stroke by each, with its name below.

It crosses a stripe, where brushes are seen that smudge or erase.
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from limner.export.picture import Pixels, sheet
from limner.worlds.paint.brushes import brush_names, find_brush
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PaintSettings

SIDE = 128
"""Pixels along a side of the canvas, of which the middle is shown."""
HEIGHT = 72
"""Pixels of it that are shown, from top to bottom."""
LABEL = 16
"""Pixels below it for the name."""
STRIPE = slice(56, 76)
"""Columns of the stripe, in pixels."""
RADIUS = 3.0
"""Of the stroke, in pixels of a 64-pixel canvas."""


def find_brushes(words: Sequence[str]) -> list[str]:
    """The names of all brushes, or of those that contain one of ``words``; ``ValueError`` when there is none."""
    names = [name for name in brush_names() if not words or any(word in name for word in words)]
    if not names:
        find_brush(" ".join(words))  # says why
    return names


def brush_sheet(names: Sequence[str], columns: int | None = None) -> tuple[Pixels, list[str]]:
    """A sheet ``uint8[H, W, 3]`` of the brushes, and why those are left out that cannot paint such a stroke.

    ``ValueError`` when none is left.
    """
    pictures, refused = [], []
    for name in names:
        try:
            pictures.append(_labelled(_stroke(name), name))
        except ValueError as error:
            refused.append(str(error))
    if not pictures:
        raise ValueError(f"no brush can be shown: {'; '.join(refused)}")
    return sheet(np.stack(pictures), columns), refused


def _stroke(brush: str) -> Pixels:
    """An S in dark blue, pressed harder and harder: ``uint8[HEIGHT, SIDE, 3]``."""
    settings = PaintSettings(canvas=SIDE, brush=brush, color=True, sizes=(RADIUS,), pressures=10, levels=2)
    renderer = Paint(settings)
    ground = np.full((1, *renderer.shape), 255, np.uint8)
    ground[:, :, STRIPE] = (240, 190, 120)
    renderer.load(ground)
    space, side = renderer.actions, settings.grid
    points = [(0.12, 0.62), (0.3, 0.3), (0.5, 0.5), (0.7, 0.7), (0.88, 0.36)]  # jump, control, end, control, end
    cells = [int(y * side) * side + int(x * side) for x, y in points]
    for flag, end, control, pressure in ((0, 0, 0, 0), (1, 2, 1, 4), (1, 4, 3, 9)):
        action = np.zeros((1, len(space)), np.int64)
        given = {"flag": flag, "end": cells[end], "control": cells[control], "pressure": pressure, "blue": 1}
        for name, value in given.items():
            action[0, space.index(name)] = value
        renderer.step(space.canonical(action))
    top = (SIDE - HEIGHT) // 2
    shown: Pixels = renderer.canvas()[0, top : top + HEIGHT]
    return shown


def _labelled(picture: Pixels, name: str) -> Pixels:
    label = Image.new("RGB", (picture.shape[1], LABEL), "white")
    font = ImageFont.load_default(9)
    draw = ImageDraw.Draw(label)
    while draw.textlength(name, font) > SIDE - 4 and len(name) > 4:
        name = "…" + name.lstrip("…")[1:]
    draw.text((2, 2), name, "black", font)
    return np.concatenate([picture, np.asarray(label)])
