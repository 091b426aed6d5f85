"""A Ray cluster: joining one, or starting one on this machine for the time of a run."""

import atexit
import contextlib
import logging
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from limner.files import create_private, expand_home
from limner.training.config import RayConfig
from limner.training.runtime import reaper
from limner.worlds.validation import require

SHARED_MEMORY = Path("/dev/shm")
TOKEN = "~/.ray/auth_token"
"""Where Ray keeps what processes of its clusters show each other."""
REACH_SECONDS = 5.0
"""How long to wait for an answer from an address."""
FREE_SECONDS = 15.0
"""How long to wait for cores that another run is about to give back."""

logger = logging.getLogger(__name__)


class Cluster:
    """A connection to Ray. ``processes`` of one core each are going to be started there."""

    def __init__(self, options: RayConfig, processes: int) -> None:
        """``ValueError`` without Ray, a home folder or the memory, or where no cluster with enough cores is found."""
        expand_home("~/.ray", "train with --runtime local")  # where TOKEN is
        try:
            import ray
        except ModuleNotFoundError as error:
            raise ValueError(f'--runtime ray needs Ray ({error}): pip install "limner[ray]"') from None
        self.ray: Any = ray
        self.joined = ray.is_initialized()
        self._reaper: subprocess.Popen[bytes] | None = None
        if options.address:
            self._join(options.address)
        elif not self.joined:
            self._start(options, processes)
        if (cores := self._free(processes)) < processes:
            self.close()
            raise ValueError(
                f"actors is {options.actors}: with the critic these are {processes} processes, and the cluster has "
                f"{cores} free cores; choose fewer, or wait until others have ended"
            )

    def close(self) -> None:
        """Leave the cluster; end it, if it was started here."""
        atexit.unregister(self.close)
        if not self.joined:
            self.ray.shutdown()
        if self._reaper is not None:
            self._reaper.communicate(b".")
            self._reaper = None

    def _start(self, options: RayConfig, processes: int) -> None:
        folder, size = tempfile.mkdtemp(prefix="limner-ray-"), options.object_store
        free = shutil.disk_usage(SHARED_MEMORY).free >> 20 if SHARED_MEMORY.exists() else size
        if free < size:
            logger.warning(
                "object_store is %d MiB, and %s has %d MiB free: files in %s are used in its place, which can be "
                "slower; make it larger (docker run --shm-size), or choose a smaller --object-store (80 or more)",
                *(size, SHARED_MEMORY, free, folder),
            )
        self._watch(folder)
        make_token()
        try:
            self.ray.init(
                address="local",  # also where the environment names a cluster
                num_cpus=processes,
                num_gpus=0,
                object_store_memory=size << 20,
                include_dashboard=False,
                log_to_driver=False,
                logging_level="ERROR",
                _temp_dir=folder,
            )
        except ValueError as error:
            self.close()
            raise ValueError(f"cannot start a Ray cluster with an object_store of {size} MiB: {error}") from None

    def _join(self, address: str) -> None:
        if self.joined:
            return
        self._watch()
        try:
            if address != "auto":  # Ray would try for minutes
                host, _, port = address.rpartition(":")
                socket.create_connection((host, int(port)), timeout=REACH_SECONDS).close()
            self.ray.init(address=address, log_to_driver=False, logging_level="ERROR")
        except (OSError, RuntimeError, ValueError) as error:
            self.close()
            why = " ".join(str(error).split())[:300]
            raise ValueError(f"address is {address!r}: cannot join a Ray cluster there ({why})") from None

    def _watch(self, *folders: str) -> None:
        """Start what removes ``folders`` when this process has ended, and says so if it died."""
        command = [sys.executable, "-I", reaper.__file__, *folders]
        self._reaper = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
        atexit.register(self.close)

    def _free(self, wanted: int) -> int:
        """Cores that are free, once as many are as ``wanted`` or after some seconds."""
        until = time.monotonic() + FREE_SECONDS
        while (free := int(self.ray.available_resources().get("CPU", 0))) < wanted and time.monotonic() < until:
            time.sleep(0.2)
        return free


def expect_version(wanted: str) -> None:
    """``ValueError``, in a process of a cluster, unless this is the version of Limner that started training."""
    here = version("limner")
    require(here == wanted, f"Limner is {here} on a node of the cluster, and {wanted} where training was started")


def make_token() -> None:
    """Make Ray's token if there is none. Of two clusters that start together, Ray would give each another one."""
    if not any(name.startswith("RAY_AUTH_") for name in os.environ):
        with contextlib.suppress(OSError):  # FileExistsError; or Ray says what is wrong
            create_private(expand_home(TOKEN), secrets.token_hex(32))
