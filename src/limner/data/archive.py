"""The pictures in a folder or a zip.

Notable choices:
- A zip is read where it lies, entry by entry, in memory: nothing is ever written to the disk. A zip with an entry
  that would lead out of its folder is refused all the same: whoever made it meant harm, or made a mistake.
- A folder is searched with everything below it. Hidden files and what macOS adds to its zips are passed over, and
  symbolic links to folders are not followed, so there is no going round in circles.
- Names are sorted as text, with ``/`` between folders: a folder and its zip give the same pictures in the same order.
"""

from __future__ import annotations

import os
import re
import stat
import zipfile
from pathlib import Path

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff")
"""How the name of a picture ends, in small letters or capitals."""

LARGEST = 2**30
"""Bytes of the largest file that is read: more than 100 megapixels take in any format."""


class Archive:
    """A folder or zip, and the sorted ``names`` of the pictures in it."""

    def __init__(self, path: Path) -> None:
        """``ValueError`` when ``path`` is neither, cannot be read, holds no picture, or is a zip with unsafe names."""
        self.path = path
        self.zip = None if path.is_dir() else _open_zip(path)
        names = _walk(path) if self.zip is None else _entries(self.zip, path)
        self.names = tuple(sorted({name for name in names if name.lower().endswith(SUFFIXES)}))
        if not self.names:
            raise ValueError(f"{path} holds no picture: put some in whose names end in {', '.join(SUFFIXES)}")

    def read(self, name: str) -> bytes:
        """The content of a file; ``OSError``, ``ValueError`` or what zipfile raises when it cannot be read."""
        if self.zip is not None:
            entry = self.zip.getinfo(name)
            _check_length(entry.file_size)
            return self.zip.read(entry)
        return read_file(self.path / name)

    def where(self, name: str) -> str:
        """The place of a file, for people."""
        return str(self.path / name) if self.zip is None else f"{name} in {self.path}"


def read_file(path: Path) -> bytes:
    """The content of a regular file that is not too large for a picture; ``OSError`` or ``ValueError`` otherwise."""
    state = os.stat(path)
    if not stat.S_ISREG(state.st_mode):
        raise ValueError("it is no regular file")
    _check_length(state.st_size)
    return path.read_bytes()


def _check_length(length: int) -> None:
    if length > LARGEST:
        raise ValueError(f"it is {length} bytes long, more than any picture needs")


def _open_zip(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror or error}; name a folder or zip of pictures") from error
    except Exception as error:  # a damaged directory of entries makes zipfile raise almost anything
        raise ValueError(f"cannot read {path} as a zip ({error}): name a folder or zip of pictures") from error


def _entries(archive: zipfile.ZipFile, path: Path) -> list[str]:
    names = archive.namelist()
    for name in names:
        if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:[/\\]", name) or ".." in re.split(r"[/\\]", name):
            raise ValueError(f"{path} holds {name!r}, a name that leads out of its folder: pack it anew without")
    return [name for name in names if not any(map(_passed_over, name.split("/")))]


def _walk(top: Path) -> list[str]:
    """Everything below ``top`` but folders, relative to it."""
    names, todo = [], [""]
    while todo:
        prefix = todo.pop()
        try:
            with os.scandir(top / prefix) as entries:
                for entry in entries:
                    if _passed_over(entry.name):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(f"{prefix}{entry.name}/")
                    else:
                        names.append(f"{prefix}{entry.name}")
        except OSError as error:
            raise ValueError(f"cannot read the folder {top / prefix}: {error.strerror}; make it readable") from error
    return names


def _passed_over(part: str) -> bool:
    return part.startswith(".") or part == "__MACOSX"
