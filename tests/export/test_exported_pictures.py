"""PNG in bands, animated PNG: read by Pillow, compared with what is painted whole."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageSequence

from limner.export.apng import apng_parts
from limner.export.chunks import END, SIGNATURE, chunk, header, pixel_data
from limner.export.kinds import ExportOptions, export_program
from limner.export.picture import Pixels
from limner.programs import execution
from limner.programs.execution import bands, execute, picture_shape, snapshots
from limner.programs.frame import Frame
from limner.programs.program import Program
from limner.worlds import make_renderer


def program(steps: int = 8, frame: Frame | None = None, name: str = "paint", **settings: object) -> Program:
    renderer = make_renderer({"name": name, **settings})
    return Program(renderer.settings(), renderer.actions.sample(np.random.default_rng(5), steps), frame=frame)


def pixels(data: bytes) -> Pixels:
    with Image.open(io.BytesIO(data)) as picture:
        picture.load()
        return np.atleast_3d(np.asarray(picture))


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and contents of each chunk, with its checksum checked."""
    assert data.startswith(SIGNATURE)
    at = len(SIGNATURE)
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        assert struct.unpack_from(">I", data, at + 8 + size) == (zlib.crc32(kind + body),)
        yield kind, body
        at += size + 12


@st.composite
def pictures(draw: st.DrawFn) -> Pixels:
    shape = draw(st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4)))
    return draw(arrays(np.uint8, shape))


@given(pictures(), st.lists(st.integers(0, 9), max_size=3), st.integers(1, 4))
@settings(deadline=None, max_examples=60)
def test_any_bands_are_the_picture(picture: Pixels, cuts: list[int], rows: int) -> None:
    parts = np.split(picture, sorted(cut for cut in cuts if cut < len(picture)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("limner.export.chunks.ROWS", rows)
        data = b"".join(chunk(b"IDAT", part) for part in pixel_data(parts))
    np.testing.assert_array_equal(pixels(header(*picture.shape) + data + END), picture)


COLOURED = {"color": True, "space": "stroke", "sizes": (1, 4, 24)}
PROGRAMS = {
    "coloured": program(**COLOURED),
    "grey, jumps": program(),
    "splines": program(20, space="spline"),
    "random brush": program(brush="deevad/2B_pencil", **COLOURED),
    "tracking noise": program(brush="classic/charcoal", **COLOURED),
    "eraser": program(brush="deevad/kneaded_eraser_large", ground="#336699", **COLOURED),
    "smudge": program(brush="classic/smudge", ground="#336699", **COLOURED),
    "coloured paper": program(ground="#336699", **COLOURED),
    "no paper": program(ground="transparent", **COLOURED),
    "wide": program(frame=Frame(300, 130), **COLOURED),
    "high": program(frame=Frame(77, 300), **COLOURED),
    "released": program(preset="deepmind-2018"),
    "toy": program(name="toy"),
    "nothing": program(0),
}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("size", [130, 256])
def test_bands_are_the_picture_that_is_painted_whole(name: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "MAX_BAND_PIXELS", 1)
    some, whole = list(bands(PROGRAMS[name], size)), execute(PROGRAMS[name], size)
    np.testing.assert_array_equal(np.concatenate(some), whole)
    assert picture_shape(PROGRAMS[name], size) == whole.shape
    assert max(map(len, some)) <= 64
    assert len(some) >= len(whole) / 64


def test_large_canvases_are_executed_anew_for_bands_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a canvas beyond what fits no more is ever held."""
    kept = []
    world = execution.find_world("paint")
    make = type(world).band

    def band(settings: object, rows: range) -> object:
        kept.append(rows)
        return make(settings, rows)

    monkeypatch.setattr(type(world), "band", staticmethod(band))
    monkeypatch.setattr(execution, "MAX_BAND_PIXELS", 8192 * 128)
    some = program(1, sizes=(1,), frame=Frame(8, 1))
    assert [part.shape for part in bands(some, 8192)] == 8 * [(128, 8192, 1)]
    assert [len(rows) for rows in kept] == 8 * [128]


def test_a_png_of_any_size(tmp_path: Path) -> None:
    said = export_program(PROGRAMS["wide"], tmp_path / "x.png", "png", ExportOptions(size=600))
    assert said == "600 x 260 pixels"
    np.testing.assert_array_equal(pixels((tmp_path / "x.png").read_bytes()), execute(PROGRAMS["wide"], 600))
    with pytest.raises(ValueError, match="canvas is 8193: must be in 64 … 8192"):
        export_program(PROGRAMS["wide"], tmp_path / "y.png", "png", ExportOptions(size=8193))
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("name", ["coloured", "grey, jumps", "no paper", "wide", "nothing"])
def test_an_animated_png_has_every_frame(name: str) -> None:
    some = PROGRAMS[name]
    counts = range(len(some) + 1)
    parts = apng_parts(snapshots(some, counts, 96), len(counts), execute(some, 96), 0.05, 2.0)
    data = b"".join(parts)
    with Image.open(io.BytesIO(data)) as picture:
        assert getattr(picture, "default_image", False)
        assert picture.n_frames == len(counts) + 1  # type: ignore[attr-defined]
        seen = [(np.asarray(frame), frame.info.get("duration")) for frame in ImageSequence.Iterator(picture)]
    assert [duration for _, duration in seen[1:]] == [50.0] * (len(counts) - 1) + [2000.0]
    for (shown, _), expected in zip(seen[1:], snapshots(some, counts, 96), strict=True):
        assert np.atleast_3d(shown).shape == expected.shape
        np.testing.assert_array_equal(np.atleast_3d(shown), expected)
    kinds = [(kind, body) for kind, body in chunks(data)]
    assert [kind for kind, _ in kinds][:3] == [b"IHDR", b"acTL", b"IDAT"]
    assert kinds[-1][0] == b"IEND"
    numbered = [struct.unpack(">I", body[:4])[0] for kind, body in kinds if kind in (b"fcTL", b"fdAT")]
    assert numbered == list(range(len(numbered)))


def test_a_viewer_without_animations_shows_the_finished_picture() -> None:
    some = PROGRAMS["coloured"]
    data = b"".join(apng_parts(snapshots(some, [0, 4], 96), 2, execute(some, 96)))
    still = SIGNATURE + b"".join(chunk(*each) for each in chunks(data) if each[0] in (b"IHDR", b"IDAT", b"IEND"))
    np.testing.assert_array_equal(pixels(still), execute(some, 96))
