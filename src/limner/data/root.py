"""The data folder: where data sets are read from, and where they are fetched to."""

import os
from pathlib import Path

DATA_VARIABLE = "LIMNER_DATA"
"""The environment variable that names the data folder."""

CACHE = Path("~/.cache/limner")


def download_folder(root: str | Path | None = None) -> Path:
    """The data folder, which need not exist: ``root``, else what LIMNER_DATA names, else ``~/.cache/limner``."""
    return _named(root) or CACHE.expanduser()


def data_folder(root: str | Path | None = None) -> Path | None:
    """The data folder, to read from: None when nothing names one and ``~/.cache/limner`` does not exist."""
    return _named(root) or (CACHE.expanduser() if CACHE.expanduser().is_dir() else None)


def _named(root: str | Path | None) -> Path | None:
    given = root if root is not None else os.environ.get(DATA_VARIABLE)
    return Path(given) if given else None


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
