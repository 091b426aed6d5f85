"""``limner parse``."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from limner.cli import main as cli
from limner.data import load_dataset
from limner.metrics.reconstruction import squared_error
from limner.programs.execution import execute
from limner.programs.program import load_programs


def test_every_picture_has_its_program_and_a_cut_file_goes_on(
    here: Path, conditional_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (
        f"parse mnist-5k --split test --agent {conditional_folder} --limit 70 --seed 3 --out deep/er/it.jsonl".split()
    )
    path = Path("deep/er/it.jsonl")
    assert cli.main(words) == 0
    whole = path.read_bytes()
    programs = load_programs(path)
    assert [program.title for program in programs] == [f"mnist-5k test 70/1000 {i}" for i in range(70)]
    goals = load_dataset("mnist-5k", "test").spread(70).pictures(64)
    error = squared_error(np.stack([execute(program) for program in programs]), goals).mean()
    assert (
        capsys.readouterr().out
        == f"deep/er/it.jsonl: 70 programs, mean squared error {error:.4f} of those written now\n"
    )
    path.write_bytes(whole[: 2 * len(whole) // 3])
    assert cli.main(words) == 0
    assert path.read_bytes() == whole
    capsys.readouterr()
    assert cli.main(words) == 0
    assert path.read_bytes() == whole
    assert capsys.readouterr().out == "deep/er/it.jsonl: 70 programs, all were there\n"


def test_other_pictures_of_the_same_data_set_do_not_go_into_the_same_file(
    here: Path, conditional_folder: Path, fails: Callable[[str], str]
) -> None:
    words = f"parse mnist-5k --agent {conditional_folder} --limit 2"
    assert cli.main(words.split()) == 0
    before = Path("programs.jsonl").read_bytes()
    for other in ("--split test", "--limit 3", "--limit 4000"):
        assert "programs.jsonl, line 1, is a program of 'mnist-5k train 2/4000 0'" in fails(f"{words} {other}")
    assert Path("programs.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("mnist-5k --limit 0", "--limit is 0: must be at least 1"),
        ("mnist-5k --search -0.5", "search is -0.5: must be in 0 … 3600 seconds"),
        ("mnist-5k --search nan", "search is nan"),
        ("mnist-5k --search inf", "search is inf"),
        ("mnist-5k --seed -1", "seed is -1"),
        ("mnist-5k --out .", "--out . is a folder: name a file"),
        ("mnist-5k --out thesis/x.jsonl", "thesis is a file"),
        ("mnist-5k --out /proc/x.jsonl", "cannot write into the folder /proc"),
        ("mnist-5k --out thesis", "thesis, line 1, is no program that was cut short: choose another --out"),
        ("cats", "unknown data set 'cats'"),
    ],
)
def test_bad_input_is_one_line(
    here: Path, conditional_folder: Path, fails: Callable[[str], str], words: str, message: str
) -> None:
    Path("thesis").write_text("Chapter 1")
    assert message in fails(f"parse {words} --agent {conditional_folder}")
    assert Path("thesis").read_text() == "Chapter 1"
    assert not Path("programs.jsonl").exists()


def test_a_wrong_agent_is_one_line(unconditional_folder: Path, fails: Callable[[str], str]) -> None:
    assert "there is no agent 'picasso'" in fails("parse mnist-5k --agent picasso")
    for data in ("mnist-5k", "folder:nothing"):
        assert "use limner sample" in fails(f"parse {data} --agent {unconditional_folder}")
    assert not Path("programs.jsonl").exists()
