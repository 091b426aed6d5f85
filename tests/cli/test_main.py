"""The command line: help without torch, every command, bad input and exit statuses."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from limner.cli import main as cli
from limner.programs.program import Program, execute, load_programs, save_programs
from limner.worlds import make_renderer

TOY = make_renderer({"name": "toy"})


def program(seed: int) -> Program:
    actions = TOY.actions.sample(np.random.default_rng(seed), 4)
    actions[0, 0] = 1
    return Program(TOY.settings(), actions, seed)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LIMNER_DEBUG", raising=False)
    program(0).save("program.json")
    save_programs("programs.jsonl", [program(seed) for seed in range(3)])
    return tmp_path


def run(words: str) -> int:
    return cli.main(words.split())


def pixels(path: str) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)[..., None]


def fails(words: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command line that must end in one line on the standard error and status 2."""
    assert run(words) == 2
    output, error = capsys.readouterr()
    assert output == ""
    assert error.startswith("limner: ")
    assert error.count("\n") == 1
    return error


@pytest.mark.parametrize(
    "words",
    [
        "--help",
        "train --help",
        "train mnist --help",
        "sample --help",
        "evaluate --help",
        "paint --help",
        "parse --help",
        "replay --help",
        "robot --help",
        "export --help",
        "data --help",
        "data check --help",
    ],
)
def test_help_needs_no_torch(words: str) -> None:
    code = (
        "import sys, limner.cli.main as cli\n"
        "try: cli.main(sys.argv[1:])\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "assert not {'torch', 'PIL', 'matplotlib', 'scipy', 'tensorboard', 'rich.progress'} & set(sys.modules)\n"
    )
    result = subprocess.run([sys.executable, "-c", code, *words.split()], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "usage: limner" in result.stdout


def test_every_field_is_a_flag(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["train", "mnist", "--help"])
    text = capsys.readouterr().out
    for flag in (
        "--out",
        "--resume",
        "--seed",
        "--minutes",
        "--renderer.grid",
        "--learning.entropy-cost",
        "--critic.loss",
    ):
        assert flag in text


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["scribble"],
        ["train"],
        ["train", "imagenet"],
        ["replay"],
        ["sample", "--colour"],
        ["train", "mnist", "--renderer.grid", "5000"],
        ["train", "mnist", "--seed", "x"],
    ],
)
def test_a_wrong_command_line_tells_what_there_is(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(words)
    assert end.value.code == 2
    output, error = capsys.readouterr()
    assert output == ""
    assert "limner" in error


def test_replay_paints_the_program(folder: Path) -> None:
    assert run("replay program.json") == 0
    assert np.array_equal(pixels("picture.png"), execute(program(0)))
    assert run("replay program.json --size 128 --out deep/er/large.png") == 0
    assert np.array_equal(pixels("deep/er/large.png"), execute(program(0), 128))


def test_replay_picks_a_line(folder: Path) -> None:
    assert run("replay programs.jsonl --index 2 --out two.json") == 0
    assert Program.load("two.json") == program(2)
    assert run("replay programs.jsonl --out first.png") == 0
    assert np.array_equal(pixels("first.png"), execute(program(0)))


def test_replay_animates(folder: Path) -> None:
    assert run("replay program.json --size 64 --step 0.05 --hold 3 --out drawing.gif") == 0
    with Image.open("drawing.gif") as picture:
        durations = [frame.info["duration"] for frame in ImageSequence.Iterator(picture)]
        last = np.asarray(picture.convert("L"))[..., None]
    assert len(durations) > 1
    assert sum(durations) == 4 * 50 + 3000
    assert np.array_equal(last, execute(program(0), 64))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("replay nowhere.json", "nowhere.json: No such file"),
        ("replay .", "Is a directory"),
        ("replay program.json --out picture.bmp", "must end in .png"),
        ("replay program.json --out program.json/x.png", "is a file"),
        ("replay program.json --out /proc/x.png", "cannot write into the folder /proc"),
        ("replay program.json --size 3", "canvas is 3"),
        ("replay program.json --index 0", "--index picks a line"),
        ("replay programs.jsonl --index 3", "holds 3 programs"),
        ("replay programs.jsonl --index -1", "--index is -1"),
        ("replay program.json --out x.gif --step 0", "step=0"),
        ("sample --count 0", "--count is 0"),
        ("sample --seed -1", "--seed is -1"),
        ("sample --temperature nan", "--temperature is nan"),
        ("sample --opening -1", "--opening is -1"),
        ("sample --out program.json", "is a file"),
        ("sample --agent nobody", "nobody"),
        ("train mnist --batch 0", "batch is 0"),
        ("train mnist --steps 0", "steps is 0"),
        ("train mnist --renderer.brush classic/penn", "unknown brush 'classic/penn'"),
        ("train mnist --data cats", "cats"),
        ("train mnist --out program.json", "is a file"),
    ],
)
def test_bad_input_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str], words: str, message: str) -> None:
    before = Path("program.json").read_bytes()
    assert message in fails(words, capsys)
    assert not list(folder.glob("*.png")) + list(folder.glob("*.gif"))
    assert Path("program.json").read_bytes() == before


def test_bad_programs_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = json.loads(Path("program.json").read_text())
    Path("program.json").write_text(json.dumps(good | {"schema": 2}))
    assert "upgrade Limner" in fails("replay program.json", capsys)
    good["actions"][3] = ["paint", 0, 0, 0, 0, 0, 99]
    Path("program.json").write_text(json.dumps(good))
    assert "program.json: step 3: 'pressure' is 99, must be in 0 … 3" in fails("replay program.json", capsys)
    with open("programs.jsonl", "a") as file:
        file.write("{\n")
    assert "programs.jsonl, line 4" in fails("replay programs.jsonl", capsys)


def test_a_full_disk_leaves_the_old_file(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("picture.png").write_bytes(b"old")

    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert fails("replay program.json", capsys) == "limner: picture.png: No space left on device\n"
    assert Path("picture.png").read_bytes() == b"old"
    assert sorted(path.name for path in folder.iterdir()) == ["picture.png", "program.json", "programs.jsonl"]


def test_the_traceback_on_request(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIMNER_DEBUG", "1")
    with pytest.raises(ValueError, match="canvas"):
        run("replay program.json --size 3")


def test_info(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["info", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["versions"]["numpy"] == np.__version__
    assert facts["renderer"]["libmypaint"].startswith("1.6")
    assert facts["renderer"]["brushes"] > 100
    assert facts["data"]["mnist-5k"].startswith("found")
    assert {"mnist", "mnist-paper", "tiny"} <= set(facts["presets"])
    assert cli.main(["info"]) == 0
    assert "libmypaint" in capsys.readouterr().out


def test_train_then_sample(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("train tiny --frames 48 --out run") == 0
    error = capsys.readouterr().err
    assert "100%" in error
    made = {path.name for path in Path("run").iterdir()}
    assert made >= {"samples.npz", "programs.jsonl", "sheet.png", "drawing.gif", "curves.svg", "curves.png"}
    assert made >= {"report.html", "log.jsonl", "config.json", "reference.json", "checkpoints"}
    assert "Real pictures" in Path("run/report.html").read_text()
    assert "already holds a run" in fails("train tiny --frames 48 --out run", capsys)
    assert run("train tiny --frames 96 --out run --resume") == 0

    assert run("sample --agent run -n 5 --seed 3 --out one") == 0
    assert run("sample --agent run -n 3 --seed 3 --out two") == 0
    canvas = np.load("one/samples.npz")["canvas"]
    assert canvas.dtype == np.uint8
    assert canvas.shape == (5, 64, 64, 1)
    assert np.array_equal(np.load("two/samples.npz")["canvas"], canvas[:3])
    programs = load_programs("one/programs.jsonl")
    assert len(programs) == 5
    for picture, written in zip(canvas, programs, strict=True):
        assert np.array_equal(execute(written), picture)
    assert pixels("one/sheet.png").shape == (140, 208, 1)


def test_another_action_space_from_training_to_replay(folder: Path) -> None:
    assert run("train tiny --frames 24 --renderer.space spline --out run") == 0
    assert run("sample --agent run -n 2 --out drawn") == 0
    written = load_programs("drawn/programs.jsonl")[1]
    assert written.renderer["space"] == "spline"
    assert run("replay drawn/programs.jsonl --index 1 --out picture.png") == 0
    assert np.array_equal(pixels("picture.png"), execute(written))


def test_ctrl_c_saves_and_leaves_quietly(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = folder / "run/log.jsonl"

    def interrupt() -> None:
        deadline = time.monotonic() + 120
        while not log.exists():
            if time.monotonic() > deadline:
                return
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    status = run("train tiny --frames 20000 --checkpoint-every 1000000 --out run")
    thread.join()
    assert status == 130
    error = capsys.readouterr().err
    assert "limner: stopped and saved; --resume --out run continues" in error
    assert len(list((folder / "run/checkpoints").iterdir())) == 1
    assert not (folder / "run/report.html").exists()
