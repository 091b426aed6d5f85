"""Event files, which TensorBoard shows: ``tensorboard --logdir runs``.

A record is written when it is added, by the thread that adds it. So an error is raised where it happens, and a full
disk leaves whole records.
"""

import os
import socket
import time
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from limner.files import append_atomic


class EventFile:
    """A new event file in a folder."""

    def __init__(self, folder: Path, first_step: int) -> None:
        """Figures of ``first_step`` and later steps in older files are no longer shown."""
        self.path = folder / f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}"
        self._append(file_version="brain.Event:2")
        self._append(step=first_step, session_log={"status": "START"})

    def add(self, step: int, figures: Mapping[str, float]) -> None:
        """Add figures of a step. ``OSError`` naming the file."""
        self._append(step=step, summary={"value": [{"tag": name, "simple_value": x} for name, x in figures.items()]})

    def _append(self, **fields: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter

        record = BytesIO()
        RecordWriter(record).write(Event(wall_time=time.time(), **fields).SerializeToString())
        append_atomic(self.path, record.getvalue())
