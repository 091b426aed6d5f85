"""Ends what is left of a Ray cluster when the process that started it has ended, however it ended, and says if it died.

Run as a script, with the folder of a cluster that the other process started. It waits until its standard input is
closed, which the kernel does when the other process ends, and then kills every process that has a file of the folder
open, and removes the folder. Ray's agents would otherwise wait for minutes for a server that is gone.

The other process writes a byte before it ends. If none has come it was killed, or ended by Ray itself, which does that
without a word to processes whose cluster is gone.
"""

import os
import shutil
import signal
import sys
import time
from pathlib import Path

DIED = (
    "limner: training has ended: its process was killed, or its Ray cluster is gone; "
    "limner train --resume FOLDER continues from the last checkpoint"
)
ROUNDS = 50
"""Times to look for processes, a tenth of a second apart."""


def uses(process: Path, folder: str) -> bool:
    """Whether a process, given as its folder in ``/proc``, has a file of ``folder`` open."""
    try:
        return any(os.readlink(link).startswith(folder) for link in (process / "fd").iterdir())
    except OSError:  # it has ended, or belongs to somebody else
        return False


def reap(folder: str, starter: int) -> None:
    """Kill the processes that use ``folder``, but for the one that started the cluster, and remove it."""
    for _ in range(ROUNDS):
        found = [int(process.name) for process in Path("/proc").glob("[0-9]*") if uses(process, folder + os.sep)]
        if not set(found) - {starter}:
            break
        for number in set(found) - {starter}:
            try:
                os.kill(number, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.1)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    parent = os.getppid()
    died = not sys.stdin.read()
    for cluster in sys.argv[1:]:
        reap(cluster, parent)
    if died:
        sys.stderr.write(DIED + "\n")
