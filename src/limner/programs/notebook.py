"""What a notebook shows of a program: its picture, or how it is painted, as PNG.

Notable choices:
- An animated PNG is a picture like any other to notebooks, and to whatever they are converted to.
"""

import io

import numpy as np
from PIL import Image

from limner.programs.execution import execute, picture_shape, snapshots
from limner.programs.program import Program

SMALLEST, LARGEST = 256, 512
"""Pixels along the longer side; between them a picture has its own size."""
STATES = 32
"""Most frames of an animation."""
STEP, HOLD = 80, 2000
"""Milliseconds for each, and for the finished picture."""


def picture_png(program: Program) -> bytes:
    """The picture of a program as PNG."""
    file = io.BytesIO()
    _image(execute(program, _size(program))).save(file, "PNG")
    return file.getvalue()


def animated_png(program: Program) -> bytes:
    """How a program is painted as animated PNG: more states of its beginning than of its end.

    A viewer without animations shows the finished picture.
    """
    counts = np.unique(np.ceil(len(program) * np.linspace(0, 1, STATES) ** 2).astype(int)).tolist()
    frames = [_image(picture) for picture in snapshots(program, counts, _size(program))]
    times, file = [STEP] * (len(frames) - 1) + [HOLD], io.BytesIO()
    frames[-1].save(file, "PNG", save_all=True, append_images=frames, default_image=True, duration=[STEP, *times])
    return file.getvalue()


def _size(program: Program) -> int:
    return min(max(max(picture_shape(program)[:2]), SMALLEST), LARGEST)


def _image(canvas: np.ndarray) -> Image.Image:
    return Image.fromarray(canvas[..., 0] if canvas.shape[-1] == 1 else canvas)
