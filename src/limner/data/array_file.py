"""Pictures in a NumPy archive."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limner.data.dataset import ArrayDataset


def load_arrays(path: Path) -> ArrayDataset:
    """The array ``images`` uint8[N, H, W] or [N, H, W, 3] in an ``.npz`` file, drawn on white.

    What is not square is laid on a white square.
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
    around = ((0, 0), (top // 2, top - top // 2), (left // 2, left - left // 2), (0, 0))[: images.ndim]
    return ArrayDataset(path.name, np.pad(images, around, constant_values=255))


def _read(path: Path) -> NDArray[Any]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}; name an .npz file") from None
    with file:
        if not zipfile.is_zipfile(file):
            raise ValueError(f"{path} is no intact .npz file")
        file.seek(0)
        try:
            with np.load(file, allow_pickle=False) as archive:
                names = list(archive)
                images = archive["images"] if "images" in names else None
        except MemoryError:
            raise
        except Exception as error:  # damaged archives raise almost anything
            raise ValueError(f"cannot read 'images' in {path}: {error}") from None
    if images is None:
        raise ValueError(f"{path} holds {', '.join(names) or 'nothing'}: name the array of pictures 'images'")
    if not isinstance(images, np.ndarray):
        raise ValueError(f"cannot read 'images' in {path}: it is no array")
    return images
