"""``limner train`` of an agent with targets."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limner.cli import main as cli
from limner.data import load_dataset
from limner.programs.program import execute, load_programs

WORDS = (
    "train tiny --conditional --renderer.space stroke --imitation.teacher search --imitation.tries 4 "
    "--imitation.memory 32 --imitation.batch 4 --imitation.steps 2 --frames 48"
)


def test_a_run_with_targets(here: Path, fails: Callable[[str], str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*WORDS.split(), "--out", "run"]) == 0
    assert ": mse " in capsys.readouterr().err
    made = {path.name.partition(".tfevents.")[0] for path in Path("run").iterdir()}
    assert made == {
        "events.out",
        *("pairs.png", "programs.jsonl", "drawing.gif", "curves.svg", "curves.png", "report.html"),
        *("log.jsonl", "config.json", "reference.json", "checkpoints"),
    }
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
    for title in ("Mean squared error", "Error of the programs that search finds", "Negative log-likelihood of the expert"):
        assert title in curves
    assert "Fréchet" not in report

    assert "use limner evaluate" in fails("sample --agent run")
    assert cli.main(["evaluate", "--agent", "run", "--limit", "2"]) == 0
    assert cli.main([*WORDS.replace("48", "72").split(), "--resume", "--out", "run"]) == 0
    assert "The agent at 72 frames" in Path("run/report.html").read_text()


def test_colours_on_grey_canvases_are_refused(here: Path, fails: Callable[[str], str]) -> None:
    (here / "set").mkdir()
    colours = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), np.uint8)
    for i, picture in enumerate(colours):
        Image.fromarray(picture).save(here / f"set/{i:02}.png")
    assert "choose renderer.color and renderer.ground to fit the data" in fails(f"{WORDS} --data folder:set --out run")
    assert not list(here.glob("run/*"))
