"""The figures of a run as TensorBoard event files, in the folder of the run: ``tensorboard --logdir runs``.

Notable choices:
- The step of every figure is the number of frames, so runs with updates of different sizes compare.
- ``log.jsonl`` stays the record of a run; the event files repeat its numbers for TensorBoard and are never read back.
- TensorBoard is imported when a run starts: the import takes about 0.15 s.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

LARGEST = 3.4028234663852886e38
"""The largest float32, which is the type of numbers in event files; larger ones would become infinite."""


class TensorBoardWriter:
    """Writes log lines into a new event file of ``folder``."""

    def __init__(self, folder: Path, frames: int = 0) -> None:
        """``frames``: where the run goes on; figures of later frames in older event files are no longer shown."""
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder), purge_step=frames + 1)

    def write(self, record: Mapping[str, Any]) -> None:
        """Write the finite numbers of a log line at its ``frames``, and flush. Texts, lists and NaN are left out."""
        for name, value in record.items():
            if name not in ("update", "frames") and isinstance(value, int | float) and abs(value) <= LARGEST:
                self._writer.add_scalar(name, value, record["frames"])
        self._writer.flush()

    def close(self) -> None:
        """Close the event file."""
        self._writer.close()
