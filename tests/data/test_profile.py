"""Pictures with colour profiles, in every mode and format: the colours that they have in sRGB."""

import io
import logging
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from colour_profiles import (
    SPACES,
    grey_profile,
    grey_to_srgb,
    press_profile,
    press_to_srgb,
    rgb_profile,
    rgb_to_srgb,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from limner.data import load_dataset
from limner.data.decoding import decode, open_picture
from limner.data.profile import _warn

Encode = Callable[..., bytes]
FORMATS = {"JPEG": {"quality": 95}, "PNG": {}, "TIFF": {}, "WEBP": {"lossless": True}, "AVIF": {"quality": 95}}
WIDE = ("Adobe RGB", "Display P3", "linear")
EXPONENTS = (1.0, 1.8, 2.2)


@pytest.fixture(autouse=True)
def _each_test_warns() -> None:
    _warn.cache_clear()


def pixels(mode: str) -> Image.Image:
    """A picture of 24 × 24 pixels: blocks of 8 × 8, since JPEG mixes the pixels of a block, of random values."""
    bands = len(Image.new(mode, (1, 1)).getbands())
    blocks = np.random.default_rng(0).integers(0, 256, (3, 3, bands), np.uint8).repeat(8, 0).repeat(8, 1)
    return Image.merge(mode, [Image.fromarray(np.ascontiguousarray(blocks[..., i])) for i in range(bands)])


def values(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(float)


def on_white(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Colour ``[H, W]`` or ``[H, W, 3]`` laid on white."""
    alpha = (alpha / 255).reshape(*alpha.shape, *[1] * (colour.ndim - 2))
    return colour * alpha + 255 * (1 - alpha)


def stored(encode: Encode, image: Image.Image, kind: str) -> Image.Image:
    """The picture as it is in the file, whose format may lose some of it."""
    opened = Image.open(io.BytesIO(encode(image, kind, **FORMATS[kind])))
    opened.load()
    return opened


@pytest.mark.parametrize("space", WIDE)
@pytest.mark.parametrize("kind", FORMATS)
def test_colours_become_those_of_srgb(encode: Encode, kind: str, space: str) -> None:
    found = decode(encode(pixels("RGB"), kind, icc_profile=rgb_profile(space), **FORMATS[kind]))
    expected = rgb_to_srgb(values(stored(encode, pixels("RGB"), kind)), space)
    assert found.mode == "RGB"
    assert abs(values(found) - expected).max() < 1.5
    assert abs(values(found) - values(stored(encode, pixels("RGB"), kind))).mean() > 5


@pytest.mark.parametrize("space", WIDE)
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "AVIF"])
def test_colours_are_converted_before_they_are_laid_on_white(encode: Encode, kind: str, space: str) -> None:
    found = decode(encode(pixels("RGBA"), kind, icc_profile=rgb_profile(space), **FORMATS[kind]))
    file = values(stored(encode, pixels("RGBA"), kind))
    assert found.mode == "RGB"
    assert abs(values(found) - on_white(rgb_to_srgb(file[..., :3], space), file[..., 3])).max() < 2.5


@pytest.mark.parametrize("gamma", EXPONENTS)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_grey_becomes_that_of_srgb(encode: Encode, kind: str, gamma: float) -> None:
    found = decode(encode(pixels("L"), kind, icc_profile=grey_profile(gamma), **FORMATS[kind]))
    assert found.mode == "L"
    assert abs(values(found) - grey_to_srgb(values(stored(encode, pixels("L"), kind)) / 255, gamma)).max() < 1


@pytest.mark.parametrize("gamma", EXPONENTS)
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_grey_is_converted_before_it_is_laid_on_white(encode: Encode, kind: str, gamma: float) -> None:
    found = decode(encode(pixels("LA"), kind, icc_profile=grey_profile(gamma)))
    grey, alpha = np.moveaxis(values(pixels("LA")), 2, 0)
    assert found.mode == "L"
    assert abs(values(found) - on_white(grey_to_srgb(grey / 255, gamma), alpha)).max() < 2


@pytest.mark.parametrize("gamma", EXPONENTS)
@pytest.mark.parametrize("mode", ["I;16", "I;16B", "F"])
def test_sixteen_bits_are_converted_before_they_are_rounded(encode: Encode, mode: str, gamma: float) -> None:
    deep = np.random.default_rng(0).integers(0, 2000, (8, 8)).astype(np.uint16)
    kinds = {
        "I;16": [(Image.fromarray(deep), "PNG"), (Image.fromarray(deep), "TIFF")],
        "I;16B": [(Image.frombytes("I;16B", (8, 8), deep.astype(">u2").tobytes()), "TIFF")],
        "F": [(Image.fromarray((deep / 65535).astype(np.float32)), "TIFF")],
    }
    for image, kind in kinds[mode]:
        found = values(decode(encode(image, kind, icc_profile=grey_profile(gamma))))
        assert abs(found - grey_to_srgb(deep / 65535, gamma)).max() < 0.7, "8 bits would err by 6 in the dark"


def test_transparent_sixteen_bits_are_white_whatever_the_profile(encode: Encode) -> None:
    deep = np.array([[7, 30000]], np.uint16)
    found = values(decode(encode(deep, icc_profile=grey_profile(1.0), transparency=7)))
    assert found.tolist() == [[255, round(float(grey_to_srgb(np.float64(30000 / 65535), 1.0)))]]


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_inks_become_the_colours_of_their_press(encode: Encode, kind: str) -> None:
    found = decode(encode(pixels("CMYK"), kind, icc_profile=press_profile(), **FORMATS[kind]))
    expected = press_to_srgb(values(stored(encode, pixels("CMYK"), kind)))
    assert found.mode == "RGB"
    assert abs(values(found) - expected).max() < 3
    blank = decode(encode(Image.new("CMYK", (8, 8)), kind, icc_profile=press_profile()))
    assert values(blank).min() == 255, "paper is white"


def test_palettes_are_converted(encode: Encode) -> None:
    palette = pixels("RGB").quantize(9)
    found = decode(encode(palette, icc_profile=rgb_profile("Display P3")))
    assert abs(values(found) - rgb_to_srgb(values(palette.convert("RGB")), "Display P3")).max() < 1.5
    clear = palette.getpixel((0, 0))
    found = values(decode(encode(palette, icc_profile=rgb_profile("Display P3"), transparency=clear)))
    assert (found[np.asarray(palette) == clear] == 255).all()


SRGB = {
    "LittleCMS": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    "a table": rgb_profile("sRGB"),
    "grey": grey_profile(None),
}


@pytest.mark.parametrize("profile", SRGB)
@pytest.mark.parametrize(
    ("mode", "kind"),
    [(m, k) for m in ("L", "RGB") for k in FORMATS] + [(m, k) for m in ("LA", "RGBA", "I;16") for k in ("PNG", "TIFF")],
)
def test_a_profile_of_srgb_changes_no_byte(
    encode: Encode, caplog: pytest.LogCaptureFixture, mode: str, kind: str, profile: str
) -> None:
    deep = Image.fromarray(np.random.default_rng(0).integers(0, 65536, (8, 8)).astype(np.uint16))
    image = deep if mode == "I;16" else pixels(mode)
    without, found = (
        decode(encode(image, kind, **options, **FORMATS[kind])) for options in ({}, {"icc_profile": SRGB[profile]})
    )
    assert found.mode == without.mode
    assert found.tobytes() == without.tobytes()
    assert not caplog.records


def test_gamma_and_primaries_of_a_png_are_no_profile(encode: Encode) -> None:
    content = encode(pixels("RGB"))
    chunks = b""
    for name, numbers in (("gAMA", (100_000,)), ("cHRM", (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000))):
        body = name.encode() + struct.pack(f">{len(numbers)}I", *numbers)
        chunks += struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    marked = content[:33] + chunks + content[33:]
    assert decode(marked).tobytes() == decode(content).tobytes()


UNFIT = {
    "of inks": ("RGB", press_profile(), "it is for CMYK, and the picture is RGB"),
    "of grey": ("RGB", grey_profile(2.2), "it is for GRAY, and the picture is RGB"),
    "of colour": ("L", rgb_profile("Adobe RGB"), "it is for RGB, and the picture is GRAY"),
    "of grey, alpha": ("RGBA", grey_profile(2.2), "it is for GRAY, and the picture is RGB"),
    "of colour, inks": ("CMYK", rgb_profile("Adobe RGB"), "it is for RGB, and the picture is CMYK"),
    "of other colours": ("RGB", rgb_profile("sRGB").replace(b"RGB XYZ ", b"HSV XYZ "), "it is for HSV"),
    "half": ("RGB", rgb_profile("Adobe RGB")[:300], "it is damaged (cannot"),
    "half of inks": ("CMYK", press_profile()[:300], "it is damaged (cannot"),
    "garbage": ("RGB", b"garbage" * 50, "it is damaged (cannot"),
    "grey garbage": ("L", b"garbage" * 50, "it is damaged (cannot"),
    "without curves": ("RGB", rgb_profile("Adobe RGB").replace(b"TRC", b"trc"), "it is damaged (cannot"),
}


KINDS = {
    "L": ("JPEG", "PNG", "TIFF"),
    "RGB": ("JPEG", "PNG", "TIFF", "WEBP"),
    "RGBA": ("PNG", "TIFF"),
    "CMYK": ("JPEG",),
}


@pytest.mark.parametrize(("which", "kind"), [(which, kind) for which in UNFIT for kind in KINDS[UNFIT[which][0]]])
def test_a_profile_that_does_not_fit_is_passed_over_with_a_warning(
    tmp_path: Path, encode: Encode, caplog: pytest.LogCaptureFixture, which: str, kind: str
) -> None:
    mode, profile, reason = UNFIT[which]
    path = tmp_path / f"picture.{kind.lower()}"
    path.write_bytes(encode(pixels(mode), kind, icc_profile=profile, **FORMATS[kind]))
    with caplog.at_level(logging.WARNING):
        found = open_picture(path)
        open_picture(path)
    assert found.tobytes() == decode(encode(pixels(mode), kind, **FORMATS[kind])).tobytes()
    (message,) = caplog.messages
    assert message.startswith(f"{path}: its colour profile is passed over: ")
    assert reason in message


def test_a_profile_that_pillow_cannot_put_together_is_passed_over_with_a_warning(
    encode: Encode, caplog: pytest.LogCaptureFixture
) -> None:
    profile = rgb_profile("Adobe RGB")
    jpeg = encode(pixels("RGB"), "JPEG", icc_profile=profile).replace(b"ICC_PROFILE\0\1\1", b"ICC_PROFILE\0\1\2")
    png = bytearray(encode(pixels("RGB"), "PNG", icc_profile=profile))
    at = png.index(b"iCCP")
    (length,) = struct.unpack(">I", png[at - 4 : at])
    png[at + 40 : at + 50] = bytes(10)
    png[at + 4 + length : at + 8 + length] = struct.pack(">I", zlib.crc32(png[at : at + 4 + length]))
    for content, kind in ((jpeg, "JPEG"), (bytes(png), "PNG")):
        caplog.clear()
        assert decode(content, f"damaged {kind}").tobytes() == decode(encode(pixels("RGB"), kind)).tobytes()
        assert [message.partition(":")[0] for message in caplog.messages] == [f"damaged {kind}"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([("RGB", rgb_profile("Adobe RGB")), ("L", grey_profile(1.8)), ("CMYK", press_profile())]),
    st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), min_size=1, max_size=6),
    st.integers(0, 700),
)
def test_damage_to_a_profile_never_costs_the_picture(
    encode: Encode, whole: tuple[str, bytes], damage: list[tuple[int, int]], cut: int
) -> None:
    mode, profile = whole
    broken = bytearray(profile)
    for at, value in damage:
        broken[at % len(broken)] = value
    found = decode(encode(pixels(mode), "TIFF", icc_profile=bytes(broken[: len(broken) - cut % 50])))
    assert found.mode == ("L" if mode == "L" else "RGB")
    assert found.size == (24, 24)


def test_without_littlecms_pictures_are_decoded_as_if_they_had_none(
    encode: Encode, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(content: object) -> None:
        raise ImportError("The _imagingcms C module is not installed")

    monkeypatch.setattr("limner.data.profile.ImageCms.ImageCmsProfile", missing)
    profile = rgb_profile("Adobe RGB") + b"never seen before"
    assert decode(encode(pixels("RGB"), icc_profile=profile)).tobytes() == pixels("RGB").tobytes()
    assert "_imagingcms" in caplog.text


def test_the_pictures_of_a_data_set_are_converted(
    tmp_path: Path, encode: Encode, caplog: pytest.LogCaptureFixture
) -> None:
    for i in range(20):
        profile = b"garbage" if i == 3 else rgb_profile("Display P3")
        (tmp_path / f"{i:02}.png").write_bytes(encode(pixels("RGB"), icc_profile=profile))
    data = load_dataset(f"folder:{tmp_path}")
    assert data.channels == 3
    for _ in range(2):
        wide, plain = data.pictures(24, np.array([0, 3]))
        data.pictures(12)
    assert abs(wide - rgb_to_srgb(values(pixels("RGB")), "Display P3")).max() < 1.5
    assert np.array_equal(plain, np.asarray(pixels("RGB")))
    assert [message.split(":")[0] for message in caplog.messages] == [str(tmp_path / "03.png")]


def test_the_profiles_of_these_tests_are_what_they_are_called() -> None:
    white = np.full((1, 3), 255.0)
    for space in SPACES:
        assert rgb_to_srgb(white, space) == pytest.approx(white, abs=0.1)
    assert rgb_to_srgb(np.array([[0.0, 255.0, 0.0]]), "Adobe RGB")[0] == pytest.approx([0, 255, 0], abs=0.5)
    assert rgb_to_srgb(np.array([[255.0, 0, 0]]), "Display P3")[0] == pytest.approx([255, 0, 0], abs=0.5)
    known = np.array([[200.0, 100.0, 50.0]])
    assert rgb_to_srgb(known, "Adobe RGB")[0] == pytest.approx([228, 100, 42], abs=2)
    assert press_to_srgb(np.zeros((1, 4)))[0] == pytest.approx([255, 255, 255], abs=0.1)
