"""Animated GIF files."""

from __future__ import annotations

import io
import tracemalloc

import numpy as np
import pytest
from PIL import Image, ImageSequence

from limner.export.animation import gif, stream_gif


def growing(steps: int, channels: int) -> np.ndarray:
    """A canvas on which one more column is inked in every frame."""
    frames = np.full((steps, 24, 24, channels), 255, np.uint8)
    for step in range(steps):
        frames[step:, :, step] = 40 * step % 256
    return frames


def read(data: bytes) -> tuple[np.ndarray, list[int]]:
    file = Image.open(io.BytesIO(data))
    frames = [(np.asarray(frame.convert("RGB")), frame.info["duration"]) for frame in ImageSequence.Iterator(file)]
    assert file.info["loop"] == 0
    return np.stack([frame for frame, _ in frames]), [duration for _, duration in frames]


def test_grey_is_exact() -> None:
    frames = growing(6, 1)
    pictures, durations = read(gif(frames, step=0.1, hold=2))
    assert np.array_equal(pictures, np.repeat(frames, 3, axis=-1))
    assert durations == [100] * 5 + [2000]


def test_frames_in_which_nothing_happens_take_their_time() -> None:
    frames = growing(6, 1)[[0, 0, 0, 1, 1, 2]]
    _, durations = read(gif(frames, step=0.1, hold=1))
    assert sum(durations) == 500 + 1000


def test_colour_is_close_and_does_not_flicker() -> None:
    frames = np.full((4, 32, 32, 3), 255, np.uint8)
    y, x = np.mgrid[:32, :32]
    frames[:, :, :16] = np.stack([8 * x, 8 * y, 255 - 4 * x - 4 * y], -1).astype(np.uint8)[:, :16]
    for step in range(4):
        frames[step:, 4 * step, 16:] = (200, 10, 60 * step)
    pictures, _ = read(gif(frames))
    assert np.abs(pictures.astype(int) - frames).mean() < 8
    same = (frames[1:] == frames[:-1]).all(-1)
    assert np.array_equal(pictures[1:][same], pictures[:-1][same])
    white = (frames == 255).all(-1)
    assert pictures[white].min() >= 250


def test_transparent_ground_is_laid_on_white() -> None:
    frames = np.zeros((2, 8, 8, 2), np.uint8)
    frames[1, :4, :, 1] = 255
    pictures, _ = read(gif(frames))
    assert (pictures[0] == 255).all()
    assert (pictures[1, :4] == 0).all()


@pytest.mark.parametrize("change", [{"step": 0}, {"hold": float("nan")}, {"step": 100}])
def test_impossible_times(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="GIF needs"):
        gif(growing(2, 1), **change)
    with pytest.raises(ValueError, match="GIF needs"):
        gif(growing(0, 1))


def test_frames_are_made_one_by_one_and_not_kept() -> None:
    def frame(step: int) -> np.ndarray:
        canvas = np.full((256, 256, 3), 255, np.uint8)
        canvas[:, : step + 1] = (10, step, 200)
        return canvas

    colours = [frame(step) for step in range(0, 256, 16)]
    tracemalloc.start()
    data = stream_gif(map(frame, range(256)), colours)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert Image.open(io.BytesIO(data)).n_frames > 100
    assert peak < 20 * 256 * 256 * 3 + len(data) * 4


def test_only_what_changes_is_encoded() -> None:
    frames = np.full((20, 256, 256, 1), 255, np.uint8)
    for step in range(20):
        frames[step:, step, : step + 1] = np.random.default_rng(step).integers(0, 255, (step + 1, 1))
    assert len(gif(frames)) < 3 * len(gif(frames[-1:]))
    assert np.array_equal(read(gif(frames))[0][-1], np.repeat(frames[-1], 3, axis=-1))
