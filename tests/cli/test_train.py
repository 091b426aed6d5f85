"""``limner train``: runs from the first update to the report, interrupted ones too."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limner.cli import main as cli
from limner.data import load_dataset
from limner.programs.program import execute, load_programs
from limner.training.log import Log

CONDITIONAL = (
    "train tiny --algorithm imitation --conditional --renderer.space stroke --expert.candidates 4 "
    "--expert.capacity 32 --batch-size 4 --steps-per-update 2 --frames 48"
)
RUN = {
    *("config.json", "reference.json", "log.jsonl", "events.out", "checkpoints"),
    *("curves.svg", "curves.png", "report.html"),
}
"""What every run leaves in its folder."""


def run(words: str) -> int:
    return cli.main(words.split())


def names(folder: str) -> set[str]:
    """Of the files in a folder, those for TensorBoard without what differs from run to run."""
    return {path.name.partition(".tfevents.")[0] for path in Path(folder).iterdir()}


def test_an_unconditional_agent(here: Path, fails: Callable[[str], str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("train tiny --frames 48 --out run") == 0
    assert "100%" in capsys.readouterr().err
    made = names("run")
    assert made == RUN | {"samples.npz", "programs.jsonl", "sheet.png", "drawing.gif"}
    assert "Real pictures" in Path("run/report.html").read_text()
    assert "already holds a run" in fails("train tiny --frames 48 --out run")
    assert names("run") == made
    canvases = np.load("run/samples.npz")["canvas"]
    assert canvases.shape == (100, 64, 64, 1)
    for picture, program in zip(canvases, load_programs("run/programs.jsonl"), strict=True):
        assert np.array_equal(execute(program), picture)


def test_a_conditional_agent(here: Path, fails: Callable[[str], str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(f"{CONDITIONAL} --out run") == 0
    assert ": mse " in capsys.readouterr().err
    made = names("run")
    assert made == RUN | {"pairs.png", "programs.jsonl", "drawing.gif"}
    goals = load_dataset("mnist-5k", "test").spread(100).pictures(64)
    programs = load_programs("run/programs.jsonl")
    assert len(programs) == 100
    with Image.open("run/pairs.png") as image:
        sheet = np.asarray(image)
    assert sheet.shape == (4 + 8 * 68, 4 + 8 * 68)
    np.testing.assert_array_equal(sheet[72:136, 140:204], goals[5, ..., 0])
    np.testing.assert_array_equal(sheet[72:136, 208:272], execute(programs[5])[..., 0])

    update, evaluation = (json.loads(line) for line in Path("run/log.jsonl").read_text().splitlines())
    assert update.keys() >= {"search/distance", "policy/nll", "policy/entropy"}
    assert evaluation.keys() >= {"eval/mse", "eval/seconds"}
    reference = json.loads(Path("run/reference.json").read_text())
    whole = load_dataset("mnist-5k", "test").pictures(64)
    assert reference == {"empty": {"mse": pytest.approx(((1 - whole / 255) ** 2).mean(), rel=1e-4)}}
    report = Path("run/report.html").read_text()
    assert f"The agent at 48 frames</td><td>{evaluation['eval/mse']:.4f}</td>" in report
    assert f"An empty canvas</td><td>{reference['empty']['mse']:.4f}</td>" in report
    assert "Left of each pair" in report
    curves = Path("run/curves.svg").read_text()
    for title in (
        "Mean squared error",
        "Error of the programs that search finds",
        "Negative log-likelihood of the expert",
    ):
        assert title in curves
    assert "Fréchet" not in report

    assert "use limner evaluate" in fails("sample --agent run")
    assert run("evaluate --agent run --limit 2") == 0
    assert run("train --resume run --frames 72") == 0
    assert "The agent at 72 frames" in Path("run/report.html").read_text()


def test_another_action_space_from_training_to_replay(here: Path) -> None:
    assert run("train tiny --frames 24 --renderer.space spline --out run") == 0
    assert run("sample --agent run -n 2 --out drawn") == 0
    written = load_programs("drawn/programs.jsonl")[1]
    assert written.renderer["space"] == "spline"
    assert run("replay drawn/programs.jsonl --index 1 --out picture.png") == 0
    with Image.open("picture.png") as picture:
        assert np.array_equal(np.asarray(picture)[..., None], execute(written))


def test_ctrl_c_saves_and_leaves_quietly(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    honest = Log.write

    def write(*arguments: object) -> None:
        honest(*arguments)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Log, "write", write)
    assert run("train tiny --frames 20000 --checkpoint-every 1000000 --out run") == 130
    assert "limner: stopped and saved; limner train --resume run continues\n" in capsys.readouterr().err
    assert [path.name for path in (here / "run/checkpoints").iterdir()] == ["00000010"]
    assert not (here / "run/report.html").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--episodes 0", "episodes is 0"),
        ("--horizon 0", "horizon is 0"),
        ("--renderer.brush classic/penn", "unknown brush 'classic/penn'"),
        ("--data cats", "cats"),
        ("--out file", "is a file"),
    ],
)
def test_bad_input_is_one_line(here: Path, fails: Callable[[str], str], words: str, message: str) -> None:
    Path("file").write_text("text")
    assert message in fails(f"train mnist {words}")
    assert [path.name for path in here.rglob("*") if path.is_file()] == ["file"]


def test_colours_on_grey_canvases_are_refused(here: Path, fails: Callable[[str], str]) -> None:
    (here / "set").mkdir()
    colours = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), np.uint8)
    for i, picture in enumerate(colours):
        Image.fromarray(picture).save(here / f"set/{i:02}.png")
    message = fails(f"{CONDITIONAL} --data folder:set --out run")
    assert "choose renderer settings that fit the data" in message
    assert not list(here.glob("run/*"))
