"""Folders and zips: what is found, what is passed over, what is refused."""

import contextlib
import os
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from limner.data import archive as module
from limner.data.archive import Archive


def write_zip(path: Path, names: list[str], content: bytes = b"x") -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            file.writestr(name, content)
    return path


def test_pictures_are_found_at_any_depth_sorted_and_nothing_else(tmp_path: Path, pack: Callable) -> None:
    names = [
        "b.PNG",
        "a/z.jpg",
        "a/b/c.webp",
        "a-b.tif",
        ".hidden.png",
        ".git/x.png",
        "notes.txt",
        "a/index.csv",
        "png",
    ]
    names += ["__MACOSX/._b.png"]
    path = pack(tmp_path / "set", {name: name.encode() for name in names})
    found = Archive(path)
    prefix = "set/" if path.suffix else ""
    assert found.names == tuple(prefix + name for name in ("a-b.tif", "a/b/c.webp", "a/z.jpg", "b.PNG"))
    assert [found.read(name).decode() for name in found.names] == ["a-b.tif", "a/b/c.webp", "a/z.jpg", "b.PNG"]
    assert "z.jpg" in found.where(found.names[2])
    assert str(path) in found.where(found.names[2])


@pytest.mark.parametrize("names", [[], ["notes.txt"], [".x.png"]])
def test_without_a_picture(tmp_path: Path, pack: Callable, names: list[str]) -> None:
    (tmp_path / "set").mkdir()
    path = pack(tmp_path / "set", dict.fromkeys(names, b"x"))
    with pytest.raises(ValueError, match=r"set(.zip)? holds no picture.*\.jpg"):
        Archive(path)


UNSAFE = [
    "../x.png",
    "/etc/x.png",
    "a/../../x.png",
    "..\\x.png",
    "\\x.png",
    "C:\\x.png",
    "c:/x.png",
    "a/..",
    "../notes",
]


@pytest.mark.parametrize("name", UNSAFE)
def test_a_zip_that_leads_out_of_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    path = write_zip(tmp_path / "bad.zip", ["good.png", name])
    with pytest.raises(ValueError, match=r"bad.zip holds .* leads out of its folder") as caught:
        Archive(path)
    assert repr(name) in str(caught.value)


@pytest.mark.parametrize("name", ["a..b.png", "..a/b.png", "a:b.png", "a/...png", "~/x.png"])
def test_names_that_only_look_unsafe(tmp_path: Path, name: str) -> None:
    Archive(write_zip(tmp_path / "good.zip", ["good.png", name]))


def test_nothing_is_extracted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_zip(tmp_path / "set.zip", ["a.png", "b/c.png"])
    monkeypatch.chdir(tmp_path)
    found = Archive(path)
    assert [found.read(name) for name in found.names] == [b"x", b"x"]
    assert os.listdir(tmp_path) == ["set.zip"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x89PNG\r\n", b"x" * 5000])
def test_what_is_neither_folder_nor_zip(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "set.zip").write_bytes(content)
    with pytest.raises(ValueError, match=r"cannot read .*set\.zip as a zip.*name a folder or zip"):
        Archive(tmp_path / "set.zip")
    with pytest.raises(ValueError, match=r"nowhere\.zip as a zip: No such file"):
        Archive(tmp_path / "nowhere.zip")


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=4), st.booleans())
def test_a_damaged_zip_is_a_value_error_or_read(tmp_path: Path, at: int, put: bytes, cut: bool) -> None:
    """Bytes overwritten or everything from there cut off: opening it, or each of its files, fails in words."""
    path = write_zip(tmp_path / "whole.zip", ["a.png", "b/c.png", "ü.jpg"])
    content = bytearray(path.read_bytes())
    at %= len(content)
    content[at : at + len(put)] = put
    damaged = tmp_path / "damaged.zip"
    damaged.write_bytes(content[:at] if cut else content)
    refused = ""
    try:
        found = Archive(damaged)
    except ValueError as error:
        refused = str(error)
    if refused:
        assert "damaged.zip" in refused
        return
    for name in found.names:
        with contextlib.suppress(zipfile.BadZipFile, zlib.error, OSError, RuntimeError, EOFError, ValueError):
            assert found.read(name) == b"x"  # what does not raise is right: entries have checksums


def test_files_that_are_none_and_links(tmp_path: Path) -> None:
    top = tmp_path / "set"
    (top / "inner").mkdir(parents=True)
    (top / "inner/a.png").write_bytes(b"a")
    (top / "link.png").symlink_to(top / "inner/a.png")
    (top / "inner/circle").symlink_to(top)
    (top / "lost.png").symlink_to(tmp_path / "nowhere")
    os.mkfifo(top / "pipe.png")
    found = Archive(top)
    assert found.names == ("inner/a.png", "link.png", "lost.png", "pipe.png")
    assert found.read("link.png") == b"a"
    with pytest.raises(FileNotFoundError):
        found.read("lost.png")
    with pytest.raises(ValueError, match=r"no regular file"):
        found.read("pipe.png")


def test_names_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    with open(os.fsencode(tmp_path / "set") + b"/\xff.png", "wb") as file:
        file.write(b"x")
    found = Archive(tmp_path / "set")
    assert [found.read(name) for name in found.names] == [b"x"]


def test_huge_files_are_not_read(tmp_path: Path, pack: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Archive(pack(tmp_path / "set", {"a.png": bytes(1000)}))
    monkeypatch.setattr(module, "LARGEST", 999)
    with pytest.raises(ValueError, match=r"1000 bytes long"):
        found.read(found.names[0])


def test_an_unreadable_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "set/inner").mkdir(parents=True)
    original = os.scandir

    def scandir(path: Path) -> object:
        if Path(path).name == "inner":
            raise PermissionError(13, "Permission denied", str(path))
        return original(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(ValueError, match=r"set/inner.*Permission denied"):
        Archive(tmp_path / "set")
