"""Files and folders: the user's own, and those that several processes may want.

A file is written so that a reader never sees half of it. A folder is held by ``flock``: the kernel lets it go when the
process ends, however it ends. Where a file system has no such locks, folders count as not held.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO


def expand_home(path: str | Path, remedy: str = "give the whole path") -> Path:
    """``path`` with ``~`` or ``~NAME`` at its start replaced by a home folder.

    ``ValueError`` when there is none: HOME is not set and the system does not know the user, as in some containers.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise ValueError(f"{path}: no home folder is known for this user; set HOME, or {remedy}") from None


@contextlib.contextmanager
def made(folder: Path) -> Iterator[None]:
    """While open, ``folder`` exists. Of what was made for that, what is empty is removed again."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        with contextlib.suppress(OSError):
            for each in missing:
                each.rmdir()


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """An ``OSError`` raised while open names ``path``."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def write_atomic(path: str | Path, data: bytes | str) -> None:
    """Write ``data`` to ``path``, as ``replacing`` does."""
    with replacing(path) as file:
        file.write(data.encode() if isinstance(data, str) else data)


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[IO[bytes]]:
    """A file to write, part by part, that is ``path`` afterwards: a temporary one beside it, synced, then renamed.

    On any error (a full disk, say) the old file stays as it was, no temporary file and no new folder is left, and an
    ``OSError``, which names ``path``, goes to the caller.
    """
    path, temporary = Path(path), ""
    with naming(path), made(path.parent):
        try:
            handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
            raise


def create_private(path: Path, data: str) -> None:
    """Write ``data`` to a new file that only its owner reads; ``OSError``, ``FileExistsError`` where there is one.

    Of several processes that call this at the same time one writes the file, and none ever reads half of it.
    """
    with naming(path), made(path.parent), tempfile.NamedTemporaryFile("w", dir=path.parent) as file:
        file.write(data)
        file.flush()
        os.link(file.name, path)


def append_atomic(path: Path, data: bytes) -> None:
    """Append ``data`` to ``path``, which is made if needed.

    On any error (a full disk, say) the file stays as it was, or is not there; ``OSError`` names it.
    """
    with naming(path), made(path.parent):
        new = not path.exists()
        with path.open("ab", buffering=0) as file:
            size, rest = file.tell(), memoryview(data)
            try:
                while rest:
                    rest = rest[file.write(rest) :]
            except BaseException:
                with contextlib.suppress(OSError):  # of what is no regular file
                    file.truncate(size)
                    if new:
                        path.unlink()
                raise


def is_disk_full(error: OSError) -> bool:
    """Whether no space is left on a disk, or in a user's share of it."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


@contextlib.contextmanager
def hold(folder: Path) -> Iterator[None]:
    """While open, ``folder`` is held by this process; ``ValueError`` when another holds it.

    It is made if needed, and removed again if it is empty at the end.
    """
    with made(folder), _locked(folder, fcntl.LOCK_EX) as free:
        if not free:
            raise ValueError(f"another process is at work in {folder}: wait until it ends, or choose another folder")
        yield


def is_held(folder: Path) -> bool:
    """Whether a process holds ``folder``."""
    with _locked(folder, fcntl.LOCK_SH) as free:
        return not free


@contextlib.contextmanager
def _locked(folder: Path, kind: int) -> Iterator[bool]:
    """While open, ``folder`` is locked; gives False where another lock forbids that."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
            free = True
        except OSError as error:
            free = not isinstance(error, BlockingIOError)
        yield free
    finally:
        os.close(handle)
