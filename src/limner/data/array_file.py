"""Pictures in a NumPy archive."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limner.data.archive import reason
from limner.data.dataset import ArrayDataset


def load_arrays(path: Path) -> ArrayDataset:
    """The array ``images`` uint8[N, H, W] or [N, H, W, 3] of an ``.npz`` file, padded with white to squares.

    ``ValueError`` naming the file when it is none, or holds something else; nothing in it is unpickled.
    """
    images = _read(path)
    good = images.ndim in (3, 4) and images.shape[3:] in ((), (3,)) and 0 not in images.shape
    if images.dtype != np.uint8 or not good:
        raise ValueError(
            f"{path}: images are {images.dtype}{list(images.shape)}, must be uint8[N, H, W] or [N, H, W, 3], none empty"
        )
    height, width = images.shape[1:3]
    top, left = max(0, width - height), max(0, height - width)
    padding = ((0, 0), (top // 2, top - top // 2), (left // 2, left - left // 2), (0, 0))[: images.ndim]
    return ArrayDataset(path.name, np.pad(images, padding, constant_values=255))


def _read(path: Path) -> NDArray[Any]:
    try:
        with path.open("rb") as file:
            if not zipfile.is_zipfile(file):
                raise ValueError("it is no zip")
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                if "images" not in (names := list(archive)):
                    raise ValueError(f"none of its arrays ({', '.join(names) or 'it has none'}) is called 'images'")
                images = archive["images"]
        if not isinstance(images, np.ndarray):
            raise ValueError("it is no array")
        return images
    except MemoryError:
        raise
    except Exception as error:  # damaged archives raise almost anything
        raise ValueError(f"cannot read {path}: {reason(error)}; name an intact .npz file") from None
