"""``limner train``: runs from the first update to the report, interrupted ones too."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file

from limner.agents.checkpoint import list_checkpoints
from limner.cli import main as cli
from limner.data import load_dataset
from limner.files import hold
from limner.programs.execution import execute
from limner.programs.program import load_programs
from limner.training.evaluation import GenerationEvaluation
from limner.training.log import Log
from limner.training.spiral.config import SpiralConfig

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
    assert run("train --resume run --frames 72 --threads 2") == 0
    assert "The agent at 72 frames" in Path("run/report.html").read_text()
    config = json.loads(Path("run/config.json").read_text())
    assert (config["run"]["frames"], config["run"]["threads"]) == (72, 2)
    frames = [json.loads(line)["frames"] for line in Path("run/log.jsonl").read_text().splitlines()]
    assert frames == [48, 48, 72, 72]


@pytest.mark.usefixtures("no_report")
def test_another_action_space_from_training_to_replay(here: Path) -> None:
    assert run("train tiny --frames 24 --renderer.space spline --out run") == 0
    assert run("sample --agent run -n 2 --out drawn") == 0
    written = load_programs("drawn/programs.jsonl")[1]
    assert written.renderer["space"] == "spline"
    assert run("replay drawn/programs.jsonl --index 1 --out picture.png") == 0
    with Image.open("picture.png") as picture:
        assert np.array_equal(np.asarray(picture)[..., None], execute(written))


@pytest.fixture
def no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the report and the curves, which take seconds."""
    monkeypatch.setattr("limner.cli.train.write_report", lambda folder: None)


@pytest.fixture
def interrupted(here: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A function that trains into a folder and presses Ctrl-C when the first line of the log is written."""
    honest = Log.write

    def write(*arguments: object) -> None:
        honest(*arguments)
        signal.raise_signal(signal.SIGINT)

    def train(words: str) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(Log, "write", write)
            assert run(words) == 130

    return train


def test_ctrl_c_saves_and_leaves_quietly(
    here: Path, interrupted: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    interrupted("train tiny --frames 20000 --checkpoint-every 1000000 --out run")
    assert "limner: stopped and saved; limner train --resume run continues\n" in capsys.readouterr().err
    assert [path.name for path in (here / "run/checkpoints").iterdir()] == ["00000010"]
    assert not (here / "run/report.html").exists()


@pytest.mark.usefixtures("no_report")
def test_a_resumed_run_is_as_one_that_was_never_interrupted(here: Path, interrupted: Callable[[str], None]) -> None:
    words = "train tiny --seed 5 --renderer.space stroke --critic.width 6 --learning.clip None --frames 480"
    assert run(f"{words} --out whole/run") == 0
    interrupted(f"{words} --out parts/run")
    assert run("train --resume parts/run") == 0
    for name in (
        "config.json",
        "reference.json",
        "samples.npz",
        "programs.jsonl",
        "checkpoints/00000020/agent.safetensors",
    ):
        assert Path("parts/run", name).read_bytes() == Path("whole/run", name).read_bytes(), name
    updates = [json.loads(line)["update"] for line in Path("parts/run/log.jsonl").read_text().splitlines()]
    assert updates == [10, 20, 20]
    assert names("parts/run") == names("whole/run")


def test_limits_of_a_resumed_run_can_be_changed(
    here: Path, unconditional_folder: Path, tiny: SpiralConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[object, ...]] = []
    monkeypatch.setattr("limner.cli.train._run", lambda *arguments, **resume: given.append((*arguments, resume)))
    Path("run").mkdir()
    Path("run/config.json").write_text(json.dumps(tiny.to_dict()))
    changed = {"frames": 96, "minutes": 2.5, "threads": 3}
    assert run("train --resume run") == 0
    assert run("train --resume run --minutes 2.5 --frames 96 --threads 3") == 0
    assert run("train --resume=run --frames 96") == 0
    configs = [replace(tiny, run=replace(tiny.run, **limits)) for limits in ({}, changed, {"frames": 96})]
    assert given == [(config, Path("run"), {"resume": True}) for config in configs]


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("nowhere", "nowhere holds no run to resume: it has no config.json"),
        ("empty", "empty holds no run to resume: it has no config.json"),
        ("files", "files holds no run to resume: it has no config.json"),
        ("old", "old holds a run of an earlier version of Limner, which cannot be resumed: start a new one from"),
        ("damaged", "damaged/config.json is damaged: "),
        ("unknown", "unknown field critic.programs"),
        ("run --frames 0", "frames is 0: must be positive"),
        ("run --minutes -1", "minutes is -1.0: must be positive"),
    ],
)
def test_what_cannot_be_resumed_is_one_line(
    here: Path, fails: Callable[[str], str], tiny: SpiralConfig, folder: str, message: str
) -> None:
    values = tiny.to_dict()
    configs = {
        "run": json.dumps(values),
        "old": json.dumps({"data": "mnist-5k", "steps": 3, "renderer": {"name": "paint"}, "imitation": {}}),
        "damaged": json.dumps(values)[:-40],
        "unknown": json.dumps(values | {"critic": {"programs": True}}),
    }
    for name, text in configs.items():
        (here / name).mkdir()
        (here / name / "config.json").write_text(text)
    (here / "empty").mkdir()
    (here / "files").mkdir()
    (here / "files/log.jsonl").write_text("")
    before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    assert message in fails(f"train --resume {folder}")
    assert {path: path.read_bytes() for path in here.rglob("*") if path.is_file()} == before
    assert not Path("nowhere").exists()


def test_resuming_takes_a_folder_and_limits_alone(
    fails: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    for flag in ("--seed", "--out"):
        assert f"limner train --resume has no flag {flag}: " in fails(f"train --resume run {flag} 3")
    with pytest.raises(SystemExit) as end:
        run("train --resume")
    assert end.value.code == 2
    assert "limner train --resume --help" in capsys.readouterr().err


def test_two_processes_do_not_train_in_one_folder(here: Path, fails: Callable[[str], str], tiny: SpiralConfig) -> None:
    Path("run").mkdir()
    Path("run/config.json").write_text(json.dumps(tiny.to_dict()))
    with hold(Path("run")):
        assert "another process is at work in run: wait until it ends" in fails("train --resume run")
        assert "another process is at work in run" in fails("train tiny --out run")


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


@pytest.mark.parametrize(
    ("rates", "saved"),
    [
        ("--learning.learning-rate 100000 --critic.learning-rate 1e8", 0),
        ("--critic.learning-rate 1e8", 2),
        ("--learning.learning-rate 1e38", 2),
    ],
)
def test_training_whose_numbers_are_no_longer_finite_stops(
    rates: str, saved: int, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_constant(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    assert run(f"train tiny {rates} --checkpoint-every 1 --out run") == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert re.fullmatch(
        r"limner: training stopped in update \d+: 10 gradient steps in a row were not finite\. First .* (of the "
        r"policy|of the critic) became (NaN|infinite), in update [12]; batches are in run/non_finite\. Start .*",
        error,
    )
    for text in (*Path("run/log.jsonl").read_text().splitlines(), Path("run/reference.json").read_text()):
        json.loads(text, parse_constant=no_constant)
    assert 1 <= len(list(Path("run/non_finite").glob("*.safetensors"))) <= 10
    checkpoints = list_checkpoints(Path("run/checkpoints"))
    assert len(checkpoints) == saved
    for checkpoint in checkpoints:
        for file in checkpoint.glob("*.safetensors"):
            assert all(tensor.double().isfinite().all() for tensor in load_file(file).values())
        json.loads((checkpoint / "manifest.json").read_text(), parse_constant=no_constant)
    assert not Path("run/report.html").exists()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Evaluations of 100 pictures instead of 1,000."""
    monkeypatch.setattr("limner.training.evaluation.GenerationEvaluation", partial(GenerationEvaluation, count=100))


@pytest.mark.usefixtures("few", "no_report")
def test_a_population(here: Path, fails: Callable[[str], str], capsys: pytest.CaptureFixture[str]) -> None:
    words = "train tiny --population 3 --population.round-frames 72 --population.learning-rate 0.5 2 --frames 144"
    assert run(f"{words} --out pop") == 0
    output = capsys.readouterr().out
    assert re.fullmatch(r"best: pop/member-0\d, fitness -\d\.\d+\n", output)
    assert {path.name for path in Path("pop").iterdir()} == {
        *("member-00", "member-01", "member-02"),
        *("population.json", "population.svg", "population.png"),
    }
    history = json.loads(Path("pop/population.json").read_text())
    assert history["population"]["fitness"] == "frechet"
    assert history["population"]["learning_rate"] == [0.5, 2]
    assert {row["event"] for row in history["history"]} == {"started", "trained", "copied", "perturbed"}
    assert all(0.5 <= row["learning_rate"] <= 2 for row in history["history"])
    assert run("runs pop --json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert {(Path(row["folder"]).name, row["state"], row["frames"]) for row in rows} == {
        (f"member-0{i}", "complete", 144) for i in range(3)
    }
    assert run("sample --agent pop/member-02 -n 2 --out drawn") == 0
    assert "already holds a population: continue it with --resume pop" in fails(f"{words} --out pop")
    assert run("train --resume pop --frames 216") == 0
    assert json.loads(Path("pop/population.json").read_text())["round"] == 4
    assert "minutes is 2.0: a population takes turns by frames" in fails("train --resume pop --minutes 2")


@pytest.mark.usefixtures("few", "no_report")
def test_a_population_that_was_interrupted(
    here: Path, interrupted: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    words = "train tiny --population=2 --population.fitness critic --population.round-frames 288 --frames 576"
    assert run(f"{words} --out whole") == 0
    interrupted(f"{words} --out parts")
    assert "limner: stopped and saved; limner train --resume parts continues\n" in capsys.readouterr().err
    assert run("train --resume parts") == 0
    histories = [json.loads(Path(name, "population.json").read_text())["history"] for name in ("whole", "parts")]
    assert histories[0] == histories[1]


def test_a_population_that_cannot_work(fails: Callable[[str], str]) -> None:
    assert "population is 1: must be 2 or more; leave --population out" in fails("train tiny --population 1")
    assert "--population is 'x': must be the number of members" in fails("train tiny --population x")
    assert "the lower one first" in fails("train tiny --population 2 --population.entropy-cost 2 1")
    assert "must be one of critic, frechet" in fails("train tiny --population 2 --population.fitness mse")
    assert "leave --minutes out" in fails("train tiny --population 2 --minutes 1")
    shared = "train tiny --population 2 --population.shared-critic"
    assert "--critic.replay has no effect: a shared critic learns from" in fails(f"{shared} --critic.replay 3")
    assert "leave --runtime ray out" in fails(f"{shared} --runtime ray")
    on_ray = "train tiny --population 2 --runtime ray"
    for flag in ("--max-lag 2", "--lockstep", "--threads=3", "--max_lag 4"):
        name = flag.replace("_", "-").split("=")[0].split()[0]
        assert f"{name} has no effect: a member of a population on Ray trains in one process" in fails(
            f"{on_ray} {flag}"
        )
    assert not Path("runs/tiny-population/population.json").exists()


@pytest.mark.usefixtures("few")
def test_a_full_disk_ends_training_in_one_line_and_the_run_goes_on_when_there_is_room(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    original = os.fsync

    def full(words: str, name: str) -> str:
        """The last line on the standard error where there is no room for the file ``name``."""

        def fsync(handle: int) -> None:
            if f"/.{name}." in os.readlink(f"/proc/self/fd/{handle}"):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            original(handle)

        monkeypatch.setattr(os, "fsync", fsync)
        assert run(words) == 1
        monkeypatch.setattr(os, "fsync", original)
        return capsys.readouterr().err.splitlines()[-1]

    space, again = "No space left on device", "make room and continue with limner train --resume run"
    train, resume = "train tiny --frames 48 --out run", "train --resume run"
    assert full(train, "config.json") == f"limner: run/config.json: {space}; make room and start again"
    last = full(train, "state.safetensors")
    assert last.startswith(f"limner: run/checkpoints/00000002: {space}, 0.")
    assert last.endswith(f" MiB are needed; {again}")
    assert names("run") == {"config.json", "reference.json", "log.jsonl", "events.out"}
    assert full(resume, "samples.npz") == f"limner: run/samples.npz: {space}; {again}"
    assert [path.name for path in list_checkpoints(Path("run/checkpoints"))] == ["00000002"]
