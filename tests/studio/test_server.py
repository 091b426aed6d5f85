"""A server of its own process: who is refused, who waits for nobody, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from studio_programs import random_program
from studio_server import PATIENCE, Served, served
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from limner.studio.guard import HEADERS, LARGEST_BODY, is_loopback
from limner.studio.server import make_app


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("here")) as made:
        yield made


def opened(client: Any, count: int = 40) -> str:
    answer = client.post("/api/documents", json={"program": random_program(count).to_json()})
    name: str = answer.json()["document"]
    while (facts := client.get(f"/api/documents/{name}").json()["facts"])["ready"] < facts["length"]:
        time.sleep(0.05)
    return name


def test_every_answer_has_the_headers(studio: Served) -> None:
    client = studio.browser()
    for path in ("/", "/page/main.js", "/page/style.css", "/api/gallery", "/nowhere", "/api/documents/none"):
        headers = client.get(path).headers
        assert {name: headers[name] for name in HEADERS} == HEADERS
        assert "server" not in headers
    cookie = studio.stranger(studio.address).get("/").headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_the_page_is_small_and_loads_nothing_from_elsewhere(studio: Served) -> None:
    folder = Path(sys.modules["limner.studio"].__file__ or "").parent / "page"
    texts = [path.read_text() for path in folder.iterdir()]
    assert sum(len(text.encode()) for text in texts) <= 150_000
    for text in texts:
        assert "//cdn" not in text
        assert "http" not in text.replace("http://www.w3.org/2000/svg", "").replace("https:", "").replace(
            "JSON over HTTP", ""
        )
        assert " style=" not in text
        assert "innerHTML" not in text


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "192.0.2.7", "", "[::1", "127.0.0.1.nip.io"]
)
def test_other_names_of_this_machine_are_refused(studio: Served, host: str) -> None:
    """As when a name of another site points here."""
    for path in ("/", "/api/gallery"):
        with socket.create_connection(("127.0.0.1", studio.port), PATIENCE) as raw:
            raw.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}:{studio.port}\r\nConnection: close\r\n\r\n".encode())
            answer = raw.makefile("rb").read()
        assert answer.split()[1] in (b"421", b"400"), answer[:200]
        assert b"set-cookie" not in answer.lower()


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:1", "http://127.0.0.1", None])
def test_requests_of_other_sites_are_refused(studio: Served, origin: str | None) -> None:
    client = studio.browser()
    name = opened(client, 2)
    del client.headers["origin"]
    headers = {} if origin is None else {"origin": origin}
    for method, path in (("POST", "/change"), ("POST", "/stop"), ("DELETE", "")):
        assert client.request(method, f"/api/documents/{name}{path}", headers=headers, json={}).status_code == 403
    assert client.get("/api/gallery", headers=headers).status_code == (200 if origin is None else 403)
    assert client.get("/api/gallery", headers={"sec-fetch-site": "cross-site"}).status_code == 403

    async def frames() -> None:
        async with studio.socket(client, origin=origin or ""):
            pass

    with pytest.raises(InvalidStatus):
        asyncio.run(frames())


def test_frames_need_a_session(studio: Served) -> None:
    async def frames() -> None:
        async with studio.socket(studio.stranger(studio.address)):
            pass

    with pytest.raises(InvalidStatus):
        asyncio.run(frames())


def test_large_bodies_are_refused(studio: Served) -> None:
    client = studio.browser()
    head = f"POST /api/pictures HTTP/1.1\r\nHost: 127.0.0.1:{studio.port}\r\nOrigin: http://127.0.0.1:{studio.port}\r\n"
    with socket.create_connection(("127.0.0.1", studio.port), PATIENCE) as raw:
        raw.sendall(f"{head}Content-Length: {LARGEST_BODY + 1}\r\nConnection: close\r\n\r\n".encode())
        assert raw.recv(2**16).split()[1] == b"413", "before any of it is read"

    def pieces() -> Iterator[bytes]:
        for _ in range(LARGEST_BODY // 2**20 + 2):
            yield bytes(2**20)

    assert client.post("/api/pictures", content=pieces()).status_code == 413
    assert client.get("/api/gallery").status_code == 200


def test_large_messages_end_a_connection_alone(studio: Served) -> None:
    client = studio.browser()

    async def frames() -> None:
        async with studio.socket(client) as large, studio.socket(client) as small:
            await large.send("x" * 200_000)
            await large.wait_closed()
            await small.send('{"watch": []}')
            assert json.loads(await small.recv()) == {"facts": {}}

    asyncio.run(asyncio.wait_for(frames(), PATIENCE))


def test_fifty_viewers_and_one_that_takes_nothing(studio: Served) -> None:
    """Each gets every frame that it asks for, though one asks for many and reads none."""
    client = studio.browser()
    name = opened(client)

    async def view(number: int) -> int:
        async with studio.socket(client, **{}) as viewer:
            await viewer.send(json.dumps({"watch": [name]}))
            got = 0
            for count in range(number % 5, 40, 8):
                await viewer.send(json.dumps({"frame": name, "count": count}))
                while isinstance(data := await viewer.recv(), str):
                    pass
                (length,) = struct.unpack(">I", data[:4])
                got += json.loads(data[4 : 4 + length])["count"] == count
            return got

    async def all_of_them() -> list[int]:
        async with connect(
            f"ws://127.0.0.1:{studio.port}/frames",
            origin=studio.address.rstrip("/"),
            additional_headers={"cookie": "; ".join(f"{k}={v}" for k, v in client.cookies.items())},
            max_queue=1,
        ) as deaf:
            for i in range(400):
                await deaf.send(json.dumps({"frame": name, "count": i % 40, "whole": True}))
            return await asyncio.gather(*(view(number) for number in range(50)))

    assert asyncio.run(asyncio.wait_for(all_of_them(), PATIENCE)) == [5] * 50


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 130), (signal.SIGINT, 130)])
def test_signals_end_it_and_all_that_it_started(tmp_path: Path, number: signal.Signals, status: int) -> None:
    with served(tmp_path) as studio:
        client = studio.browser()
        opened(client, 3)
        started = children(studio.process.pid)
        assert len(started) == 2

        async def watch() -> None:
            async with studio.socket(client) as viewer:
                await viewer.send('{"watch": []}')
                await viewer.recv()
                studio.process.send_signal(number)
                await viewer.wait_closed()

        asyncio.run(asyncio.wait_for(watch(), PATIENCE))
        _, problems = studio.process.communicate(timeout=PATIENCE)
        assert studio.process.returncode == status
        assert "Traceback" not in problems
        assert not any(Path(f"/proc/{child}").exists() for child in started)


def children(parent: int) -> list[int]:
    """Processes that a process has started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(path.parent.name))
    return found


def test_beyond_this_machine_a_token_is_asked_for(tmp_path: Path) -> None:
    with served(tmp_path, "--host", "0.0.0.0") as studio:
        address, token = studio.address.split("?token=")
        here = address.replace("0.0.0.0", "127.0.0.1")
        stranger = studio.stranger(here)
        for path in ("/", "/api/gallery", "/page/main.js", "/?token=", "/?token=x", f"/api/gallery?token={token}"):
            answer = stranger.get(path)
            assert answer.status_code == 401
            assert "set-cookie" not in answer.headers

        async def frames() -> None:
            async with connect(f"ws://127.0.0.1:{studio.port}/frames", origin=here.rstrip("/")):
                pass

        with pytest.raises(InvalidStatus):
            asyncio.run(frames())
        assert stranger.get(f"/?token={token}", follow_redirects=True).status_code == 200
        assert stranger.get("/api/gallery").status_code == 200


def test_ports_and_hosts_that_cannot_be_had(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        cases = [
            (["--port", str(taken.getsockname()[1])], "give another --port"),
            (["--port", "70000"], "--port is 70000: must be in 0 … 65535"),
            (["--host", "nowhere.invalid"], "--host nowhere.invalid"),
            (["--host", "192.0.2.1"], "cannot serve at 192.0.2.1"),
        ]
        for words, problem in cases:
            command = [sys.executable, "-m", "limner", "studio", "--no-browser", *words]
            result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE)
            assert result.returncode == 2
            assert problem in result.stderr
            assert len(result.stderr.splitlines()) == 1


def test_without_the_extra_a_line_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "starlette.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'starlette'\", name='starlette')"
    )
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, "-m", "limner", "studio"]
    result = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=PATIENCE)
    assert result.returncode == 2
    assert result.stderr == "limner: limner studio needs more packages: pip install 'limner[studio]'\n"


def test_what_only_this_machine_reaches() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.8.0.1", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.0.7", "example.org", "localhost.example.org")))


def test_an_unknown_session_is_told_to_load_the_page_again(tmp_path: Path) -> None:
    here = "http://localhost"
    with TestClient(make_app(tmp_path, warm=[]), here, headers={"origin": here}) as client:
        assert "load it again" in client.get("/api/gallery").json()["error"]
