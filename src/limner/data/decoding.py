"""Decoding one picture: upright, in sRGB, on white, 8 bits a channel.

Notable choices:
- Pillow tries only ``FORMATS``, so a file named ``.png`` never reaches a decoder that runs programs (EPS, for one).
  What begins as HEIC does is tried as HEIC too, where the package pillow-heif is installed.
- A picture of more than 100 megapixels is refused before it is decoded.
- A colour profile is applied before alpha is laid on white and colour becomes grey: see ``limner.data.profile``.
- 16 bits become 8 by rounding; so do floating-point numbers, 0 being black and 1 white. Integers of 32 bits have no
  fixed white and are refused.
- Colour becomes grey as luma (ITU-R BT.601), as in ``limner.metrics.features``.
"""

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageOps, TiffImagePlugin, UnidentifiedImageError, features

from limner.data.archive import Archive, read_file, reading
from limner.data.profile import grey_table, to_srgb
from limner.data.resize import Pictures
from limner.worlds.validation import require

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
LARGEST = 100_000_000  # pixels of the largest picture
DEEP_MODES = ("I", "I;16", "I;16L", "I;16B", "I;16N", "F")
GREY_MODES = ("1", "L", "LA", "La", *DEEP_MODES)
ALPHA_MODES = ("LA", "La", "PA", "RGBA", "RGBa")
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
AVIF_BRANDS = (b"avif", b"avis")


def read_picture(archive: Archive, name: str, remedy: str = "") -> Image.Image:
    """A picture of the archive: ``L`` when its format has no colour, else ``RGB``.

    ``ValueError`` naming the file, and the ``remedy``, when it cannot be read.
    """
    with reading(archive.where(name), remedy):
        return decode(archive.read(name), archive.where(name))


def open_picture(path: Path) -> Image.Image:
    """The picture in a file, as ``read_picture``."""
    with reading(path):
        return decode(read_file(path), str(path))


def decode(content: bytes, where: str = "a picture", largest: int = LARGEST) -> Image.Image:
    """The first frame of a picture, rotated by its EXIF orientation, in sRGB, over white, as ``L`` or ``RGB``.

    ``where`` names it in the warning that its colour profile cannot be used. ``ValueError`` when it is in another
    format, has more than ``largest`` pixels, or numbers other than 8 or 16 bits or floats in 0 … 1; what Pillow raises
    when damaged.
    """
    with warnings.catch_warnings(action="ignore"):  # Pillow warns of damage that it can repair
        image = _open(content, largest)
        image.load()  # first: some formats store EXIF after the pixels, and Pillow rotates TIFF while loading
        ImageOps.exif_transpose(image, in_place=True)
    profile, grey = image.info.get("icc_profile", b""), image.mode in GREY_MODES
    alpha = "transparency" in image.info or image.mode in ALPHA_MODES
    if grey:
        image = _grey(image, alpha, grey_table(profile, where))
    elif image.mode == "CMYK":
        image = to_srgb(image, profile, where)
    else:
        image = to_srgb(image.convert("RGBA" if alpha else "RGB"), profile, where)
    if alpha:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return image.convert("L" if grey else "RGB")


def measure(content: bytes) -> tuple[int, int]:
    """Width and height of a picture, which is not decoded for it; ``ValueError`` as ``decode``."""
    with warnings.catch_warnings(action="ignore"):
        return _open(content).size


def square(image: Image.Image, channels: int, crop: int | None = None) -> Pictures:
    """The largest centred square of at most ``crop`` pixels a side, as ``uint8[S, S, channels]``."""
    side = min(image.size) if crop is None else min(*image.size, crop)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    cut = image.crop((left, top, left + side, top + side)).convert("L" if channels == 1 else "RGB")
    return np.asarray(cut).reshape(side, side, channels)


def has_colour(image: Image.Image) -> bool:
    """Whether any pixel of an ``L`` or ``RGB`` picture is not grey."""
    red, *others = image.split()
    return any(ImageChops.difference(red, other).getbbox() is not None for other in others)


def _grey(image: Image.Image, alpha: bool, table: Pictures) -> Image.Image:
    """A picture without colour as ``L`` or ``LA``, by a table of what values of 16 bits become."""
    if image.mode in DEEP_MODES:
        deep = _sixteen_bits(image)
        light = Image.fromarray(table[deep])
        if alpha:
            opaque = deep != image.info["transparency"]
            light.putalpha(Image.fromarray(np.where(opaque, 255, 0).astype(np.uint8)))
        return light
    image = image.convert("LA" if alpha else "L")
    light = Image.fromarray(table[::257][np.asarray(image.getchannel("L"))])
    if alpha:
        light.putalpha(image.getchannel("A"))
    return light


def _sixteen_bits(image: Image.Image) -> NDArray[np.uint16]:
    """The values of a grey picture of more than 8 bits, 0 black and 65535 white; ``ValueError`` as ``decode``."""
    require(image.mode != "I", "its numbers are signed or have 32 bits: save it with 8 or 16 bits a channel")
    values = np.asarray(image)
    if image.mode == "F":
        require(bool(np.isfinite(values).all()), "it holds NaN or infinity: replace them by numbers in 0 … 1")
        low, high = float(values.min()), float(values.max())
        require(low >= 0 and high <= 1, f"its numbers are in {low:g} … {high:g}: scale them to 0 … 1, black to white")
        values = np.rint(values * 65535)
    deep = values.astype(np.uint16)
    from_white = getattr(image, "tag_v2", {}).get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0
    return 65535 - deep if from_white else deep  # Pillow turns round 8 bits alone


def _open(content: bytes, largest: int = LARGEST) -> Image.Image:
    """The picture before its pixels are decoded."""
    brand = content[8:12] if content[4:8] == b"ftyp" else b""  # ISO 14496-12, 4.3
    heic = brand in HEIC_BRANDS and _can_read_heic()
    try:
        image: Image.Image = Image.open(io.BytesIO(content), formats=(*FORMATS, "HEIF") if heic else FORMATS)
        if image.width * image.height > largest:
            raise Image.DecompressionBombError
    except UnidentifiedImageError:
        if brand in HEIC_BRANDS and not heic:
            reason = "it is in the format HEIC: pip install 'limner[heif]' adds what reads it; or save it as JPEG"
        elif brand in AVIF_BRANDS and not features.check("avif"):
            reason = "it is in the format AVIF, without which this Pillow was built: save it as PNG or JPEG"
        elif content.startswith(tuple(TiffImagePlugin.PREFIXES)):
            reason = "it is damaged, or a TIFF of a kind that is not read: save it with 8 or 16 bits a channel"
        else:
            reason = f"it is no picture in one of the formats {', '.join(FORMATS)}, HEIC"
        raise ValueError(reason) from None
    except Image.DecompressionBombError:
        raise ValueError(f"it has more than {largest // 10**6} megapixels: make it smaller") from None
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        image.tile = [_in_native_order(tile) for tile in image.tile]
    return image


def _in_native_order(tile: Any) -> Any:
    """libtiff gives numbers in the order of this machine, not of the file: Pillow overlooks that for floats."""
    if tile.codec_name == "libtiff" and isinstance(tile.args, tuple) and tile.args[0] == "F;32BF":
        return tile._replace(args=("F;32NF", *tile.args[1:]))
    return tile


def _can_read_heic() -> bool:
    """Whether the package pillow-heif is installed; then Pillow has its format from now on."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener()
    return True
