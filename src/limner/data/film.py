"""Films: pictures of one size, one after the other, from a folder or a video file.

Video files are read and written with PyAV (the extra ``video``).
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from limner.data.archive import Archive
from limner.data.decoding import open_picture
from limner.files import replacing
from limner.worlds.validation import require
from limner.worlds.world import Canvas

SUFFIXES = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi")
"""What the names of video files end in."""
CODECS = {
    "mp4": ("libx264", {"crf": "18", "preset": "veryfast"}),
    "webm": ("libvpx-vp9", {"crf": "24", "b": "0", "deadline": "realtime", "cpu-used": "7", "lag-in-frames": "0"}),
}
"""Encoder and options of a kind of file: little is kept of what comes before and after a frame."""
BT601 = 6
"""How colours become brightness and difference, as FFmpeg numbers it."""
RATE = Fraction(25)
"""Frames a second of a folder of pictures."""


def is_video(path: Path) -> bool:
    """Whether ``path`` is named like a video file."""
    return path.suffix.lower() in SUFFIXES


def open_film(path: Path) -> tuple[Iterator[Image.Image], int, Fraction]:
    """The frames ``RGB`` or ``L`` of a film, about how many there are, and frames a second.

    ``ValueError`` when it cannot be read, or, while frames are read, when one has another size than the first.
    """
    if path.is_dir():
        names = Archive(path).names
        return _alike(open_picture(path / name) for name in names), len(names), RATE
    container = _open(path)
    stream = container.streams.video[0]
    rate = Fraction(stream.average_rate or RATE)
    seconds = float(stream.duration * stream.time_base) if stream.duration else float(container.duration or 0) / 1e6
    frames = (frame.to_image() for frame in container.decode(stream))
    return _alike(frames), stream.frames or round(seconds * rate), rate


def write_film(path: Path, frames: Iterable[Canvas], rate: Fraction) -> None:
    """Write frames ``uint8[H, W, 1 or 3]``, one at least, as MP4 (H.264) or, if so named, as WebM (VP9).

    An odd row or column is left out. Memory does not grow with the number of frames.
    """
    av = import_av()
    kind = "webm" if path.suffix.lower() == ".webm" else "mp4"
    codec, options = CODECS[kind]
    with replacing(path) as file, av.open(file, mode="w", format=kind) as container:
        stream = container.add_stream(codec, rate=rate, options=options)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.colorspace = BT601
        for i, canvas in enumerate(frames):
            height, width = (side // 2 * 2 for side in canvas.shape[:2])
            if i == 0:
                stream.height, stream.width = height, width
            picture = np.broadcast_to(canvas, (*canvas.shape[:2], 3))[:height, :width]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")))
        container.mux(stream.encode())


def import_av() -> Any:
    """PyAV; ``ValueError`` where it is not installed."""
    try:
        import av
    except ImportError:
        raise ValueError("video files need PyAV: pip install 'limner[video]', or give a folder of pictures") from None
    return av


def _open(path: Path) -> Any:
    av = import_av()
    try:
        container = av.open(str(path))
    except (OSError, ValueError) as error:
        raise ValueError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    require(len(container.streams.video) > 0, f"{path} has no pictures")
    return container


def _alike(frames: Iterator[Image.Image]) -> Iterator[Image.Image]:
    """The frames; ``ValueError`` at the first that has another size than the first of all."""
    size = None
    for i, frame in enumerate(frames):
        size = size or frame.size
        require(frame.size == size, f"frame {i} is {frame.size}, the first is {size}: make them all alike")
        yield frame
