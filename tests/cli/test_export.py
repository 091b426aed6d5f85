"""``limner export``: programs as files of every kind, one or many, one line for each that cannot be."""

import csv
import errno
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from limner.cli import main as cli
from limner.export.axidraw import axidraw
from limner.export.gcode import gcode
from limner.export.plotter import MACHINES, GcodeSettings
from limner.export.svg import svg
from limner.export.toolpath import toolpath
from limner.programs.execution import coloured_strokes, snapshots
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
    Path("empty").mkdir()
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
    run("all.jsonl --to svg --index 0 --out first.svg")
    run("all.jsonl --to gcode --index 0")
    assert Path("all-2.svg").read_text() == svg(programs[2])
    assert Path("first.svg").read_text() == svg(programs[0])
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
        ("--to svg", "which program? limner export PROGRAM --to KIND"),
        ("nowhere/x.json --to svg", "nowhere/x.json: No such file"),
        ("deep/two.json deep/one.json --to svg --index 0", "there are several programs"),
        ("deep --to svg --out x.svg", "--out x.svg: there may be several programs, name a folder"),
        ("deep --to svg --out nothing.json", "--out nothing.json is a file: name a folder"),
        ("empty --to svg", "empty: no .json or .jsonl in this folder"),
        ("dee*/*.jsonl --to svg", "dee*/*.jsonl: no file fits this pattern"),
        ("deep/one.json --to json", "deep/one.json is the program itself: name another file with --out"),
        ("deep/one.json --to png --frames 3", "--frames has no effect with --to png: leave it out"),
        ("deep/one.json --to gif --layers 3", "--layers has no effect with --to gif"),
        ("deep/one.json --to csv --size 300", "--size has no effect with --to csv"),
        ("deep/one.json --to png --gcode.sheet 50", "--gcode.sheet has no effect with --to png"),
        ("deep/one.json --to png --size 8193", "canvas is 8193: must be in 64 … 8192"),
        ("deep/one.json --to mp4 --size 2161", "size is 2161: an animation has at most 2160 pixels"),
        ("deep/one.json --to gif --frames 10001", "frames is 10001: must be in 2 … 10000"),
        ("deep/one.json --to gif --step 0.01", "step is 0.01: must be in 0.02 … 60"),
        ("deep/one.json --to webm --step 2", "step is 2.0: must be in "),
        ("deep/one.json --to apng --hold 61", "hold is 61.0: must be in "),
        ("deep/one.json --to ora --layers 0", "layers is 0: must be in 1 … 2000"),
        ("scenes.json --to csv", "the renderer 'scenes' has no pen"),
        ("deep/one.json --to svg --index 0", "--index picks a line of a .jsonl file, deep/one.json is none"),
        ("all.jsonl --to svg --index 3", "--index is 3: all.jsonl holds 3 programs"),
        ("all.jsonl --to gcode --index -1", "--index is -1"),
        ("all.jsonl --index 0 --to svg --out x.gcode", "cannot write x.gcode: the name must end in .svg with --to svg"),
        ("all.jsonl --index 0 --to gcode --out all.jsonl", "all.jsonl is the program itself: name another file"),
        ("all.jsonl --index 0 --to svg --out all.jsonl/x.svg", "all.jsonl is a file"),
        ("all.jsonl --index 0 --to svg --out /proc/x.svg", "cannot write into the folder /proc"),
        ("all.jsonl --to svg --gcode.sheet 50", "--gcode.sheet has no effect with --to svg: leave it out"),
        ("all.jsonl --to axidraw --gcode.servo-up 50 --gcode.pen servo", "--gcode.pen has no effect with --to axidraw"),
        ("all.jsonl --index 0 --to gcode --gcode.bed 9 9", "the bed from X0 to X9: choose a gcode.sheet of at most "),
        ("all.jsonl --to svg --machine grbl-servo", "--machine is for --to gcode, not for --to svg"),
        ("all.jsonl --to gcode --machine lathe", "--machine is 'lathe': must be one of z-axis, grbl-servo, "),
    ],
)
def test_bad_input_is_one_line(programs: list[Program], fails: Callable[[str], str], words: str, message: str) -> None:
    before = sorted(Path().rglob("*"))
    assert message in fails(f"export {words}")
    assert sorted(Path().rglob("*")) == before


def folder(name: str) -> set[str]:
    return {path.name for path in Path(name).iterdir()}


def test_several_programs_a_folder_a_pattern_and_all_lines(programs: list[Program]) -> None:
    run("nothing.json deep all.jsonl col*.json --to svg --out out")
    assert folder("out") == {"nothing.svg", "one.svg", "all-0.svg", "all-1.svg", "all-2.svg", "colours.svg"}
    assert [Path(f"out/all-{i}.svg").read_text() for i in range(3)] == [svg(program) for program in programs]
    assert Path("out/one.svg").read_text() == svg(programs[1])
    run("**/one.json --to json --out again")
    assert Program.load("again/one.json") == programs[1]


def test_without_a_folder_each_is_beside_its_program(programs: list[Program]) -> None:
    before = {path for path in Path().rglob("*")}
    run("deep all.jsonl --to axidraw")
    made = {"deep/one-axidraw.svg", *(f"all-{i}-axidraw.svg" for i in range(3))}
    assert {str(path) for path in Path().rglob("*") if path not in before} == made


def test_what_cannot_be_is_told_in_a_line_each_and_the_others_are_written(
    programs: list[Program], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = Path("all.jsonl").read_text().splitlines()
    Path("all.jsonl").write_text("\n".join([lines[0], "{}", "", lines[2]]))
    Path("deep/torn.json").write_text('{"schema": 2')
    Path("other").mkdir()
    programs[0].save("other/one.json")
    sources = ["deep", "other", "nowhere.json", "scenes.json", "all.jsonl"]
    assert cli.main(["export", *sources, "--to", "svg", "--out", "out"]) == 2
    output, error = capsys.readouterr()
    assert folder("out") == {"one.svg", "all-0.svg", "all-2.svg"}
    assert Path("out/one.svg").read_text() == svg(programs[1])
    assert len(output.splitlines()) == 3
    told = ("deep/torn.json: not JSON", "other/one.json: out/one.svg is written already", "nowhere.json: No such file")
    told += ("scenes.json: the renderer 'scenes' has no pen", "all.jsonl, line 2: not a Limner program")
    assert [line.startswith(f"limner: {text}") for line, text in zip(error.splitlines(), told, strict=False)] == 5 * [
        True
    ]
    assert error.splitlines()[5:] == ["limner: 5 of 8 programs could not be exported"]


def test_a_full_disk_ends_it_all(
    programs: list[Program], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(path: object, text: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr("limner.export.kinds.write_atomic", full)
    assert cli.main(["export", "all.jsonl", "--to", "svg", "--out", "out"]) == 1
    assert capsys.readouterr() == ("", "limner: out/all-0.svg: No space left on device\n")


def test_every_kind_of_picture(programs: list[Program], capsys: pytest.CaptureFixture[str]) -> None:
    replace(Program.load("colours.json"), frame=Frame(300, 200)).save("framed.json")
    run("framed.json --to png --size 384")
    run("framed.json --to gif --size 96 --frames 5 --step 0.1 --hold 1")
    run("framed.json --to apng --size 96")
    run("framed.json --to ora --layers 4")
    run("framed.json --to mp4 --size 96 --hold 0.5")
    run("framed.json --to webm --size 96 --frames 7 --step 0.04")
    told = ["png: 384 x 256 pixels", "gif: 5 frames, 1.4 s", "apng: 13 frames, 2.9 s", "ora: 5 layers"]
    told += ["mp4: 13 frames, 0.9 s", "webm: 7 frames, 1.7 s"]
    assert capsys.readouterr().out.splitlines() == [f"framed.{each}" for each in told]
    for name, size in (("png", (384, 256)), ("gif", (96, 64)), ("apng", (96, 64))):
        with Image.open(f"framed.{name}") as picture:
            assert picture.size == size
            assert getattr(picture, "n_frames", 1) == {"png": 1, "gif": 5, "apng": 14}[name]


def test_a_film_shows_the_painting_being_made(programs: list[Program]) -> None:
    some = Program.load("colours.json")
    for name, rate, kind in (("mp4", 10, "h264"), ("webm", 5, "vp9")):
        run(f"colours.json --to {name} --size 64 --step {1 / rate} --hold 1")
        with av.open(f"colours.{name}") as film:
            assert film.streams.video[0].codec_context.name.startswith(kind)
            assert film.streams.video[0].average_rate == rate
            shown = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
        expected = list(snapshots(some, range(len(some) + 1), 64))
        expected += (rate - 1) * expected[-1:]
        assert len(shown) == len(expected)
        gaps = [np.abs(one.astype(int) - other).mean() for one, other in zip(shown, expected, strict=True)]
        apart = np.abs(expected[0].astype(int) - expected[-1]).mean()
        assert max(gaps) < 8 < apart / 2


def test_without_pyav_a_line_says_what_to_install(
    programs: list[Program], fails: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    assert "pip install 'limner[video]'" in fails("export deep/one.json --to mp4")
    assert folder("deep") == {"one.json"}


def test_a_table_has_a_row_for_each_curve(programs: list[Program]) -> None:
    framed = replace(Program.load("colours.json"), frame=Frame(300, 200))
    framed.save("framed.json")
    run("framed.json --to csv")
    with Path("framed.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    space, actions = framed.space, framed.actions
    starts = (space.cells(actions, "start")[:, ::-1] + 0.5) * (64 / 32) - (0, 10)  # the frame's corner on 64 pixels
    assert len(rows) == len(actions)
    for row, (x, y), action in zip(rows, starts, actions, strict=True):
        assert (float(row["start x"]), float(row["start y"])) == (x, y)
        assert float(row["radius"]) == framed.renderer["sizes"][action[space.index("size")]]
        assert float(row["start pressure"]) == pytest.approx((action[space.index("pressure")] + 1) / 10)
        levels = [round(255 * action[space.index(name)] / 19) for name in ("red", "green", "blue")]
        assert row["colour"] == "#{:02x}{:02x}{:02x}".format(*levels)
    assert [int(row["stroke"]) for row in rows] == list(range(1, len(rows) + 1))


def test_from_python_it_is_the_same(programs: list[Program]) -> None:
    import limner

    options = limner.ExportOptions(size=128)
    assert limner.export_program(programs[1], "x.png", "png", options) == "128 x 128 pixels"
    run("deep/one.json --to png --size 128")
    assert Path("x.png").read_bytes() == Path("deep/one.png").read_bytes()
    with pytest.raises(ValueError, match="kind is 'pdf': must be one of png, gif"):
        limner.export_program(programs[1], "x.pdf", "pdf")


@pytest.mark.parametrize("words", [[], ["all.jsonl"], ["all.jsonl", "--to", "pdf"]])
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
