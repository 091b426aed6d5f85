"""Colours as text."""

import re

from limner.worlds.validation import require


def hexadecimal(colour: str) -> str:
    """A CSS colour as ``#rrggbb``; ``ValueError`` when it is none."""
    from PIL.ImageColor import getrgb

    try:
        red, green, blue, *_ = getrgb(colour)
    except ValueError:
        raise ValueError(f"{colour!r} is no colour: give a name of CSS, such as navy, or #rrggbb") from None
    return as_text(red, green, blue)


def as_text(red: int, green: int, blue: int) -> str:
    """``#rrggbb`` of three channels, each in 0 … 255."""
    return f"#{red:02x}{green:02x}{blue:02x}"


def channels(colour: str) -> tuple[int, int, int]:
    """Red, green and blue of ``#rrggbb``, each in 0 … 255."""
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue


def is_grey(colour: str) -> bool:
    """Whether ``#rrggbb`` is a shade of grey."""
    return colour[1:3] == colour[3:5] == colour[5:7]


def read_palette(text: str) -> tuple[str, ...]:
    """The colours in a text: one a line as ``#rrggbb`` or a name, or a GIMP palette (``.gpl``: red, green, blue, name).

    ``ValueError`` naming the first line that is no colour, or when there is none.
    """
    lines = [line.strip() for line in text.splitlines()]
    gimp = lines[:1] == ["GIMP Palette"]
    skipped = r"#|Name:|Columns:|GIMP Palette|$" if gimp else r"//|;|$"
    colours = []
    for line in (line for line in lines if not re.match(skipped, line)):
        match = re.match(r"(\d{1,3})\s+(\d{1,3})\s+(\d{1,3})(?=\s|$)", line) if gimp else None
        shades = [int(part) for part in match.groups()] if match else [256]
        if max(shades) < 256:
            colours.append(as_text(*shades))
        else:
            bare = re.fullmatch(r"[0-9a-fA-F]{6}", line)
            colours.append(hexadecimal(f"#{line}" if bare else line))
    require(len(colours) > 0, "there is no colour in it: write one a line, such as #aa3311")
    return tuple(colours)
