"""``limner evaluate``, and what ``limner sample`` says of conditional agents."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from limner.cli import main as cli
from limner.data import load_dataset
from limner.data.resize import match_channels
from limner.metrics.reconstruction import squared_error
from limner.programs.execution import execute
from limner.programs.program import load_programs


def evaluate(words: str, folder: Path) -> dict[str, object]:
    assert cli.main(["evaluate", "--agent", str(folder), *words.split()]) == 0
    out = Path(words.split("--out ")[1].split()[0] if "--out " in words else "evaluation")
    return json.loads((out / "metrics.json").read_text())


def test_the_policy_alone(here: Path, conditional_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = evaluate("--limit 5 --seed 3", conditional_folder)
    assert sorted(path.name for path in Path("evaluation").iterdir()) == [
        "drawing.gif",
        "metrics.json",
        "pairs.png",
        "programs.jsonl",
    ]
    assert (
        figures.items() >= {"agent": "conditional", "data": "mnist-5k", "search": 0, "seed": 3, "pictures": 5}.items()
    )
    programs = load_programs("evaluation/programs.jsonl")
    goals = load_dataset("mnist-5k", "test").spread(5).pictures(64)
    drawings = np.stack([execute(program) for program in programs])
    assert figures["mse"] == pytest.approx(squared_error(drawings, goals).mean())
    assert figures["empty_mse"] == pytest.approx(squared_error(np.full_like(goals, 255), goals).mean())
    assert figures["strokes"] == 3
    assert figures["frechet"] is None
    printed = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in printed] == list(figures)
    assert f"mse: {figures['mse']:.4g}" in printed
    with Image.open("evaluation/pairs.png") as image:
        sheet = np.asarray(image)
    cells = [sheet[4 + 68 * row : 68 + 68 * row, 4 + 68 * i : 68 + 68 * i] for row in range(2) for i in range(8)]
    for i in range(5):
        np.testing.assert_array_equal(cells[2 * i], goals[i, ..., 0])
        np.testing.assert_array_equal(cells[2 * i + 1], drawings[i, ..., 0])
    with Image.open("evaluation/drawing.gif") as image:
        assert len(list(ImageSequence.Iterator(image))) > 1


def test_without_search_the_same_seed_draws_the_same(here: Path, conditional_folder: Path) -> None:
    one = evaluate("--limit 3 --search 0 --seed 3 --out one", conditional_folder)
    two = evaluate("--limit 3 --seed 3 --threads 1 --out two", conditional_folder)
    other = evaluate("--limit 3 --seed 4 --out other", conditional_folder)
    for name in ("programs.jsonl", "pairs.png", "drawing.gif"):
        assert Path("one", name).read_bytes() == Path("two", name).read_bytes()
    assert Path("other/pairs.png").read_bytes() != Path("one/pairs.png").read_bytes()
    assert one | {"seconds_per_image": 0} == two | {"seconds_per_image": 0}
    assert other["mse"] != one["mse"]


def test_search_comes_closer(here: Path, conditional_folder: Path) -> None:
    alone = evaluate("--limit 4 --out alone", conditional_folder)
    found = evaluate("--limit 4 --sweeps 3 --out found", conditional_folder)
    assert (found["search"], found["sweeps"]) == (0, 3)
    assert found["mse"] < 0.9 * alone["mse"]
    programs = load_programs("found/programs.jsonl")
    goals = load_dataset("mnist-5k", "test").spread(4).pictures(64)
    drawings = np.stack([execute(program) for program in programs])
    assert found["mse"] == pytest.approx(squared_error(drawings, goals).mean())


def test_a_critic_and_a_plan(here: Path, conditional_folder: Path, unconditional_folder: Path) -> None:
    """The score of an unconditional run's critic is added to what search for a conditional agent maximises."""
    figures = evaluate(
        f"--limit 2 --sweeps 1 --plan greedy --critic {unconditional_folder} --critic-weight 0.5", conditional_folder
    )
    assert figures.items() >= {"plan": "greedy", "critic": str(unconditional_folder), "critic_weight": 0.5}.items()
    assert Path("evaluation/programs.jsonl").exists()


def test_colour_pictures_from_an_archive(here: Path, conditional_folder: Path) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), np.uint8)
    np.savez("colours.npz", images=colours)
    figures = evaluate("--data colours.npz --out it", conditional_folder)
    assert (figures["data"], figures["pictures"]) == ("colours.npz", 3)
    empty = squared_error(np.full((3, 64, 64, 1), 255, np.uint8), match_channels(colours, 1)).mean()
    assert figures["empty_mse"] == pytest.approx(empty)
    with Image.open("it/pairs.png") as image:
        assert image.mode == "L"
        np.testing.assert_array_equal(np.asarray(image)[4:68, 4:68], match_channels(colours, 1)[0, ..., 0])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--limit 0", "--limit is 0: must be at least 1"),
        ("--limit -3", "--limit is -3"),
        ("--search -1", "search is -1.0: must be in 0 … 3600 seconds"),
        ("--search nan", "search is nan"),
        ("--search inf", "search is inf"),
        ("--seed -1", "seed is -1: must be in 0"),
        ("--critic somewhere", "--critic is for search only: give it a budget with --search or --sweeps"),
        ("--search 1 --critic nobody", "nobody"),
        ("--critic-weight -1", "--critic-weight is -1.0: must be 0 or more"),
        ("--threads 0", "threads is 0: must be in 1 … 1024"),
        ("--data nothing.npz", "cannot read nothing.npz: No such file or directory"),
        ("--data text.npz", "text.npz: it is no zip"),
        ("--data cats", "unknown data set 'cats'"),
        ("--out text.npz", "text.npz is a file: name a folder"),
        ("--out /proc/x", "cannot write into the folder /proc/x"),
    ],
)
def test_bad_input_is_one_line(
    here: Path, conditional_folder: Path, fails: Callable[[str], str], words: str, message: str
) -> None:
    Path("text.npz").write_text("hello")
    assert message in fails(f"evaluate --agent {conditional_folder} {words}")
    assert not list(here.glob("evaluation/*"))


def test_a_wrong_agent_is_one_line_that_tells_what_to_use(
    conditional_folder: Path, unconditional_folder: Path, fails: Callable[[str], str]
) -> None:
    assert "there is no agent 'picasso': name one" in fails("evaluate --agent picasso")
    for data in ("mnist-5k", "nothing.npz"):
        words = f"evaluate --agent {unconditional_folder} --data {data}"
        assert "agent 'unconditional' is unconditional: use limner sample" in fails(words)
    assert "agent 'conditional' draws pictures that it is given: use limner evaluate" in fails(
        f"sample --agent {conditional_folder}"
    )
