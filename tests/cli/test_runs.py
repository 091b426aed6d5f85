"""``limner runs``: states, figures and order of runs, from the two files that are read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from limner.cli import main as cli
from limner.cli.runs import table
from limner.files import hold
from limner.training.imitation.config import ImitationConfig
from limner.training.listing import Run, best_figures, describe, find_runs
from limner.training.spiral.config import SpiralConfig

LIMIT = 10
"""Updates of the preset tiny: 240 frames, 24 in each."""


def row(update: int, **figures: float | None) -> dict[str, Any]:
    return {"update": update, "frames": 24 * update, "minutes": update / 4, **figures}


def evaluation(update: int, distance: float | None, precision: float = 0.5) -> dict[str, Any]:
    return row(update) | {
        "eval/normalised_frechet": distance,
        "eval/precision": precision,
        "eval/coverage": 0.25,
        "eval/features": "abc",
    }


@pytest.fixture
def make_run(here: Path, tiny: SpiralConfig) -> Callable[..., Path]:
    """A function that makes the folder of a run from its configuration and log; later ones are newer."""
    made: list[Path] = []

    def make(name: str, log: list[dict[str, Any]] | None = None, config: Any = None, end: str = "") -> Path:
        config = tiny.to_dict() if config is None else config
        folder = here / "runs" / name
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
        if log is not None:
            (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in log) + end)
        made.append(folder)
        for path in folder.iterdir():
            os.utime(path, (1_800_000_000 + len(made), 1_800_000_000 + len(made)))
        return folder

    return make


def test_states(make_run: Callable[..., Path], tiny: SpiralConfig) -> None:
    limited = tiny.to_dict()
    limited["run"] |= {"minutes": 1.5}
    assert describe(make_run("empty")).state == "empty"
    assert describe(make_run("begun", [])).state == "empty"
    assert describe(make_run("part", [row(4)])).state == "interrupted"
    assert describe(make_run("whole", [row(4), row(LIMIT), evaluation(LIMIT, 0.5)])).state == "complete"
    assert describe(make_run("in time", [row(6)], limited)).state == "complete"
    assert describe(make_run("too early", [row(5)], limited)).state == "interrupted"
    for name in ("empty", "part", "whole"):
        with hold(Path("runs") / name):
            assert describe(Path("runs") / name).state == "running"


def test_facts(make_run: Callable[..., Path], tiny: SpiralConfig) -> None:
    config = tiny.to_dict()
    config["run"] |= {"minutes": 9.5, "data": "mnist"}
    assert describe(make_run("a", [row(2), evaluation(4, 0.75)], config)) == Run(
        folder=str(Path("runs/a").absolute()),
        state="interrupted",
        modified="2027-01-15T08:00:01+00:00",
        algorithm="spiral",
        data="mnist",
        frames=96,
        frame_limit=240,
        minutes=1.0,
        minute_limit=9.5,
        figures={"normalised_frechet": 0.75, "precision": 0.5, "coverage": 0.25, "frames": 96},
    )


def test_the_best_evaluation_counts() -> None:
    log = [evaluation(1, 0.9, 0.99), row(2), evaluation(3, 0.2, 0.4), evaluation(4, None), evaluation(5, float("nan"))]
    best = {"normalised_frechet": 0.2, "precision": 0.4, "coverage": 0.25, "frames": 72}
    assert best_figures(log) == best
    assert best_figures([row(1), row(2) | {"eval/mse": 0.03}, row(3) | {"eval/mse": 0.05}]) == {
        "mse": 0.03,
        "frames": 48,
    }
    assert best_figures([row(1), evaluation(4, None)]) == {}


def test_runs_of_an_earlier_version(make_run: Callable[..., Path]) -> None:
    config = {"data": "omniglot", "steps": 3, "frames": 240, "renderer": {"name": "paint"}, "imitation": {}}
    run = describe(make_run("old", [row(3) | {"eval/mse": 0.25}], config))
    assert (run.state, run.algorithm, run.data, run.frames) == ("old version", None, "omniglot", 72)
    assert run.figures == {"mse": 0.25, "frames": 72}


@pytest.mark.parametrize(
    ("config", "log", "reason"),
    [
        ("{", "", "config.json: not JSON"),
        ("[]", "", "config.json is not that of a run"),
        ('{"model": "other"}', "", "config.json is not that of a run"),
        (None, "", "config.json is missing"),
        ({"algorithm": "sarsa"}, "", "unknown algorithm 'sarsa': must be one of"),
        ({"critic": {"programs": True}}, "", "unknown field critic.programs"),
        ({}, '{"update": 1}\nnonsense\n{"update": 2}\n', "log.jsonl, line 2: not JSON"),
        ({}, '{"update": 1}\n[]\n', "log.jsonl, line 2: a log line is an object"),
    ],
)
def test_damaged_runs_say_why(
    make_run: Callable[..., Path], tiny: SpiralConfig, config: str | dict[str, Any] | None, log: str, reason: str
) -> None:
    values = tiny.to_dict() | config if isinstance(config, dict) else config
    folder = make_run("damaged", [], "" if values is None else values, log)
    if config is None:
        (folder / "config.json").unlink()
    run = describe(folder)
    assert run.state == "damaged"
    assert run.reason is not None
    assert reason in run.reason
    assert str(folder) not in run.reason
    (_, line) = table([run], Path("runs"))
    assert line.startswith("damaged")


def test_a_line_that_was_cut_short_is_passed_over(make_run: Callable[..., Path]) -> None:
    run = describe(make_run("cut", [row(3)], end='{"update": 4, "fra'))
    assert (run.state, run.frames) == ("interrupted", 72)


def test_runs_are_found_at_any_depth_the_newest_first(make_run: Callable[..., Path], here: Path) -> None:
    folders = [make_run(name, [row(1)]) for name in ("b", "seeds/deep/1", "a", "seeds/2")]
    make_run("a/inside", [row(1)])
    make_run(".hidden/1", [row(1)])
    (here / "runs/other").mkdir()
    assert find_runs(here / "runs") == folders[::-1]
    assert find_runs(here / "runs/seeds") == [folders[3], folders[1]]
    assert find_runs(here / "runs/a") == [folders[2]]


def test_the_table(
    make_run: Callable[..., Path], conditional_config: ImitationConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    conditional = conditional_config.to_dict()
    conditional["run"] |= {"frames": 1_500_000, "minutes": 20, "data": "omniglot:-Armenian,-Latin,-Gujarati"}
    make_run("one", [evaluation(LIMIT, 0.123456)])
    make_run("seeds/two", [row(5000) | {"eval/mse": 0.0312}], conditional)
    make_run("broken", config="{")
    make_run("three")
    assert cli.main(["runs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split("  ")[0] == "run"
    cells = [[cell for cell in line.split("  ") if cell] for line in lines]
    assert [[cell.strip() for cell in line] for line in cells] == [
        ["run", "state", "algorithm", "data", "frames", "minutes", "norm. Fréchet", "precision", "coverage", "mse"],
        ["three", "empty", "spiral", "mnist-5k", "0 of 240", "0.0", "–", "–", "–", "–"],
        ["broken", "damaged", cells[2][2].strip()],
        [
            *("seeds/two", "complete", "imitation", "omniglot:-Armenian,-Lat…", "120k of 1.5M", "1250.0 of 20"),
            *("–", "–", "–", "0.0312"),
        ],
        ["one", "complete", "spiral", "mnist-5k", "240 of 240", "2.5", "0.123", "0.5", "0.25", "–"],
    ]
    starts = [lines[0].index(word) for word in ("state", "algorithm", "data")]
    assert [lines[3].index(word) for word in ("complete", "imitation", "omniglot")] == starts
    ends = [lines[0].index(word) + len(word) for word in ("frames", "minutes", "mse")]
    assert [lines[3].index(word) + len(word) for word in ("1.5M", "of 20", "0.0312")] == ends


def test_json(make_run: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    make_run("one", [evaluation(LIMIT, 0.5)])
    make_run("two", config="{")
    assert cli.main(["runs", "runs", "--json"]) == 0
    two, one = json.loads(capsys.readouterr().out)
    assert one.keys() == two.keys()
    assert (one["folder"], one["state"], one["figures"]["precision"]) == ("runs/one", "complete", 0.5)
    assert (two["folder"], two["state"], two["figures"]) == ("runs/two", "damaged", {})


def test_nothing_to_list(here: Path, fails: Callable[[str], str], capsys: pytest.CaptureFixture[str]) -> None:
    assert "there is no folder runs: name one that holds runs" in fails("runs")
    (here / "runs").mkdir()
    assert cli.main(["runs"]) == 0
    assert capsys.readouterr().out == "no runs in runs\n"


def test_listing_needs_no_torch(make_run: Callable[..., Path]) -> None:
    make_run("one", [evaluation(LIMIT, 0.5)])
    code = (
        "import sys, limner.cli.main as cli\n"
        "assert cli.main(['runs']) == 0\n"
        "assert not {'torch', 'PIL', 'matplotlib', 'scipy', 'tensorboard'} & set(sys.modules)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "complete" in result.stdout
