"""Fetching published data sets. ``load_dataset`` never uses the network.

Notable choices:
- A file is received as ``NAME.part``. An interrupted one stays, and the next attempt asks the server for the rest (HTTP
  Range). It is renamed only when its MD5 is that of the published file, and removed otherwise.
- An existing file is never overwritten, whatever its content.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from limner.data.root import download_folder
from limner.files import naming
from limner.worlds.validation import require

TIMEOUT = 30.0  # seconds without a byte after which a connection counts as broken

Report = Callable[[int, int | None], None]
"""Called with the number of bytes received, and the total when the server states it."""


@dataclass(frozen=True)
class Source:
    """A published file."""

    place: str
    """Path in the data folder."""
    address: str
    md5: str


_MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist/"
_OMNIGLOT = "https://raw.githubusercontent.com/brendenlake/omniglot/master/python/"
_MD5 = {
    f"{_MNIST}train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    f"{_MNIST}train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    f"{_MNIST}t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    f"{_MNIST}t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
    f"{_OMNIGLOT}images_background.zip": "68d2efa1b9178cc56df9314c21c6e718",
    f"{_OMNIGLOT}images_evaluation.zip": "6b91aef0f799c5bb55b94e3f2daec811",
}
SOURCES = {
    name: tuple(Source(f"{name}/{url.removeprefix(base)}", url, md5) for url, md5 in _MD5.items() if base in url)
    for name, base in (("mnist", _MNIST), ("omniglot", _OMNIGLOT))
}
"""What can be fetched."""


def fetch(name: str, root: str | Path | None = None, report: Report = lambda done, total: None) -> Iterator[str]:
    """Fetch the files of a data set into the data folder; yield a line for each when it is complete.

    ``ValueError`` when the data set is not one of ``SOURCES``, a server cannot be reached, a connection ends early, or
    a file is not the published one; ``OSError`` when it cannot be written.
    """
    require(name in SOURCES, f"cannot fetch {name!r}, only {' and '.join(SOURCES)}")
    for source in SOURCES[name]:
        path = download_folder(root) / source.place
        if not path.exists():
            download(source, path, report)
            yield f"{path}: fetched"
        elif _md5(path) == source.md5:
            yield f"{path}: there already"
        else:
            yield f"{path}: there already, but not as published; remove it to have it fetched"


def download(source: Source, path: Path, report: Report = lambda done, total: None) -> None:
    """Fetch one file, or the rest of it, to ``path``; errors as ``fetch``."""
    part = path.with_name(f"{path.name}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    start = part.stat().st_size if part.exists() else 0
    with naming(part):
        if response := _ask(source, path, start):
            with response:
                _receive(response, source, part, report)
    if (found := _md5(part)) != source.md5:
        part.unlink()
        raise ValueError(
            f"{source.address} gave another file than the published one (MD5 {found}, not {source.md5}), which has been"
            f" removed: try again, or put the right file at {path} by hand"
        )
    os.replace(part, path)


def _ask(source: Source, path: Path, start: int) -> HTTPResponse | None:
    """The server's response, from byte ``start`` on if it supports ranges; None when no byte is left."""
    by_hand = f"try again later, or put the file at {path} by hand"
    headers = {"Range": f"bytes={start}-"} if start else {}
    try:
        response: HTTPResponse = urlopen(Request(source.address, headers=headers), timeout=TIMEOUT)
        return response
    except HTTPError as error:
        error.close()
        if error.code == 416 and start:
            return None
        raise ValueError(f"{source.address} answers {error.code} {error.reason}: {by_hand}") from error
    except (HTTPException, OSError) as error:
        raise ValueError(f"cannot reach {source.address} ({getattr(error, 'reason', error)}): {by_hand}") from error


def _receive(response: HTTPResponse, source: Source, part: Path, report: Report) -> None:
    """Write what the server sends to ``part``, behind what is there if it is the rest of that."""
    with open(part, "ab" if response.status == 206 else "wb") as file:  # else the server ignores Range and sends all
        done = file.tell()
        total = None if response.length is None else done + response.length
        report(done, total)
        while chunk := _next(response, source, done, total):
            file.write(chunk)
            done += len(chunk)
            report(done, total)
        file.flush()
        os.fsync(file.fileno())


def _next(response: HTTPResponse, source: Source, done: int, total: int | None) -> bytes:
    """The next bytes; none at the end. ``ValueError`` when the connection ends early."""
    try:
        chunk = response.read1(2**16)  # returns what has arrived, so nothing is lost when the connection ends
        if chunk or total is None or done >= total:
            return chunk
        reason = "the connection was closed"
    except (HTTPException, OSError) as error:
        reason = str(error) or type(error).__name__
    raise ValueError(
        f"{source.address} ended after {done} of {total or 'unknown'} bytes ({reason}): the same command goes on there"
    )


def _md5(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
