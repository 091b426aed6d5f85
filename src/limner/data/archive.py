"""The pictures in a folder or a zip.

Notable choices:
- A zip is read entry by entry in memory; nothing is extracted. A zip with a name that leads out of its folder is
  refused all the same.
- A folder is searched with everything below it, except hidden files, what macOS adds to its zips, and symbolic links to
  folders, which could form a cycle.
- Names are sorted as text, with ``/`` between folders: a folder and its zip give the same pictures in the same order.
"""

import os
import re
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from limner.worlds.validation import require

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif")
LARGEST = 2**30  # bytes of the largest file that is read: more than 100 megapixels take in any format


class Archive:
    """A folder or zip, and the sorted ``names`` of the pictures in it."""

    def __init__(self, path: Path) -> None:
        """``ValueError`` when ``path`` is neither, cannot be read, holds no picture, or is a zip with unsafe names."""
        self.path = path
        self.zip = None
        if not path.is_dir():
            with reading(f"{path} as a zip", "name a folder or zip of pictures"):
                self.zip = zipfile.ZipFile(path)
        names = _walk(path) if self.zip is None else _entries(self.zip, path)
        self.names = tuple(sorted({name for name in names if name.lower().endswith(SUFFIXES)}))
        require(bool(self.names), f"{path} holds no picture: put some in whose names end in {', '.join(SUFFIXES)}")

    def read(self, name: str) -> bytes:
        """The content of a file; ``OSError``, ``ValueError`` or what zipfile raises when it cannot be read."""
        if self.zip is None:
            return read_file(self.path / name)
        entry = self.zip.getinfo(name)
        _check_length(entry.file_size)
        return self.zip.read(entry)

    def where(self, name: str) -> str:
        """Name and place of a file, for messages."""
        return str(self.path / name) if self.zip is None else f"{name} in {self.path}"


def read_file(path: Path) -> bytes:
    """The content of a regular file of at most ``LARGEST`` bytes; ``OSError`` or ``ValueError`` otherwise."""
    state = os.stat(path)
    require(stat.S_ISREG(state.st_mode), "it is no regular file")
    _check_length(state.st_size)
    return path.read_bytes()


def _check_length(length: int) -> None:
    require(length <= LARGEST, f"it is {length} bytes long, more than any picture needs")


@contextmanager
def reading(what: object, remedy: str = "") -> Iterator[None]:
    """Make any error within a ``ValueError`` that says what cannot be read, why, and the remedy."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:  # damaged files raise almost anything
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise ValueError(f"cannot read {what}: {reason}" + (f"; {remedy}" if remedy else "")) from error


def _entries(archive: zipfile.ZipFile, path: Path) -> list[str]:
    names = archive.namelist()
    for name in names:
        if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:[/\\]", name) or ".." in re.split(r"[/\\]", name):
            raise ValueError(f"{path} holds {name!r}, a name that leads out of its folder: pack it again without it")
    return [name for name in names if not any(map(_hidden, name.split("/")))]


def _walk(top: Path) -> list[str]:
    """The files below ``top`` by their names relative to it; ``ValueError`` naming a folder that cannot be read."""

    def fail(error: OSError) -> NoReturn:
        raise ValueError(f"cannot read the folder {error.filename}: {error.strerror}; make it readable") from error

    names: list[str] = []
    for folder, folders, files in os.walk(top, onerror=fail):
        folders[:] = [name for name in folders if not _hidden(name)]
        prefix = Path(folder).relative_to(top)
        names += [(prefix / name).as_posix() for name in files if not _hidden(name)]
    return names


def _hidden(part: str) -> bool:
    return part.startswith(".") or part == "__MACOSX"
