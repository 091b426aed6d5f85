"""Runs of the command line on a Ray cluster of their own, and the processes that belong to them."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def own_cluster(cores):
    """While open, this process has a cluster of its own, not one that others have on this machine; gives Ray."""
    ray = pytest.importorskip("ray", reason="Ray is not installed")
    ray.init(
        address="local",
        num_cpus=cores,
        num_gpus=0,
        object_store_memory=100 << 20,
        include_dashboard=False,
        log_to_driver=False,
    )
    try:
        yield ray
    finally:
        ray.shutdown()


def limner(*words, folder):
    """A process that trains on a cluster of its own."""
    command = [sys.executable, "-m", "limner", "train", "tiny", "--runtime", "ray", *words]
    kept = "RAY_AUTH_MODE"  # that a cluster of this process asks of those who join it
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_") or name == kept}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True)


def descendants(process):
    """Numbers of the processes that a process has started, and of those that these have."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, _, rest = path.read_text().partition(" (")
            parents[int(number)] = int(rest.rpartition(") ")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    found, new = set(), {process}
    while new := {child for child, parent in parents.items() if parent in new} - found:
        found |= new
    return found


def gone(numbers, seconds=60):
    """Whether all processes have ended, at the latest after some seconds."""
    for _ in range(seconds * 10):
        alive = [number for number in numbers if Path(f"/proc/{number}").exists()]
        states = [Path(f"/proc/{number}/stat") for number in alive]
        if all(not path.exists() or path.read_text().rpartition(") ")[2].startswith("Z") for path in states):
            return True
        time.sleep(0.1)
    return False


def started(process, folder):
    """Wait until the run has written a checkpoint."""
    for _ in range(1200):
        if process.poll() is not None or any((folder / "runs/tiny/checkpoints").glob("0*")):
            return
        time.sleep(0.1)
