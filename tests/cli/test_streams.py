"""Standard streams that are closed, full, or read by nobody: the work is done, and the exit status says the rest."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from limner.cli import main as cli
from limner.programs.program import Program


def shell(line: str) -> subprocess.CompletedProcess[str]:
    """What bash returns for a line in which ``limner`` is this one's."""
    line = f'limner() {{ "{sys.executable}" -m limner "$@"; }}; {line}'
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=buffering(False))


def buffering(unbuffered: bool) -> dict[str, str]:
    """The environment, with Python's buffers of output or without."""
    return os.environ | {"PYTHONUNBUFFERED": "1" if unbuffered else ""}


@pytest.mark.parametrize("closed", ["2>&-", ">&-", ">&- 2>&- <&-"])
def test_closed_streams_keep_no_work_from_being_done(closed: str, toy_programs: list[Program]) -> None:
    """Files are the same, though the first that is opened could have taken the number of a stream."""
    assert cli.main(["replay", "program.json", "--out", "expected.png"]) == 0
    result = shell(f"limner replay program.json --out found.png {closed}")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert Path("found.png").read_bytes() == Path("expected.png").read_bytes()


@pytest.mark.parametrize("words", ["replay nothing.json", "replay", "scribble"])
def test_an_error_that_cannot_be_told_is_in_the_status(words: str, here: Path) -> None:
    """It does not go to the standard output in place of the closed standard error."""
    result = shell(f"limner {words} 2>&-")
    assert (result.returncode, result.stdout) == (2, "")


@pytest.mark.parametrize(
    ("words", "unbuffered"),
    [
        ("--help", False),
        ("--help", True),
        ("paint --help", False),
        ("export program.json --to svg", False),
        ("export program.json --to svg", True),
        ("scribble 2>&1", False),
    ],
)
def test_output_that_nobody_reads(words: str, unbuffered: bool, here: Path) -> None:
    Program({"name": "paint"}, np.array([[1, 5, 99, 2, 5]])).save("program.json")
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "limner", *words.removesuffix(" 2>&1").split()]
    errors = subprocess.STDOUT if words.endswith(" 2>&1") else subprocess.PIPE
    result = subprocess.run(command, stdout=write, stderr=errors, env=buffering(unbuffered))
    os.close(write)
    assert (result.returncode, result.stderr or b"") == (141, b"")
    assert Path("program.svg").exists() == ("export" in words), "the work was done"


def test_a_reader_that_ends_early(here: Path) -> None:
    result = shell("limner --help | head -1; echo ${PIPESTATUS[0]}")
    first, status = result.stdout.splitlines()
    assert (first, result.stderr) == ("usage: limner COMMAND …", "")
    assert status in ("0", "141"), "0 if all was written before the reader ended"


def test_a_full_disk_under_the_output(here: Path) -> None:
    result = shell("limner --help >/dev/full")
    assert (result.returncode, result.stderr) == (1, "limner: standard output: No space left on device\n")
    result = shell("limner replay nothing.json 2>/dev/full")
    assert (result.returncode, result.stderr) == (2, "")
