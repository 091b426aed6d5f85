"""A studio in a process of its own, for tests."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
from websockets.asyncio.client import connect

PATIENCE = 120
"""Seconds after which a test gives up."""


@dataclass
class Served:
    """A studio that runs."""

    process: subprocess.Popen[str]
    address: str
    clients: contextlib.ExitStack

    @property
    def port(self) -> int:
        return int(self.address.split(":")[2].split("/")[0])

    def browser(self) -> Any:
        """A client with a session."""
        client = self.stranger(self.address)
        assert client.get("/").status_code == 200
        return client

    def stranger(self, address: str) -> Any:
        """A client without a session."""
        made = httpx.Client(base_url=address, headers={"origin": address.rstrip("/")}, timeout=PATIENCE)
        return self.clients.enter_context(made)

    def socket(self, client: Any, **headers: str) -> Any:
        """A connection for frames, of the session of a client."""
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        sent = {"cookie": cookies, "origin": self.address.rstrip("/")} | headers
        origin = sent.pop("origin")
        return connect(f"ws://127.0.0.1:{self.port}/frames", origin=origin or None, additional_headers=sent)


@contextlib.contextmanager
def served(folder: Path, *words: str) -> Iterator[Served]:
    command = [sys.executable, "-m", "limner", "studio", "--port", "0", "--no-browser", *words]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        with contextlib.ExitStack() as clients:
            yield Served(process, process.stdout.readline().strip(), clients)
    finally:
        process.kill()
        process.communicate()
