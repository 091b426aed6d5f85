"""``limner robot``: files, and everything that can be wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence
from robot_programs import make_program

from limner.cli import main as cli
from limner.programs.execution import execute
from limner.programs.program import Program, save_programs
from limner.worlds import make_renderer

needs_mujoco = pytest.mark.skipif(not find_spec("mujoco"), reason='needs MuJoCo: pip install "limner[scenes]"')
FILES = ["drawn.png", "joints.csv", "pair.png", "tracking.json"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LIMNER_DEBUG", raising=False)
    make_program((3, 4, 8, 2, 12, 4, 3)).save("program.json")
    return tmp_path


def run(words: str) -> int:
    return cli.main(["robot", *words.split()])


def fails(words: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command line that must end in one line on the standard error, and leave nothing."""
    assert run(words) == 2
    output, error = capsys.readouterr()
    assert output == ""
    assert error.startswith("limner: ")
    assert error.count("\n") == 1
    assert not [path for path in Path().rglob("*") if path.is_file() and not path.name.startswith("program")]
    return error


@needs_mujoco
def test_all_files_are_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from limner.robot.arm import Arm, Sheet
    from limner.robot.pictures import HEIGHT, WIDTH, Film

    try:
        Film(Arm(Sheet())).close()
    except ImportError as error:
        pytest.skip(str(error))
    assert run("program.json --out made --size 96 --frames 4") == 0
    assert capsys.readouterr().out.startswith("made: 1 strokes, ")
    assert sorted(path.name for path in Path("made").iterdir()) == sorted([*FILES, "robot.gif"])
    with Image.open("made/robot.gif") as film:
        frames = [np.asarray(frame.convert("RGB")).astype(int) for frame in ImageSequence.Iterator(film)]
    assert [frame.shape for frame in frames] == [(HEIGHT, WIDTH, 3)] * 4
    first, last = frames[0], frames[-1]  # the arm is at rest in both, so only the line makes a difference
    changed = np.argwhere(abs(last - first).max(-1) > 100)
    assert len(changed) > 20
    assert (last[tuple(changed.T)].mean(), first[tuple(changed.T)].mean()) < (90, 200)
    assert changed[:, 1].std() > 1.5 * changed[:, 0].std()  # seen from before the robot, the line runs across


@needs_mujoco
def test_without_a_film_no_opengl_is_needed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from limner.robot import pictures

    def broken(*size: int) -> None:
        raise ImportError("no display")

    monkeypatch.setattr(pictures.mujoco, "GLContext", broken)
    error = fails("program.json --out made", capsys)
    assert "cannot render here (no display): apt-get install libegl1 libgl1 libgl1-mesa-dri" in error
    assert "--no-video" in error
    assert run("program.json --out made --no-video --size 96") == 0
    assert sorted(path.name for path in Path("made").iterdir()) == FILES
    with Image.open("made/drawn.png") as picture:
        drawn = np.asarray(picture)
    canvas = execute(Program.load("program.json"), 96)[..., 0]
    assert drawn.shape == (96, 96)
    near = np.argwhere(canvas < 128).mean(0) - np.argwhere(drawn < 128).mean(0)
    assert abs(near).max() < 4
    with Image.open("made/pair.png") as picture:
        assert picture.size == (6 + 2 * 102, 6 + 102)
    measures = json.loads(Path("made/tracking.json").read_text())
    assert measures["error_mm"]["mean"] <= 0.5
    assert measures["violations"] == []
    before = Path("made/joints.csv").read_bytes()
    assert run("program.json --out again --no-video --size 64") == 0
    assert Path("again/joints.csv").read_bytes() == before


@needs_mujoco
def test_mujoco_is_imported_where_libegl_is_missing(folder: Path) -> None:
    code = (
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'OpenGL.EGL' or name == 'mujoco.egl':\n"
        "            raise AttributeError(\"'NoneType' object has no attribute 'eglQueryString'\")\n"
        "sys.meta_path.insert(0, Missing())\n"
        "import limner.cli.main\n"
        "status = limner.cli.main.main('robot program.json --no-video --out made'.split())\n"
        "sys.exit(10 * status + limner.cli.main.main('robot program.json --out made'.split()))\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 2, result.stderr
    assert "libegl1 libgl1 libgl1-mesa-dri" in result.stderr


def test_without_mujoco_the_extra_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith(("limner.robot", "limner.worlds.scenes.mujoco"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mujoco", None)
    assert 'pip install "limner[scenes]"' in fails("program.json --no-video --out made", capsys)


def test_help_imports_neither_torch_nor_mujoco() -> None:
    code = (
        "import sys, limner.cli.main\n"
        "try: limner.cli.main.main(['robot', '--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "assert not {'torch', 'mujoco', 'PIL', 'scipy'} & set(sys.modules)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "--sheet-size" in result.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("missing.json", "missing.json: No such file or directory"),
        ("program.json --index 3", "--index picks a line of a .jsonl file"),
        ("program.json --size 3", "--size is 3: must be in 64 … 2048"),
        ("program.json --nib nan", "--nib is nan: must be in 0.1 … 20 mm"),
        ("program.json --nib -1", "--nib is -1.0: must be"),
        ("program.json --frames 1", "--frames is 1: must be in 2 … 600"),
        ("program.json --out program.json", "--out program.json is a file: name a folder"),
        ("program.json --out /proc/here", "cannot write into the folder /proc/here"),
    ],
)
def test_bad_words_are_refused(folder: Path, capsys: pytest.CaptureFixture[str], words: str, message: str) -> None:
    assert message in fails(f"{words} --no-video", capsys)


@needs_mujoco
@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--sheet-size nan", "--sheet-size is nan: must be in 1 … 1000 mm"),
        ("--sheet-size -100", "--sheet-size is -100"),
        ("--sheet-x inf", "--sheet-x is inf: must be in −1000 … 1000 mm"),
        ("--sheet-x 700", "the middle of the sheet of 100 mm is out of reach (the arm cannot reach x=700"),
        ("--sheet-size 250", "out of reach"),
    ],
)
def test_a_bad_sheet_is_refused(folder: Path, capsys: pytest.CaptureFixture[str], words: str, message: str) -> None:
    assert message in fails(f"program.json --no-video --out made {words}", capsys)


def test_programs_that_cannot_be_drawn_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scenes = make_renderer({"name": "scenes"})
    Program(scenes.settings(), scenes.actions.sample(np.random.default_rng(0), 3)).save("program-scene.json")
    assert "the renderer 'scenes' has no pen" in fails("program-scene.json", capsys)
    make_program().save("program-empty.json")
    assert "program-empty.json paints nothing" in fails("program-empty.json", capsys)
    paint = make_renderer({"name": "paint", "space": "bezier"})
    jumps = np.zeros((4, len(paint.actions)), np.int64)
    save_programs("programs.jsonl", [make_program(), Program(paint.settings(), jumps)])
    assert "paints nothing" in fails("programs.jsonl --index 1", capsys)
    make_program(*[(1, 1, 2, 2, 3, 3, 1)] * 2001).save("program-long.json")
    assert "has 2001 curves, the arm draws up to 2000" in fails("program-long.json", capsys)
