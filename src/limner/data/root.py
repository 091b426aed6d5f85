"""The data folder: where data sets are read from, and where they are fetched to."""

import os
from pathlib import Path

from limner.data.archive import reading
from limner.files import expand_home
from limner.worlds.validation import require

DATA_VARIABLE = "LIMNER_DATA"
"""The environment variable that names the data folder."""

CACHE = Path("~/.cache/limner")


def download_folder(root: str | Path | None = None) -> Path:
    """The data folder, which need not exist: ``root``, else what LIMNER_DATA names, else ``~/.cache/limner``.

    ``ValueError`` when it is the last, and the user has no home folder.
    """
    return _named(root) or expand_home(CACHE, f"name the data folder as root or in {DATA_VARIABLE}")


def data_folder(root: str | Path | None = None) -> Path | None:
    """The data folder, to read from: None when none is named, and there is no ``~/.cache/limner``."""
    if named := _named(root):
        return named
    try:
        folder = expand_home(CACHE)
    except ValueError:
        return None
    return folder if folder.is_dir() else None


def _named(root: str | Path | None) -> Path | None:
    named = os.environ.get(DATA_VARIABLE) if root is None else root
    return Path(named) if named else None


def find_place(name: str, places: tuple[str, ...], remedy: str, root: str | Path | None = None) -> Path:
    """The first of ``places`` in the data folder that exists, for the data set ``name``.

    ``ValueError``, which ends in ``remedy``, when there is none, and when the folder cannot be read.
    """
    folder = data_folder(root)
    if folder is None:
        raise ValueError(f"data set {name!r} needs a data folder: name it as root or in {DATA_VARIABLE}, {remedy}")
    with reading(f"the data folder {folder}", "name another one"):
        os.listdir(folder)
        found = [folder / place for place in places if (folder / place).exists()]
    require(bool(found), f"no {' nor '.join(places)} in the data folder {folder}: {remedy}")
    return found[0]
