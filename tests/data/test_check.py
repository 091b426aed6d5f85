"""Opening every picture: all that are broken are named."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from limner.data.check import Findings, check_dataset

GREY = np.random.default_rng(0).integers(0, 256, (8, 12), np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (30, 20, 3), np.uint8)


def test_all_broken_files_are_named_not_only_the_first(tmp_path: Path, pack: Callable, encode: Callable) -> None:
    whole = encode(GREY)
    files = {f"{i:02}.png": whole for i in range(20)} | {"colour.png": encode(COLOUR)}
    files |= {"03.png": whole[:-30], "09.png": b"", "deep/x.jpg": b"text"}
    path = pack(tmp_path / "set", files)
    told = []
    findings = check_dataset(str(path), report=lambda done, total: told.append((done, total)))
    assert findings == check_dataset(f"folder:{path}")
    assert [name for name in files if any(name in line for line in findings.broken)] == [
        "03.png",
        "09.png",
        "deep/x.jpg",
    ]
    assert all(line.startswith("cannot read ") for line in findings.broken)
    assert len(findings.broken) == 3
    assert told == [(i, 22) for i in range(1, 23)]
    assert str(findings) == f"folder:{path}: 22 pictures, 12 × 8 to 20 × 30, 18 grey, 1 in colour, 3 broken"


def test_a_set_without_a_test_split_and_one_of_broken_files(tmp_path: Path, pack: Callable, encode: Callable) -> None:
    path = pack(tmp_path / "set", {"a.png": encode(COLOUR)})
    assert check_dataset(str(path)) == Findings(f"folder:{path}", ((20, 30),), 1, ())
    path = pack(tmp_path / "bad", {"a.png": b""})
    assert str(check_dataset(str(path))) == f"folder:{path}: 1 pictures, 1 broken"


def test_validation_pictures_are_looked_at_too(tmp_path: Path, pack: Callable, encode: Callable) -> None:
    pack(tmp_path / "celeba/img_align_celeba", {"1.jpg": encode(COLOUR), "2.jpg": b""})
    (tmp_path / "celeba/list_eval_partition.txt").write_text("1.jpg 0\n2.jpg 1\n")
    findings = check_dataset("celeba", tmp_path)
    assert len(findings.broken) == 1
    assert "2.jpg" in findings.broken[0]


def test_digits_have_checksums() -> None:
    assert str(check_dataset("mnist-5k")) == "mnist-5k: 5000 pictures, 28 × 28, 5000 grey, 0 broken"


def test_a_name_is_a_name_even_where_a_folder_is_called_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "faces").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"congress_faces"):
        check_dataset("faces", tmp_path)
    with pytest.raises(ValueError, match=r"unknown data set 'nowhere'"):
        check_dataset("nowhere")
    with pytest.raises(ValueError, match=r"unknown data set ''"):
        check_dataset("")


def test_real_faces(real_data: Path) -> None:
    assert str(check_dataset("faces", real_data)) == "faces: 1037 pictures, 64 × 64, 1037 in colour, 0 broken"
