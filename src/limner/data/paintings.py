"""Pictures that programs paint."""

from __future__ import annotations

import numpy as np

from limner.data.dataset import ArrayDataset
from limner.data.folder import every_tenth
from limner.programs.program import execute_all, load_programs


def load_paintings(spec: str, path: str, split: str) -> ArrayDataset:
    """The paintings of the programs in ``path`` (JSON lines); every tenth is test.

    ``ValueError`` when it cannot be read, its canvases differ or are transparent, or the split is empty.
    """
    try:
        programs = load_programs(path)
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}; name a file of programs, one a line") from None
    rows = np.flatnonzero(every_tenth(len(programs)) == split)
    if not len(rows):
        raise ValueError(f"{path} has no program for the split {split!r}, of {len(programs)} in all: add more")
    pictures = execute_all([programs[row] for row in rows])
    shapes = sorted({picture.shape for picture in pictures})
    if len(shapes) > 1 or shapes[0][2] not in (1, 3):
        raise ValueError(f"{path} paints canvases of {shapes}: must be all alike, grey or RGB on white")
    return ArrayDataset(spec, np.stack(pictures))
