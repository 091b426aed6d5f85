"""The two folders that a client reaches: pictures that it may paint from, and drawings that it saves.

A client gives names, never paths of its own: nothing outside the folders is read or written, whatever a name or a
symbolic link says.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from limner.data.archive import Archive, reading
from limner.files import write_atomic
from limner.worlds.validation import brief, require

if TYPE_CHECKING:
    from PIL import Image

LARGEST_FILE = 64 * 2**20
"""Bytes of a picture in a file."""
LARGEST_DATA = 8 * 2**20
"""Bytes of a picture in a message."""
MOST_PIXELS = 50_000_000
"""Of a picture."""
MOST_FILES = 200
"""That a session saves, and that are listed."""
NAME = re.compile(r"[A-Za-z0-9][\w .+()-]{0,99}", re.ASCII)
"""What drawings may be called."""


class PictureFolder:
    """Pictures below a folder."""

    def __init__(self, root: Path | None) -> None:
        """``None``: there are no pictures. ``ValueError`` unless it is a folder."""
        require(root is None or root.is_dir(), f"--pictures {root} is no folder: name one with pictures")
        self._root = None if root is None else Path(os.path.realpath(root))

    def names(self) -> list[str]:
        """Names of the pictures, sorted, with ``/`` between folders; ``ValueError`` where there are none."""
        return [name for name in Archive(self._known()).names if self._find(name) is not None]

    def open(self, name: str) -> Image.Image:
        """The picture called ``name``, ``L`` or ``RGB``; ``ValueError`` when there is none, or it cannot be read."""
        if (path := self._find(name)) is None:
            raise ValueError(f"there is no picture {brief(name)}: the tool pictures lists those there are")
        with reading(f"the picture {brief(name)}"), open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            content = file.read(LARGEST_FILE + 1)
        return _decode(content, LARGEST_FILE, f"the picture {brief(name)}")

    def _find(self, name: str) -> Path | None:
        """The regular file called ``name``, if there is one within the folder when links are followed."""
        root = self._known()
        try:
            path = Path(os.path.realpath(root / name))
            inside = not os.path.isabs(name) and path.is_relative_to(root)
            return path if inside and stat.S_ISREG(os.lstat(path).st_mode) else None
        except (OSError, ValueError):  # names that no file can have
            return None

    def _known(self) -> Path:
        none = "there is no folder of pictures: give the picture as data, or start limner mcp with --pictures FOLDER"
        if self._root is None:
            raise ValueError(none)
        return self._root


def decode_data(data: str) -> Image.Image:
    """A picture in base64, ``L`` or ``RGB``; ``ValueError`` when it is none or too large."""
    text = data.partition(",")[2] if data.startswith("data:") else data
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"data is {brief(data[:40])}: must be the bytes of a picture file in base64") from None
    return _decode(content, LARGEST_DATA, "data")


def _decode(content: bytes, largest: int, what: str) -> Image.Image:
    from limner.data.decoding import decode

    small = f"{what} is larger than {largest // 2**20} MiB: make it smaller"
    require(len(content) <= largest, small)
    with reading(what):
        return decode(content, what, MOST_PIXELS)


class DrawingFolder:
    """A folder for drawings, made when the first is saved. Files that were there before are never replaced."""

    def __init__(self, root: Path) -> None:
        """``ValueError`` when it is a file."""
        require(root.is_dir() or not root.exists(), f"--out {root} is a file: name a folder")
        self._root = Path(os.path.abspath(root))
        self._saved: set[str] = set()

    def check(self, name: str, endings: tuple[str, ...]) -> None:
        """``ValueError`` unless a file may be saved as ``name``."""
        listed = ", ".join(endings)
        rule = f"must be a name without folders, of letters, digits, spaces and .+()-_, that ends in {listed}"
        require(NAME.fullmatch(name) is not None and name.lower().endswith(endings), f"name is {brief(name)}: {rule}")
        if name not in self._saved:
            there = os.path.lexists(self._root / name)
            require(not there, f"{name} is there already and not of this session: choose another name")
            many = f"{len(self._saved)} files are saved: save under one of their names"
            require(len(self._saved) < MOST_FILES, many)

    def save(self, name: str, content: bytes | str) -> Path:
        """Write a file whose name was checked, and give its place; ``OSError`` if that is not possible."""
        write_atomic(self._root / name, content)
        self._saved.add(name)
        return self._root / name
