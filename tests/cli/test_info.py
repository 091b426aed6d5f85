"""``limner info``: what is installed and found."""

import json
from pathlib import Path

import numpy as np
import pytest

from limner.cli import main as cli
from limner.data import NAMES
from limner.data.root import DATA_VARIABLE


def test_what_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["info", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["versions"]["numpy"] == np.__version__
    assert facts["renderer"]["libmypaint"].startswith("1.6")
    assert facts["renderer"]["brushes"] > 100
    assert facts["data"]["mnist-5k"].startswith("found")
    assert {"mnist", "mnist-paper", "tiny"} <= set(facts["presets"])
    assert cli.main(["info"]) == 0
    assert "libmypaint" in capsys.readouterr().out


def test_the_data_folder_and_every_data_set(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(here / "home"))
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    assert cli.main(["info", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)["data"]
    assert list(data) == ["data folder", *NAMES]
    assert data["data folder"].startswith(f"none: name one in {DATA_VARIABLE}")
    assert all(data[name].startswith("not found: ") for name in NAMES[1:])
    Path("set").mkdir()
    monkeypatch.setenv(DATA_VARIABLE, "set")
    assert cli.main(["info", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["data"]["data folder"] == "set"
