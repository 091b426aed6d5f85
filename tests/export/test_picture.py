"""PNG files and sheets."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from limner.export.picture import image, png, sheet, together


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
