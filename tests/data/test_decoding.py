"""Pictures of every kind, whole and broken."""

import io
import struct
import sys
import warnings
import zlib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import tifffile
from colour_profiles import grey_to_srgb, rgb_profile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from limner.data.archive import Archive
from limner.data.decoding import FORMATS, decode, has_colour, open_picture, read_picture, square

Encode = Callable[..., bytes]


def grey_pixels(height: int = 6, width: int = 8) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width), np.uint8)


def colour_pixels(height: int = 6, width: int = 8) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF"])
def test_grey_comes_back_exactly(encode: Encode, kind: str) -> None:
    image = decode(encode(grey_pixels(), kind))
    assert image.mode == ("RGB" if kind == "GIF" else "L")  # Pillow gives a GIF a palette
    assert not has_colour(image)
    assert np.array_equal(np.asarray(image.convert("L")), grey_pixels())


@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {}), ("BMP", {}), ("TIFF", {}), ("WEBP", {"lossless": True}), ("TIFF", {"compression": "tiff_lzw"})],
)
def test_colour_comes_back_exactly(encode: Encode, kind: str, options: dict) -> None:
    image = decode(encode(colour_pixels(), kind, **options))
    assert image.mode == "RGB"
    assert has_colour(image)
    assert np.array_equal(np.asarray(image), colour_pixels())


def test_jpeg_is_near_and_grey_in_it_is_grey(encode: Encode) -> None:
    smooth = np.linspace(0, 255, 64).astype(np.uint8)[None].repeat(64, 0)
    image = decode(encode(smooth, "JPEG", quality=95))
    assert image.mode == "L"
    assert abs(np.asarray(image).astype(int) - smooth).max() < 4
    image = decode(encode(Image.fromarray(smooth).convert("RGB"), "JPEG", quality=95))
    assert image.mode == "RGB"
    assert not has_colour(image)


def test_one_bit(encode: Encode) -> None:
    image = decode(encode(Image.fromarray(grey_pixels()).convert("1", dither=Image.Dither.NONE)))
    assert np.array_equal(np.asarray(image), np.where(grey_pixels() >= 128, 255, 0))


def test_palettes(encode: Encode) -> None:
    colour = Image.fromarray(colour_pixels()).quantize(16)
    assert np.array_equal(np.asarray(decode(encode(colour))), np.asarray(colour.convert("RGB")))
    grey = Image.fromarray(grey_pixels()).convert("RGB").quantize(256)
    assert not has_colour(decode(encode(grey)))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_rounded(encode: Encode, kind: str) -> None:
    deep = np.array([[0, 128, 129, 65535], [257, 385, 386, 32768]], np.uint16)
    image = decode(encode(deep, kind))
    assert image.mode == "L"
    assert np.array_equal(np.asarray(image), np.array([[0, 0, 1, 255], [1, 1, 2, 128]]))


def test_sixteen_bits_big_endian_and_transparent(encode: Encode) -> None:
    deep = Image.frombytes("I;16B", (2, 1), b"\xff\xff\x80\x00")
    assert np.asarray(decode(encode(deep, "TIFF"))).tolist() == [[255, 128]]
    pixels = np.array([[0, 65535], [7, 32768]], np.uint16)
    assert np.asarray(decode(encode(pixels, transparency=7))).tolist() == [[0, 255], [255, 128]]


def write_tiff(pixels: np.ndarray, **options: object) -> bytes:
    """A TIFF of any numbers."""
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **options)
    return file.getvalue()


@pytest.mark.parametrize("dtype", [np.int32, np.uint32, np.int16])
def test_whole_numbers_without_a_fixed_white_are_refused(dtype: type) -> None:
    with pytest.raises(ValueError, match=r"signed or have 32 bits: save it with 8 or 16"):
        decode(write_tiff(np.ones((4, 4), dtype)))


@settings(max_examples=50, deadline=None)
@given(arrays(np.float32, (3, 5), elements=st.floats(0, 1, width=32)), st.sampled_from("<>"), st.booleans())
def test_floating_point_from_black_to_white(values: np.ndarray, order: str, packed: bool) -> None:
    compression = {"compression": "zlib"} if packed else {}
    image = decode(write_tiff(values, byteorder=order, **compression))
    assert image.mode == "L"
    assert abs(np.asarray(image) - 255 * values.astype(float)).max() <= 0.51
    exact = np.rint(values * 255).astype(np.uint8)
    assert np.array_equal(np.asarray(decode(write_tiff((exact / 255).astype(np.float32)))), exact)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.nan, "holds NaN or infinity: replace"),
        (np.inf, "holds NaN or infinity: replace"),
        (-0.25, r"in -0\.25 … 1: scale them to 0 … 1"),
        (255, r"in 0 … 255: scale them to 0 … 1"),
        (1.0001, r"in 0 … 1\.0001: scale them to 0 … 1"),
    ],
)
def test_other_floating_point_numbers_are_refused(tmp_path: Path, value: float, message: str) -> None:
    path = tmp_path / "depth.tif"
    path.write_bytes(write_tiff(np.array([[0, 1, value]], np.float32)))
    with pytest.raises(ValueError, match=rf"cannot read .*depth\.tif: .*{message}"):
        open_picture(path)


@pytest.mark.parametrize(
    ("pixels", "options"),
    [
        (np.ones((4, 4, 3), np.float32), {"photometric": "rgb"}),
        (np.ones((4, 4), np.float64), {}),
        (np.ones((4, 4), np.float16), {}),
        (np.ones((4, 4, 3), np.uint32), {"photometric": "rgb"}),
    ],
)
def test_a_tiff_of_other_numbers_is_refused_with_the_remedy(pixels: np.ndarray, options: dict) -> None:
    with pytest.raises(ValueError, match="a TIFF of a kind that is not read: save it with 8 or 16 bits a channel"):
        decode(write_tiff(pixels, **options))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_tiff_that_counts_from_white_is_no_negative(dtype: type) -> None:
    white = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1
    values = (np.linspace(0, 1, 12).reshape(3, 4) * white).astype(dtype)
    found = np.asarray(decode(write_tiff(white - values, photometric="miniswhite")))
    assert np.array_equal(found, np.asarray(decode(write_tiff(values))))


def test_avif(encode: Encode) -> None:
    smooth = np.linspace(0, 255, 64).astype(np.uint8)[None].repeat(64, 0)
    colour = np.stack([smooth, smooth.T, 255 - smooth], axis=2)
    image = decode(encode(colour, "AVIF", quality=90))
    assert image.mode == "RGB"
    assert abs(np.asarray(image).astype(int) - colour).mean() < 3
    clear = np.dstack([colour, np.where(smooth > 127, 255, 0).astype(np.uint8)])
    assert (np.asarray(decode(encode(clear, "AVIF", quality=90)))[:, :28] > 250).all()


def write_heic(image: Image.Image, **options: object) -> bytes:
    """A HEIC; the test is skipped where no package writes one."""
    pytest.importorskip("pillow_heif").register_heif_opener()
    file = io.BytesIO()
    image.save(file, "HEIF", quality=95, **options)
    return file.getvalue()


def test_heic(tmp_path: Path) -> None:
    smooth = np.linspace(0, 255, 64).astype(np.uint8)[None].repeat(64, 0)
    colour = np.stack([smooth, smooth.T, 255 - smooth], axis=2)
    (tmp_path / "a.heic").write_bytes(write_heic(Image.fromarray(colour)))
    image = open_picture(tmp_path / "a.heic")
    assert image.mode == "RGB"
    assert abs(np.asarray(image).astype(int) - colour).mean() < 3
    clear = np.dstack([colour, np.where(smooth > 127, 255, 0).astype(np.uint8)])
    assert (np.asarray(decode(write_heic(Image.fromarray(clear))))[:, :28] > 250).all()
    assert Archive(tmp_path).names == ("a.heic",)


def test_a_heic_is_turned_upright_and_converted_to_srgb() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = Image.fromarray(np.ascontiguousarray(STORED[6](UPRIGHT))).convert("RGB")
    found = np.asarray(decode(write_heic(stored, exif=exif.tobytes(), icc_profile=rgb_profile("linear"))).convert("L"))
    assert found.shape == UPRIGHT.shape
    assert abs(found - grey_to_srgb(UPRIGHT / 255, 1.0)).mean() < 3


def test_without_their_packages_heic_and_avif_are_refused_with_the_remedy(
    encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    heic, avif = b"\0\0\0\x18ftypheic" + bytes(100), encode(colour_pixels(), "AVIF")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ValueError, match=r"HEIC: pip install 'limner\[heif\]'"):
        decode(heic)
    monkeypatch.setattr("PIL.AvifImagePlugin.SUPPORTED", False)
    monkeypatch.setattr("PIL.features.check", lambda name: name != "avif")
    with pytest.raises(ValueError, match="AVIF, without which this Pillow was built: save it as"):
        decode(avif)


def test_only_what_begins_as_heic_is_tried_as_heic(encode: Encode, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[object] = []
    opened = Image.open
    monkeypatch.setattr(
        "PIL.Image.open", lambda file, formats: (tried.append(formats), opened(file, formats=formats))[1]
    )
    decode(write_heic(Image.fromarray(colour_pixels())))
    for kind in ("PNG", "AVIF", "JPEG"):
        decode(encode(colour_pixels(), kind))
    with pytest.raises(ValueError, match="no picture in one of the formats"):
        decode(b"%!PS-Adobe-3.0 EPSF-3.0")
    assert tried == [(*FORMATS, "HEIF"), *[FORMATS] * 4]
    assert not {"EPS", "WMF", "PSD", "FITS"} & {*FORMATS, "HEIF"}


def test_transparency_is_laid_on_white(encode: Encode) -> None:
    clear = np.zeros((2, 2, 4), np.uint8)
    clear[0, 0] = (255, 0, 0, 255)
    clear[1, 1] = (0, 0, 0, 128)
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})):
        pixels = np.asarray(decode(encode(clear, kind, **options)))
        assert pixels[0, 0].tolist() == [255, 0, 0]
        assert pixels[0, 1].tolist() == [255, 255, 255]
        assert pixels[1, 1].tolist() == [127, 127, 127]
    ink = np.array([[[0, 0], [0, 255]], [[100, 255], [9, 0]]], np.uint8)
    grey = decode(encode(ink))
    assert grey.mode == "L"
    assert np.asarray(grey).tolist() == [[255, 0], [100, 255]]


def test_transparent_colours_of_palettes_greys_and_gifs(encode: Encode) -> None:
    palette = Image.new("P", (2, 1))
    palette.putpalette([0, 0, 0, 200, 0, 0])
    palette.putpixel((1, 0), 1)
    for kind in ("PNG", "GIF"):
        assert np.asarray(decode(encode(palette, kind, transparency=0))).tolist() == [[[255] * 3, [200, 0, 0]]]
    assert np.asarray(decode(encode(palette, transparency=b"\x00\xff"))).tolist() == [[[255] * 3, [200, 0, 0]]]
    grey = Image.fromarray(np.array([[0, 9]], np.uint8))
    assert np.asarray(decode(encode(grey, transparency=0))).tolist() == [[255, 9]]
    colour = Image.fromarray(np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8))
    assert np.asarray(decode(encode(colour, transparency=(1, 2, 3)))).tolist() == [[[255] * 3, [4, 5, 6]]]


def test_cmyk(encode: Encode) -> None:
    colour = Image.new("RGB", (16, 16), (200, 30, 60))
    for kind in ("JPEG", "TIFF"):
        found = np.asarray(decode(encode(colour.convert("CMYK"), kind)))
        assert abs(found.astype(int) - (200, 30, 60)).max() < 6


def test_the_first_frame_of_an_animation(encode: Encode) -> None:
    frames = [Image.fromarray(np.full((4, 4), value, np.uint8)) for value in (10, 200)]
    content = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert (np.asarray(decode(content)) == 10).all()


UPRIGHT = np.array([[0, 60, 120], [160, 200, 250]], np.uint8).repeat(16, 0).repeat(16, 1)
STORED = {  # EXIF orientation: how the upright picture lies in the file
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.T,
    6: lambda a: np.rot90(a),
    7: lambda a: np.rot90(a, 2).T,
    8: lambda a: np.rot90(a, -1),
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_exif_turns_the_picture(encode: Encode, kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](UPRIGHT)))
    found = np.asarray(decode(encode(stored, kind, exif=exif)).convert("L"))
    assert found.shape == UPRIGHT.shape
    assert abs(found.astype(int) - UPRIGHT).max() < 12


def test_square_cuts_out_the_middle() -> None:
    wide, tall = grey_pixels(6, 9), grey_pixels(218, 178)
    assert np.array_equal(square(Image.fromarray(wide), 1)[..., 0], wide[:, 1:7])
    assert np.array_equal(square(Image.fromarray(tall), 1, 178)[..., 0], tall[20:198])
    assert np.array_equal(square(Image.fromarray(tall), 1, 100)[..., 0], tall[59:159, 39:139])
    assert np.array_equal(square(Image.fromarray(wide), 1, 178)[..., 0], wide[:, 1:7])
    grey = square(Image.fromarray(wide), 3)
    assert grey.shape == (6, 6, 3)
    assert (grey == grey[..., :1]).all()
    luma = square(Image.new("RGB", (2, 2), (255, 0, 0)), 1)
    assert luma.ravel().tolist() == [76] * 4


def png_header(width: int, height: int) -> bytes:
    """A PNG that announces a size and ends there."""
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, body in (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", b""),
        (b"IEND", b""),
    ):
        parts.append(struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)))
    return b"".join(parts)


def broken(encode: Encode, which: str) -> bytes:
    whole = {kind: encode(colour_pixels(40, 40), kind) for kind in FORMATS}
    return {
        "empty": b"",
        "text": b"<html>404 Not Found</html>",
        "90 megapixels": png_header(10_000, 9_500),
        "100 megapixels and one line": png_header(10_000, 10_001),
        "179 megapixels": png_header(20_000, 20_000),
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n",
        **{f"half a {kind}": content[: len(content) // 2] for kind, content in whole.items()},
    }[which]


@pytest.mark.parametrize(
    ("which", "message"),
    [
        ("empty", "no picture in one of the formats JPEG"),
        ("text", "no picture in one of the formats JPEG"),
        ("postscript", "no picture in one of the formats JPEG"),
        ("90 megapixels", "truncated|incomplete|broken"),
        ("100 megapixels and one line", "more than 100 megapixels"),
        ("179 megapixels", "more than 100 megapixels"),
        *((f"half a {kind}", "") for kind in FORMATS),
    ],
)
def test_broken_pictures_are_named(tmp_path: Path, pack: Callable, encode: Encode, which: str, message: str) -> None:
    archive = Archive(pack(tmp_path / "set", {"sub/bad.png": broken(encode, which)}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match=f"cannot read .*sub/bad.png.*: .*({message})"):
            read_picture(archive, archive.names[0])


def test_memory_running_out_is_no_broken_picture(
    tmp_path: Path, pack: Callable, encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = Archive(pack(tmp_path / "set", {"a.png": encode(grey_pixels())}))

    def load(image: object) -> None:
        raise MemoryError

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    with pytest.raises(MemoryError):
        read_picture(archive, archive.names[0])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([*FORMATS, "HEIC"] if find_spec("pillow_heif") else FORMATS),
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_damage_is_a_value_error_or_a_picture(
    tmp_path: Path, encode: Encode, kind: str, damage: list[tuple[int, int]]
) -> None:
    image = Image.fromarray(colour_pixels(24, 24))
    content = bytearray(write_heic(image) if kind == "HEIC" else encode(image, kind))
    for at, value in damage:
        content[at % len(content)] = value
    (tmp_path / "set").mkdir(exist_ok=True)
    (tmp_path / "set/a.png").write_bytes(content)
    refused = ""
    try:
        assert square(read_picture(Archive(tmp_path / "set"), "a.png"), 3).dtype == np.uint8
    except ValueError as error:
        refused = str(error)
    assert not refused or "a.png" in refused


def test_exif_that_is_garbage(tmp_path: Path, encode: Encode) -> None:
    content = encode(colour_pixels(), "JPEG", exif=b"Exif\0\0II*\0garbage")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (tmp_path / "a.jpg").write_bytes(content)
        assert read_picture(Archive(tmp_path), "a.jpg").size == (8, 6)
