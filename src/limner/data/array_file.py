"""Pictures in a NumPy archive."""

import zipfile
from pathlib import Path

import numpy as np

from limner.data.archive import reading
from limner.data.dataset import ArrayDataset
from limner.worlds.validation import require


def load_arrays(path: Path) -> ArrayDataset:
    """The array ``images`` uint8[N, H, W] or [N, H, W, 3] of an ``.npz`` file, padded with white to squares.

    ``ValueError`` naming the file when it is none, or holds something else; nothing in it is unpickled.
    """
    with reading(path, "name an intact .npz file"), path.open("rb") as file:
        require(zipfile.is_zipfile(file), "it is no zip")
        file.seek(0)
        with np.load(file, allow_pickle=False) as archive:
            names = ", ".join(archive) or "it has none"
            require("images" in archive, f"none of its arrays ({names}) is called 'images'")
            images = archive["images"]
        require(isinstance(images, np.ndarray), "it is no array")
    kind = f"{images.dtype}{list(images.shape)}"
    good = images.dtype == np.uint8 and images.shape[3:] in ((), (3,)) and images.ndim >= 3 and images.size > 0
    require(good, f"{path}: images are {kind}, must be uint8[N, H, W] or [N, H, W, 3], none empty")
    height, width = images.shape[1:3]
    top, left = max(0, width - height), max(0, height - width)
    padding = ((0, 0), (top // 2, top - top // 2), (left // 2, left - left // 2), (0, 0))[: images.ndim]
    return ArrayDataset(path.name, np.pad(images, padding, constant_values=255))
