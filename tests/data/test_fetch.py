"""Fetching from a server on this machine: whole, interrupted, wrong, unreachable."""

import hashlib
import http.server
import itertools
import re
import resource
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from limner.data import fetch as download
from limner.data.fetch import SOURCES, Source, fetch
from limner.data.root import DATA_VARIABLE

CONTENT = bytes(range(256)) * 2000
PART = "some/file.zip.part"


@dataclass
class Behaviour:
    """What the server does with the next requests, and what it was asked for."""

    content: bytes = CONTENT
    cut: int | None = None
    """Bytes of an answer after which the connection is closed."""
    ranges: bool = True
    length: bool = True
    asked: list[str | None] = field(default_factory=list)
    """The Range of each request."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Behaviour]]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    behaviour = Behaviour()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers["Range"]
            behaviour.asked.append(wanted)
            if self.path != "/file.zip":
                self.send_error(404)
                return
            start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if wanted and behaviour.ranges else 0
            if start >= len(behaviour.content):
                self.send_error(416)
                return
            body = behaviour.content[start:]
            self.send_response(206 if wanted and behaviour.ranges else 200)
            if behaviour.length:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: behaviour.cut])

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as service:
        thread = threading.Thread(target=service.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{service.server_port}", behaviour
        service.shutdown()
        thread.join()


@pytest.fixture
def source(server: tuple[str, Behaviour], monkeypatch: pytest.MonkeyPatch) -> Source:
    """The published file of a data set ``some``."""
    published = Source("some/file.zip", f"{server[0]}/file.zip", hashlib.md5(CONTENT).hexdigest())
    monkeypatch.setitem(SOURCES, "some", (published,))
    return published


def test_a_whole_file(source: Source, server: tuple[str, Behaviour], tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    path = tmp_path / "some/file.zip"
    assert list(fetch("some", tmp_path, lambda *words: told.append(words))) == [f"{path}: fetched"]
    assert path.read_bytes() == CONTENT
    assert [file.name for file in path.parent.iterdir()] == ["file.zip"]
    assert told[0] == (0, len(CONTENT))
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert told == sorted(told)
    assert list(fetch("some", tmp_path)) == [f"{path}: there already"]
    assert server[1].asked == [None]


@pytest.mark.parametrize("length", [True, False])
def test_an_interrupted_file_goes_on_where_it_ended(
    source: Source, server: tuple[str, Behaviour], tmp_path: Path, length: bool
) -> None:
    server[1].cut = 200_000
    with pytest.raises(ValueError, match=f"file.zip ended after 200000 of {len(CONTENT)} bytes.*same command"):
        list(fetch("some", tmp_path))
    assert (tmp_path / PART).read_bytes() == CONTENT[:200_000]
    assert not (tmp_path / "some/file.zip").exists()
    with pytest.raises(ValueError, match=r"ended after 400000"):
        list(fetch("some", tmp_path))
    server[1].cut, server[1].length = None, length
    told: list[int] = []
    list(fetch("some", tmp_path, lambda done, total: told.append(done)))
    assert told[0] == 400_000
    assert (tmp_path / "some/file.zip").read_bytes() == CONTENT
    assert not (tmp_path / PART).exists()
    assert server[1].asked == [None, "bytes=200000-", "bytes=400000-"]


def test_ctrl_c_leaves_what_has_arrived(source: Source, server: tuple[str, Behaviour], tmp_path: Path) -> None:
    def interrupt(done: int, total: int | None) -> None:
        if done > 100_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(fetch("some", tmp_path, interrupt))
    assert CONTENT.startswith((tmp_path / PART).read_bytes())
    list(fetch("some", tmp_path))
    assert (tmp_path / "some/file.zip").read_bytes() == CONTENT
    assert server[1].asked[1].startswith("bytes=1")


def test_a_server_without_ranges_sends_all_again(source: Source, server: tuple[str, Behaviour], tmp_path: Path) -> None:
    server[1].cut = 200_000
    with pytest.raises(ValueError, match=r"ended after 200000"):
        list(fetch("some", tmp_path))
    server[1].cut, server[1].ranges = None, False
    list(fetch("some", tmp_path))
    assert (tmp_path / "some/file.zip").read_bytes() == CONTENT


def test_a_part_that_is_complete_needs_only_its_name(source: Source, tmp_path: Path) -> None:
    (tmp_path / "some").mkdir()
    (tmp_path / PART).write_bytes(CONTENT)
    list(fetch("some", tmp_path))
    assert (tmp_path / "some/file.zip").read_bytes() == CONTENT


@pytest.mark.parametrize("part", [b"", b"something else", CONTENT + b"x", CONTENT[:-1] + b"x"])
def test_a_wrong_checksum_removes_the_file(
    source: Source, server: tuple[str, Behaviour], tmp_path: Path, part: bytes
) -> None:
    (tmp_path / "some").mkdir()
    if part:
        (tmp_path / PART).write_bytes(part)
    else:
        server[1].content = CONTENT[:-1] + b"x"
    with pytest.raises(ValueError, match=r"MD5 [0-9a-f]{32}, not .*has been removed: try again.*some/file.zip by hand"):
        list(fetch("some", tmp_path))
    assert list((tmp_path / "some").iterdir()) == []
    server[1].content = CONTENT
    list(fetch("some", tmp_path))
    assert (tmp_path / "some/file.zip").read_bytes() == CONTENT


def test_what_is_there_is_never_overwritten(source: Source, server: tuple[str, Behaviour], tmp_path: Path) -> None:
    (tmp_path / "some").mkdir()
    (tmp_path / "some/file.zip").write_bytes(b"mine")
    (line,) = fetch("some", tmp_path)
    assert line.endswith("there already, but not as published; remove it to have it fetched")
    assert (tmp_path / "some/file.zip").read_bytes() == b"mine"
    assert server[1].asked == []


def test_a_full_disk_names_the_file_which_goes_on_there(
    source: Source, server: tuple[str, Behaviour], tmp_path: Path
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(OSError, match="File too large") as error:
            list(fetch("some", tmp_path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert error.value.filename == str(tmp_path / PART)
    list(fetch("some", tmp_path))
    assert server[1].asked[-1] == "bytes=100000-"
    assert (tmp_path / "some/file.zip").read_bytes() == CONTENT


def test_no_such_file_on_the_server(server: tuple[str, Behaviour], tmp_path: Path) -> None:
    missing = Source("some/other.zip", f"{server[0]}/other.zip", "")
    with pytest.raises(
        ValueError, match=r"other\.zip answers 404 .*: try again later, or put the file at .*other\.zip"
    ):
        download.download(missing, tmp_path / "some/other.zip")
    assert list((tmp_path / "some").iterdir()) == []


def closed_port() -> int:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return closed.getsockname()[1]


@pytest.mark.parametrize(
    "address", [f"http://127.0.0.1:{closed_port()}", "http://nowhere.invalid"], ids=["closed port", "no such host"]
)
def test_an_unreachable_host_is_one_line(tmp_path: Path, address: str, server: tuple[str, Behaviour]) -> None:
    with pytest.raises(
        ValueError, match=r"^cannot reach .*file\.zip \(.+\): try again later, or put the file at"
    ) as caught:
        download.download(Source("file.zip", f"{address}/file.zip", ""), tmp_path / "some/file.zip")
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "some/file.zip") in str(caught.value)


def test_a_silent_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: tuple[str, Behaviour]) -> None:
    """One that accepts and says nothing, and one that stops in the middle."""
    monkeypatch.setattr(download, "TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        source = Source("x", f"http://127.0.0.1:{silent.getsockname()[1]}/x", "")
        with pytest.raises(ValueError, match=r"cannot reach .*timed out"):
            download.download(source, tmp_path / "x")

        def stop_in_the_middle() -> None:
            connection, _ = silent.accept()
            with connection:
                connection.recv(10_000)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
                done.wait(10)

        silent.accept()[0].close()
        done = threading.Event()
        thread = threading.Thread(target=stop_in_the_middle)
        thread.start()
        with pytest.raises(ValueError, match=r"ended after 4 of 100 bytes \(timed out\)"):
            download.download(source, tmp_path / "x")
        done.set()
        thread.join()
    assert (tmp_path / "x.part").read_bytes() == b"half"


def test_no_answer_in_http(tmp_path: Path, server: tuple[str, Behaviour]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as odd:

        def answer() -> None:
            connection, _ = odd.accept()
            with connection:
                connection.recv(10_000)
                connection.sendall(b"220 ftp.example.org ready\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(ValueError, match=r"cannot reach"):
            download.download(Source("x", f"http://127.0.0.1:{odd.getsockname()[1]}/x", ""), tmp_path / "x")
        thread.join()


def test_where_it_goes(source: Source, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    list(fetch("some"))
    assert (home / ".cache/limner/some/file.zip").exists()
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "new/folder"))
    list(fetch("some"))
    assert (tmp_path / "new/folder/some/file.zip").exists()


def test_a_folder_that_cannot_be_written(source: Source, tmp_path: Path) -> None:
    (tmp_path / "some").write_text("a file")
    with pytest.raises(OSError, match=r"some"):
        list(fetch("some", tmp_path))


def test_what_can_be_fetched() -> None:
    with pytest.raises(ValueError, match=r"cannot fetch 'celeba', only mnist and omniglot"):
        list(fetch("celeba"))
    places = [source.place for sources in SOURCES.values() for source in sources]
    assert len(set(places)) == len(places) == 6
    for source in itertools.chain(*SOURCES.values()):
        assert source.address.startswith("https://")
        assert source.address.endswith(source.place.rpartition("/")[2])
        assert re.fullmatch("[0-9a-f]{32}", source.md5)


def test_the_checksums_of_mnist_are_right(real_data: Path) -> None:
    for source in SOURCES["mnist"]:
        assert hashlib.md5((real_data / source.place).read_bytes()).hexdigest() == source.md5
