"""The folders that a client reaches: no name leads out of them."""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from limner.mcp.folders import DrawingFolder, PictureFolder, decode_data
from limner.mcp.tools import ENDINGS


def encoded(width: int = 9, height: int = 7) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Pictures in ``tree/pictures`` and beside it, and links from there to here."""
    pictures = tmp_path / "pictures"
    (pictures / "deeper").mkdir(parents=True)
    for place in ("outside.png", "pictures/one.png", "pictures/deeper/two.png"):
        (tmp_path / place).write_bytes(encoded())
    (pictures / "link.png").symlink_to(tmp_path / "outside.png")
    (pictures / "folder").symlink_to(tmp_path)
    (pictures / "loop.png").symlink_to("loop.png")
    (pictures / "inner.png").symlink_to("one.png")
    (pictures / "text.png").write_text("no picture")
    os.mkfifo(pictures / "pipe.png")
    return tmp_path


def test_pictures_are_listed_and_opened(tree: Path) -> None:
    folder = PictureFolder(tree / "pictures")
    assert folder.names() == ["deeper/two.png", "inner.png", "one.png", "text.png"]
    for name in ("one.png", "deeper/two.png", "inner.png", "deeper/../one.png"):
        assert folder.open(name).size == (9, 7)


OUTSIDE = [
    "../outside.png",
    "link.png",
    "folder/outside.png",
    "folder/pictures/../outside.png",
    "deeper/../../outside.png",
]
NOTHING = ["", ".", "..", "/", "deeper", "none.png", "loop.png", "pipe.png", "a\0b", "x" * 5000, "\udc80", "\ud800"]


@pytest.mark.parametrize("name", OUTSIDE + NOTHING, ids=repr)
def test_no_picture_outside_is_opened(tree: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"^there is no picture .*: the tool pictures lists those there are$"):
        PictureFolder(tree / "pictures").open(name)


def test_absolute_names_are_no_pictures(tree: Path) -> None:
    with pytest.raises(ValueError, match="there is no picture"):
        PictureFolder(tree / "pictures").open(str(tree / "pictures/one.png"))


def test_without_a_folder_there_are_no_pictures(tree: Path) -> None:
    for use in (PictureFolder(None).names, lambda: PictureFolder(None).open("one.png")):
        with pytest.raises(ValueError, match="start limner mcp with --pictures FOLDER"):
            use()
    with pytest.raises(ValueError, match="is no folder"):
        PictureFolder(tree / "outside.png")


def test_what_is_too_large_or_no_picture_is_refused(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, data = PictureFolder(tree / "pictures"), base64.b64encode(encoded()).decode()
    assert decode_data(data).size == decode_data(f"data:image/png;base64,{data}").size == (9, 7)
    for use in (lambda: folder.open("text.png"), lambda: decode_data("AAAA")):
        with pytest.raises(ValueError, match="it is no picture in one of the formats"):
            use()
    for wrong in ("", "!", data[:-5], "é"):
        with pytest.raises(ValueError, match=r"data"):
            decode_data(wrong)
    monkeypatch.setattr("limner.mcp.folders.MOST_PIXELS", 62)
    for use in (lambda: folder.open("one.png"), lambda: decode_data(data)):
        with pytest.raises(ValueError, match="megapixels: make it smaller"):
            use()
    monkeypatch.setattr("limner.mcp.folders.LARGEST_FILE", 40)
    monkeypatch.setattr("limner.mcp.folders.LARGEST_DATA", 40)
    for use in (lambda: folder.open("one.png"), lambda: decode_data(data)):
        with pytest.raises(ValueError, match="is larger than 0 MiB: make it smaller"):
            use()


@settings(deadline=None)
@given(st.text(st.sampled_from("ab./\\~ é\n\0-"), max_size=12), st.sampled_from([*ENDINGS, ".PNG", ""]))
def test_a_name_is_saved_in_the_folder_or_refused(stem: str, ending: str) -> None:
    name, folder = stem + ending, DrawingFolder(Path("/nowhere/drawings"))
    try:
        folder.check(name, ENDINGS)
    except ValueError:
        return
    path = os.path.normpath(f"/nowhere/drawings/{name}")
    assert os.path.dirname(path) == "/nowhere/drawings"
    assert path.lower().endswith(ENDINGS)


def test_files_of_others_are_not_replaced(tmp_path: Path) -> None:
    folder = DrawingFolder(tmp_path)
    (tmp_path / "old.png").write_text("old")
    (tmp_path / "link.png").symlink_to(tmp_path / "elsewhere.png")
    for name in ("old.png", "link.png"):
        with pytest.raises(ValueError, match=f"{name} is there already and not of this session: choose another name"):
            folder.check(name, ENDINGS)
    for content in (b"one", b"two"):
        folder.check("new.png", ENDINGS)
        assert folder.save("new.png", content).read_bytes() == content


def test_files_are_limited_in_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("limner.mcp.folders.MOST_FILES", 2)
    folder = DrawingFolder(tmp_path)
    for name in ("a.png", "b.png", "a.png"):
        folder.check(name, ENDINGS)
        folder.save(name, b"")
    with pytest.raises(ValueError, match="2 files are saved: save under one of their names"):
        folder.check("c.png", ENDINGS)
