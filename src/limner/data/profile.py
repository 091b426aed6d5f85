"""Colour profiles (ICC): the colours of a picture in sRGB, which a picture without a profile is taken to be in.

Notable choices:
- Relative colorimetric, with the black point compensated: white stays white, and black black.
- A profile that moves no colour by more than ``CLOSE`` is one of sRGB, whoever wrote it and however: pictures keep
  their bytes. Common ones move a colour by at most 1; an exponent of 2.2 in place of the curve of sRGB moves dark ones
  by 9.
- A profile that is damaged, or for other channels than the picture has, is passed over with a warning.
- Only profiles count. The chunks gAMA and cHRM of a PNG do not: nearly all state an exponent of 2.2 and the primaries
  of sRGB, which programs write into pictures that are in sRGB. Taken at their word they would change these.
- Grey is looked up in a table of 65,536 values: the fast paths of LittleCMS for grey err by up to 10 of 255.
"""

import io
import logging
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from limner.worlds.validation import require

CLOSE = 2
"""How far a profile of sRGB moves a value at most, of 255."""
MODES = {"GRAY": ("I;16",), "RGB": ("RGB", "RGBA"), "CMYK": ("CMYK",)}
"""The modes of pictures that a profile is for, by what ICC calls its colours."""
PLAIN = ((np.arange(65536) * 255 + 32767) // 65535).astype(np.uint8)
"""``grey_table`` without a profile: values are rounded to 8 bits."""

logger = logging.getLogger(__name__)


def to_srgb(image: Image.Image, profile: object, where: str) -> Image.Image:
    """A picture ``RGB``, ``RGBA`` or ``CMYK`` with the colours that ``profile`` gives it: ``RGB`` or ``RGBA``.

    ``profile`` is what Pillow has found: bytes, empty without any, or something else where it is damaged. ``where``
    names the picture in a warning.
    """
    transform = _find(profile, image.mode, where)
    if transform is not None:
        return _apply(image, transform)
    return image.convert("RGB") if image.mode == "CMYK" else image


def grey_table(profile: object, where: str) -> NDArray[np.uint8]:
    """``uint8[65536]``: what each grey of 16 bits is in sRGB; arguments as ``to_srgb``."""
    transform = _find(profile, "I;16", where)
    return PLAIN if transform is None else _grey_table(transform)


def _find(profile: object, mode: str, where: str) -> ImageCms.ImageCmsTransform | None:
    """The transform of a profile; None where it changes nothing or, with a warning, where it cannot be used."""
    if profile == b"":
        return None
    try:
        return _transform(profile if isinstance(profile, bytes) else b"", mode)
    except (ImageCms.PyCMSError, OSError) as error:
        _warn(where, f"it is damaged ({error})")
    except (ValueError, ImportError) as error:  # for other pictures, or a Pillow without LittleCMS
        _warn(where, str(error))
    return None


@lru_cache(maxsize=8)
def _transform(content: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """From a profile to sRGB, None where it is one of sRGB; raises where it is damaged, or for others than ``mode``."""
    profile = ImageCms.ImageCmsProfile(io.BytesIO(content))
    space = profile.profile.xcolor_space.strip()
    require(space in MODES, f"it is for {space}")
    source = mode if mode in MODES[space] else MODES[space][0]
    flags = ImageCms.Flags.NOOPTIMIZE if space == "GRAY" else ImageCms.Flags.HIGHRESPRECALC
    flags |= ImageCms.Flags.BLACKPOINTCOMPENSATION
    intent, target = ImageCms.Intent.RELATIVE_COLORIMETRIC, "RGBA" if source == "RGBA" else "RGB"
    transform = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), source, target, intent, flags)
    if space != "CMYK" and _is_srgb(transform, source):
        return None
    wanted = next(name for name, modes in MODES.items() if mode in modes)
    require(wanted == space, f"it is for {space}, and the picture is {wanted}")
    return transform


def _is_srgb(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether a transform leaves 17 × 17 × 17 colours, or 256 greys, where they are."""
    if mode == "I;16":
        moved = _grey_table(transform)[::257] - np.arange(256)
    else:
        axis = np.linspace(0, 255, 17).astype(np.uint8)
        colours = np.stack(np.meshgrid(axis, axis, axis), axis=-1).reshape(17, -1, 3)
        after = _apply(Image.fromarray(colours).convert(mode), transform)
        moved = np.asarray(after)[..., :3] - colours.astype(int)
    return int(abs(moved).max()) <= CLOSE


@lru_cache(maxsize=8)
def _grey_table(transform: ImageCms.ImageCmsTransform) -> NDArray[np.uint8]:
    ramp = Image.fromarray(np.arange(65536, dtype=np.uint16)[None])
    return np.asarray(_apply(ramp, transform))[0, :, 1].copy()


def _apply(image: Image.Image, transform: ImageCms.ImageCmsTransform) -> Image.Image:
    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None, "it is None only in place"
    return converted


@lru_cache(maxsize=10_000)
def _warn(where: str, reason: str) -> None:
    """Once for each picture and reason: a data set decodes some of its pictures again and again."""
    logger.warning("%s: its colour profile is passed over: %s", where, reason)
