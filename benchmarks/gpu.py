"""What a GPU does for training: the preset ``mnist-paper``, acting, learning and whole updates, in a few minutes.

    python benchmarks/gpu.py > gpu.json                 # six minutes at most
    python benchmarks/gpu.py --device cpu --minutes 0.2 # the same, small: to try the script out

Prints one JSON object: the card, and the figures of each section under the names of what was measured. Sections take
turns within a budget of time; what did not fit into it says ``left_out``, and what failed says ``error``. The work is
done by a process that is ended when the time is up, so what was measured until then is always printed.

- ``limits``: copies between host and device, and products of large matrices, in each number format.
- ``acting``: environment steps/s with the policy on the GPU and the renderer on all cores; the renderer alone.
- ``policy``, ``critic``: samples/s of the learners. A sample is an environment step, or a picture, real or painted.
- ``updates``: updates/s of the trainer, and the shares of time of their parts.
- ``compile``: the learners with ``torch.compile``.

``share_of_peak`` is the rate of floating-point operations of convolutions and matrices (``torch.utils.flop_counter``;
on a GPU LSTMs are not counted, one part in a hundred) divided by the card's peak in that format without sparsity, by
its maker's data sheet; null for cards that are not in the table. Policies have random weights.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

QUERY = {
    "driver": "driver_version",
    "pcie_generation": "pcie.link.gen.max",
    "pcie_lanes": "pcie.link.width.max",
    "power_limit_w": "power.limit",
    "memory": "memory.total",
}
"""What is asked of ``nvidia-smi``."""
PCIE = {"3": 0.985, "4": 1.969, "5": 3.938, "6": 7.563}
"""Gigabytes per second of a lane, by generation."""
MARGIN = 0.05
"""Share of the time that is left for starting and ending."""


def card() -> dict[str, Any]:
    """What ``nvidia-smi`` says of the first card, and the peak of its link; nothing where it cannot be asked."""
    command = ["nvidia-smi", f"--query-gpu={','.join(QUERY.values())}", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return {}
    values = done.stdout.splitlines()[0].split(", ") if done.stdout else []
    found: dict[str, Any] = dict(zip(QUERY, values, strict=False))
    lane, lanes = PCIE.get(found.get("pcie_generation", "")), found.get("pcie_lanes", "")
    return found | ({"pcie_peak_gb_per_s": lane * int(lanes)} if lane and lanes.isdecimal() else {})


def measure(device: str, seconds: float) -> dict[str, Any]:
    """What the measuring process prints in so many seconds, as one object; then it is ended."""
    command = [sys.executable, str(Path(__file__).with_name("gpu_measures.py"))]
    command += [device, str(seconds * (1 - MARGIN))]
    result: dict[str, Any] = {"complete": False}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        timer = threading.Timer(seconds, end, [process])
        timer.start()
        assert process.stdout is not None
        try:
            for line in process.stdout:
                whole = json.loads(line) if line.endswith("\n") else {}
                for name, value in whole.items():
                    known = result.setdefault(name, value)
                    result[name] = known | value if isinstance(value, dict) else value
            process.wait()
        finally:
            timer.cancel()
            end(process)
    if process.returncode > 0:
        raise SystemExit(process.returncode)
    return result


def end(process: subprocess.Popen[str]) -> None:
    """End a process and those that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def main() -> None:
    """Command line."""
    started = time.perf_counter()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda")
    parser.add_argument("--minutes", type=float, default=6.0, help="the most that it may take")
    arguments = parser.parse_args()
    about = card() if arguments.device == "cuda" else {}
    result = measure(arguments.device, 60 * arguments.minutes - (time.perf_counter() - started))
    seconds = round(time.perf_counter() - started, 1)
    print(json.dumps({"card": about, **result, "seconds": seconds}, indent=2))


if __name__ == "__main__":
    main()
