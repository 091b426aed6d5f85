"""PNG files, sheets and animated GIF files."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageSequence

from limner.export.picture import gif, image, png, sheet, together


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA")])
def test_png_is_lossless(channels: int, mode: str) -> None:
    canvas = noise(7, 5, channels)
    again = Image.open(io.BytesIO(png(canvas)))
    assert again.mode == mode
    assert np.array_equal(np.asarray(again).reshape(7, 5, channels), canvas)


@pytest.mark.parametrize("bad", [noise(4, 4), noise(4, 4, 5), noise(0, 4, 1), np.zeros((4, 4, 1))])
def test_what_is_no_canvas_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="a canvas is uint8"):
        image(bad)


@given(st.integers(1, 12), st.integers(1, 5), st.integers(0, 3), st.sampled_from([1, 2, 3, 4]))
def test_every_canvas_is_on_the_sheet(count: int, columns: int, padding: int, channels: int) -> None:
    canvases = noise(count, 4, 6, channels)
    result = sheet(canvases, columns, padding)
    columns = min(columns, count)
    rows = -(-count // columns)
    assert result.shape == (padding + rows * (4 + padding), padding + columns * (6 + padding), channels)
    for i in range(count):
        top, left = padding + i // columns * (4 + padding), padding + i % columns * (6 + padding)
        assert np.array_equal(result[top : top + 4, left : left + 6], canvases[i])
    assert np.array_equal(sheet(canvases[None], columns, padding)[0], result)


def test_sheets_are_about_square() -> None:
    assert sheet(noise(64, 8, 8, 1)).shape[0] == sheet(noise(64, 8, 8, 1)).shape[1]
    with pytest.raises(ValueError, match="at least one"):
        sheet(noise(0, 8, 8, 1))
    with pytest.raises(ValueError, match="columns=0"):
        sheet(noise(1, 8, 8, 1), columns=0)


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


def test_together_waits_for_the_longest() -> None:
    drawings = [growing(2, 1), growing(5, 1), growing(3, 1)]
    frames = together(drawings, columns=3)
    assert frames.shape == (5, 26, 76, 1)
    for i, drawing in enumerate(drawings):
        left = 1 + 25 * i
        for step in range(5):
            expected = drawing[min(step, len(drawing) - 1)]
            assert np.array_equal(frames[step, 1:25, left : left + 24], expected)
    with pytest.raises(ValueError, match="at least one"):
        together([])
