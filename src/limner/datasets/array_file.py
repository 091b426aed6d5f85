"""Pictures in a NumPy archive."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from limner.datasets.dataset import ArrayDataset


def load_arrays(path: Path) -> ArrayDataset:
    """The array ``images`` uint8[N, H, W] or [N, H, W, 3] in an ``.npz`` file, drawn on white.

    What is not square is laid on a white square.
    ``ValueError`` naming the file when it is none, or holds something else; nothing in it is unpickled.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            if "images" not in archive:
                raise ValueError(f"{path} holds {', '.join(archive) or 'nothing'}: name the array of pictures 'images'")
            images = archive["images"]
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror or error}; name an .npz file") from None
    except (zipfile.BadZipFile, EOFError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no intact .npz file: {error}") from None
    good = images.ndim in (3, 4) and images.shape[3:] in ((), (3,)) and 0 not in images.shape
    if images.dtype != np.uint8 or not good:
        raise ValueError(
            f"{path}: images are {images.dtype}{list(images.shape)}, must be uint8[N, H, W] or [N, H, W, 3], none empty"
        )
    height, width = images.shape[1:3]
    top, left = max(0, width - height), max(0, height - width)
    around = ((0, 0), (top // 2, top - top // 2), (left // 2, left - left // 2), (0, 0))[: images.ndim]
    return ArrayDataset(path.name, np.pad(images, around, constant_values=255))
