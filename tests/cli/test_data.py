"""``limner data``: fetch, make, check."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limner.cli import main as cli
from limner.data.fetch import SOURCES, Source
from limner.data.root import DATA_VARIABLE


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three pictures, the working directory; no data folder is named."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    monkeypatch.delenv("LIMNER_DEBUG", raising=False)
    (tmp_path / "set").mkdir()
    for name in "abc":
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / f"set/{name}.png")
    return tmp_path


@pytest.mark.parametrize("spec", ["set", "folder:set"])
def test_check_sums_up(folder: Path, capsys: pytest.CaptureFixture[str], spec: str) -> None:
    assert cli.main(["data", "check", spec]) == 0
    assert capsys.readouterr() == ("folder:set: 3 pictures, 8 × 8, 3 grey, 0 broken\n", "")


def test_check_names_what_is_broken_and_ends_in_2(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "set/a.png").write_bytes(b"")
    (folder / "set/c.png").write_bytes((folder / "set/c.png").read_bytes()[:-30])
    assert cli.main(["data", "check", "set"]) == 2
    output, error = capsys.readouterr()
    assert [line.split(":")[0] for line in output.splitlines()] == ["cannot read set/a.png", "cannot read set/c.png"]
    assert error == "limner: folder:set: 3 pictures, 8 × 8, 1 grey, 2 broken\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere"], "unknown data set 'nowhere'"),
        (["omniglot"], "limner data fetch omniglot"),
        (["celeba", "--root", "set"], "no celeba/img_align_celeba"),
        (["home"], "unknown data set 'home'"),
        (["set/a.png"], "set/a.png as a zip"),
    ],
)
def test_check_of_what_is_not_there(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert cli.main(["data", "check", *words]) == 2
    output, error = capsys.readouterr()
    assert output == ""
    assert message in error
    assert error.count("\n") == 1


def test_fetch_says_what_could_not_be_reached_and_where_the_file_goes(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(SOURCES, "mnist", (Source("mnist/a.gz", "http://nowhere.invalid/a.gz", ""),))
    assert cli.main(["data", "fetch", "mnist", "--root", "here"]) == 2
    output, error = capsys.readouterr()
    assert output == ""
    assert error.startswith("limner: cannot reach http://nowhere.invalid/a.gz (")
    assert error.endswith("put the file at here/mnist/a.gz by hand\n")
    assert error.count("\n") == 1
    Path("here/mnist/a.gz").write_bytes(b"")
    monkeypatch.setitem(SOURCES, "mnist", (Source("mnist/a.gz", "", hashlib.md5(b"").hexdigest()),))
    assert cli.main(["data", "fetch", "mnist", "--root", "here"]) == 0
    assert capsys.readouterr() == ("here/mnist/a.gz: there already\n", "")


@pytest.mark.parametrize("words", [[], ["list"], ["fetch"], ["fetch", "celeba"], ["check"], ["check", "a", "b"]])
def test_a_wrong_command_line_tells_what_there_is(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["data", *words])
    assert end.value.code == 2
    output, error = capsys.readouterr()
    assert output == ""
    assert "limner data" in error
