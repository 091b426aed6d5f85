"""The data folder: where data sets are read from, and where they are fetched to."""

from __future__ import annotations

import os
from pathlib import Path

DATA_VARIABLE = "LIMNER_DATA"
"""The environment variable that names the data folder."""

CACHE = "~/.cache/limner"
"""The data folder by default."""


def download_folder(root: str | Path | None = None) -> Path:
    """The data folder, which need not exist: ``root``, else what LIMNER_DATA names, else ``~/.cache/limner``."""
    given = root if root is not None else os.environ.get(DATA_VARIABLE)
    return Path(given or os.path.expanduser(CACHE))


def data_folder(root: str | Path | None = None) -> Path | None:
    """The data folder, to read from: None when nothing names one and ``~/.cache/limner`` does not exist."""
    folder = download_folder(root)
    named = root if root is not None else os.environ.get(DATA_VARIABLE)
    return folder if named or folder.is_dir() else None


def find_place(name: str, places: tuple[str, ...], remedy: str, root: str | Path | None = None) -> Path:
    """The first of ``places`` in the data folder that exists, for the data set ``name``.

    ``ValueError``, which ends in ``remedy``, when there is none; ``ValueError`` when the folder cannot be read.
    """
    folder = data_folder(root)
    if folder is None:
        raise ValueError(
            f"data set {name!r} needs a data folder: name it as the data root or in {DATA_VARIABLE}, {remedy}"
        )
    try:
        os.listdir(folder)
        for place in places:
            if (folder / place).exists():
                return folder / place
    except OSError as error:
        raise ValueError(f"cannot read the data folder {folder}: {error.strerror}; name another one") from error
    raise ValueError(f"no {' nor '.join(places)} in the data folder {folder}: {remedy}")
