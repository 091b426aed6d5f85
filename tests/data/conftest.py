"""Folders and zips of small pictures."""

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without a cache of data sets."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.fixture
def encode() -> Callable[..., bytes]:
    """A function that makes a file of pixels, or of a Pillow picture."""

    def encode(pixels: np.ndarray | Image.Image, kind: str = "PNG", **options: object) -> bytes:
        file = io.BytesIO()
        image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
        image.save(file, kind, **options)
        return file.getvalue()

    return encode


@pytest.fixture(params=["folder", "zip"])
def pack(request: pytest.FixtureRequest) -> Callable[[Path, Mapping[str, bytes]], Path]:
    """A function that writes files below a folder of this name, or into the zip of this name; gives its path."""

    def pack(path: Path, files: Mapping[str, bytes]) -> Path:
        if request.param == "zip":
            path.parent.mkdir(parents=True, exist_ok=True)
            path = path.with_name(f"{path.name}.zip")
            with zipfile.ZipFile(path, "w") as archive:
                for name, content in files.items():
                    archive.writestr(f"{path.stem}/{name}", content)
            return path
        for name, content in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)
        return path

    return pack
