"""``limner export``: programs as SVG and as G-code, one line when that cannot be."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from limner.cli import main as cli
from limner.export.axidraw import axidraw
from limner.export.gcode import gcode
from limner.export.plotter import MACHINES, GcodeSettings
from limner.export.svg import svg
from limner.export.toolpath import toolpath
from limner.programs.execution import coloured_strokes
from limner.programs.frame import Frame
from limner.programs.program import Program, save_programs
from limner.worlds import make_renderer


def program(seed: int, name: str = "paint", steps: int = 4, **settings: object) -> Program:
    renderer = make_renderer({"name": name, **settings})
    actions = renderer.actions.sample(np.random.default_rng(seed), steps)
    actions[1:, 0] = 1
    return Program(renderer.settings(), actions, title=f"number {seed}" if seed else "")


@pytest.fixture
def programs(here: Path) -> list[Program]:
    """Four programs: one in a file of its own, three in another."""
    made = [program(seed) for seed in range(3)]
    Path("deep").mkdir()
    made[1].save("deep/one.json")
    save_programs("all.jsonl", made)
    program(0, "scenes").save("scenes.json")
    program(0, steps=0).save("nothing.json")
    program(4, steps=12, space="stroke", color=True).save("colours.json")
    return made


def run(words: str) -> None:
    assert cli.main(["export", *words.split()]) == 0


def job(program: Program, name: str, settings: GcodeSettings = GcodeSettings()) -> str:  # noqa: B008
    return gcode(toolpath(coloured_strokes(program), settings), settings, name)


def test_the_file_is_beside_the_program(programs: list[Program], capsys: pytest.CaptureFixture[str]) -> None:
    run("deep/one.json --to svg")
    run("deep/one.json --to gcode")
    run("deep/one.json --to axidraw")
    strokes, paths = len(coloured_strokes(programs[1])), svg(programs[1]).count("<path")
    pens = f"100 x 100 mm, {strokes} strokes"
    told = f"deep/one.svg: {paths} paths\ndeep/one.gcode: {pens}\ndeep/one-axidraw.svg: {pens}\n"
    assert capsys.readouterr().out == told
    assert Path("deep/one.svg").read_text() == svg(programs[1])
    assert Path("deep/one.gcode").read_text() == job(programs[1], "number 1")
    assert len(list(Path("deep").iterdir())) == 4


def test_a_line_of_many(programs: list[Program]) -> None:
    run("all.jsonl --to svg --index 2")
    run("all.jsonl --to svg")
    run("all.jsonl --to gcode --index 0")
    assert Path("all-2.svg").read_text() == svg(programs[2])
    assert Path("all.svg").read_text() == svg(programs[0])
    assert Path("all-0.gcode").read_text().startswith("; Limner: all-0\n")


def test_options_and_another_name(programs: list[Program]) -> None:
    options = "--gcode.sheet 210 --gcode.margin 15 --gcode.depth 0 --gcode.feed 600 --gcode.tolerance 0.2"
    run(f"deep/one.json --to gcode --out some/where/it.NC {options}")
    settings = GcodeSettings(sheet=210, margin=15, depth=0, feed=600, tolerance=0.2)
    assert Path("some/where/it.NC").read_text() == job(programs[1], "number 1", settings)


def test_a_machine_is_what_flags_start_from(programs: list[Program]) -> None:
    run("deep/one.json --to gcode --gcode.order program --machine grbl-servo --gcode.servo-up None --gcode.bed 200 200")
    settings = replace(MACHINES["grbl-servo"], order="program", servo_up=None, bed=(200.0, 200.0))
    assert Path("deep/one.gcode").read_text() == job(programs[1], "number 1", settings)
    assert "M5" in Path("deep/one.gcode").read_text()


def test_the_pens_are_told(programs: list[Program], capsys: pytest.CaptureFixture[str]) -> None:
    palette = ("navy", "midnightblue", "firebrick", "chocolate")
    run(f"colours.json --to gcode --gcode.pens {' '.join(palette)}")
    told = capsys.readouterr().out
    path = toolpath(coloured_strokes(Program.load("colours.json")), GcodeSettings(pens=palette))
    expected = [f"{pen.strokes} with the pen {pen.colour}" for pen in path.pens]
    assert 1 < len(expected) < 4
    assert all(part in told for part in expected)
    assert told.count("none with the pen") == 4 - len(expected)
    assert told.endswith(f", {path.left_out} left to the white paper\n")
    assert Path("colours.gcode").read_text().count("\nM0\n") == len(expected) - 1


def test_an_axidraw_starts_at_the_upper_left(programs: list[Program]) -> None:
    run("colours.json --to axidraw --gcode.sheet 148 --gcode.margin 8 --gcode.order nearest --gcode.pens 2")
    settings = GcodeSettings(sheet=148, margin=8, order="nearest", pens=2, depth=0)
    some = Program.load("colours.json")
    path = toolpath(coloured_strokes(some), settings, home=(0, 0))
    assert Path("colours-axidraw.svg").read_text() == axidraw(path, some)


def test_pens_draw_the_picture_that_was_painted(programs: list[Program]) -> None:
    framed = replace(Program.load("colours.json"), frame=Frame(300, 200))
    framed.save("framed.json")
    run("framed.json --to gcode --gcode.sheet 90")
    run("framed.json --to axidraw --gcode.sheet 90")
    assert Path("framed.gcode").read_text().splitlines()[1].startswith("; 90 x 60 mm, strokes: ")
    assert ElementTree.parse("framed-axidraw.svg").getroot().attrib["viewBox"] == "0 0 90 60"


def test_nothing_is_an_empty_sheet(programs: list[Program]) -> None:
    run("nothing.json --to svg")
    assert ElementTree.parse("nothing.svg").getroot().attrib["viewBox"] == "0 0 64 64"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("scenes.json --to svg", "the renderer 'scenes' has no pen: a program of 'paint' is needed"),
        ("scenes.json --to gcode", "the renderer 'scenes' has no pen"),
        ("nothing.json --to gcode", "there is nothing to draw"),
        ("nowhere/x.json --to svg", "nowhere/x.json: No such file"),
        (". --to svg", ".: Is a directory"),
        ("deep --to svg", "deep: Is a directory"),
        ("deep/one.json --to svg --index 0", "--index picks a line of a .jsonl file, deep/one.json is none"),
        ("all.jsonl --to svg --index 3", "--index is 3: all.jsonl holds 3 programs"),
        ("all.jsonl --to gcode --index -1", "--index is -1"),
        ("all.jsonl --to svg --out x.gcode", "cannot write x.gcode: the name must end in .svg with --to svg"),
        ("all.jsonl --to gcode --out all.jsonl", "the name must end in .gcode, "),
        ("all.jsonl --to svg --out all.jsonl/x.svg", "all.jsonl is a file"),
        ("all.jsonl --to svg --out /proc/x.svg", "cannot write into the folder /proc"),
        ("all.jsonl --to svg --gcode.sheet 50", "--gcode.sheet has no effect with --to svg: leave it out"),
        ("all.jsonl --to axidraw --gcode.servo-up 50 --gcode.pen servo", "--gcode.pen has no effect with --to axidraw"),
        ("all.jsonl --to gcode --gcode.bed 9 9", "the bed from X0 to X9: choose a gcode.sheet of at most "),
        ("all.jsonl --to svg --machine grbl-servo", "--machine is for --to gcode, not for --to svg"),
        ("all.jsonl --to gcode --machine lathe", "--machine is 'lathe': must be one of z-axis, grbl-servo, "),
    ],
)
def test_bad_input_is_one_line(programs: list[Program], fails: Callable[[str], str], words: str, message: str) -> None:
    before = sorted(Path().rglob("*"))
    assert message in fails(f"export {words}")
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize("words", [[], ["all.jsonl"], ["all.jsonl", "--to", "pdf"], ["--to", "svg"]])
def test_a_wrong_command_line_tells_what_there_is(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["export", *words])
    assert end.value.code == 2
    output, error = capsys.readouterr()
    assert output == ""
    assert "limner export" in error


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--gcode.sheet 0", "gcode.sheet is 0.0: must be in 1 …"),
        ("--gcode.safe -1", "gcode.safe is -1.0: must be above gcode.contact"),
        ("--gcode.feed inf", "gcode.feed is inf: must be a number"),
        ("--gcode.margin 60", "gcode.margin is 60.0: must leave"),
        ("--gcode.pens mauvish", "gcode.pens: 'mauvish' is no colour"),
        ("--gcode.dwell 1", "gcode.dwell is 1.0: it is for gcode.pen servo, but the pen is z"),
    ],
)
def test_bad_settings_are_named(
    programs: list[Program], capsys: pytest.CaptureFixture[str], words: str, message: str
) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(f"export all.jsonl --to gcode {words}".split())
    assert end.value.code == 2
    output, error = capsys.readouterr()
    assert output == ""
    assert message in " ".join(error.split())
    assert not Path("all.gcode").exists()
