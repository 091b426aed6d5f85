"""Brush files: found by name, refused when malformed, harmless when hostile."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from limner.worlds.paint import _paint, brushes
from limner.worlds.paint.brushes import (
    MAX_BYTES,
    brush_folders,
    brush_names,
    find_brush,
    independent_strokes,
    load_brush,
    parse_brush,
)
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PaintSettings


def document(**settings: object) -> bytes:
    """A brush file with these settings."""
    return json.dumps({"version": 3, "settings": settings or {"opaque": {"base_value": 1, "inputs": {}}}}).encode()


def mapped(points: object, source: str = "pressure") -> dict[str, object]:
    """A setting that depends on an input."""
    return {"base_value": 1, "inputs": {source: points}}


# --- finding ------------------------------------------------------------------------------------------------------


def test_finds_the_first_set() -> None:
    names = brush_names()
    assert {"classic/pen", "classic/calligraphy", "classic/dry_brush"} <= set(names)
    assert names == sorted(set(names))
    assert "1.0" in str(find_brush("classic/pen"))


def test_folders_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mine.myb").write_bytes(find_brush("classic/calligraphy").read_bytes())
    (tmp_path / "own" / "pen.myb").write_bytes(b"not the shipped one")
    monkeypatch.setenv("LIMNER_BRUSHES", f"{tmp_path / 'nowhere'}:{tmp_path}")
    assert brush_folders()[:2] == [tmp_path / "nowhere", tmp_path]
    assert load_brush("own/mine") == load_brush("classic/calligraphy")
    assert find_brush("own/pen") == tmp_path / "own/pen.myb"
    assert load_brush(str(tmp_path / "own/mine.myb")) == load_brush("own/mine")


def test_those_that_are_carried_come_before_those_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = find_brush("classic/pen")
    (tmp_path / "classic").mkdir()
    (tmp_path / "classic/pen.myb").write_bytes(document())
    monkeypatch.setattr(brushes, "CARRIED", tmp_path)
    assert find_brush("classic/pen") == tmp_path / "classic/pen.myb"
    assert find_brush("classic/dry_brush") == system.with_name("dry_brush.myb")
    monkeypatch.setenv("LIMNER_BRUSHES", str(system.parents[1]))
    assert find_brush("classic/pen") == system


@pytest.mark.parametrize(
    "name", ["", "classic", "classic/penn", "pen", "../1.0/brushes/classic/pen", "/etc/passwd", "a\0b"]
)
def test_unknown_brush(name: str) -> None:
    with pytest.raises(ValueError, match="unknown brush"):
        find_brush(name)


def test_unknown_brush_says_what_is_near_and_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"classic/pencil.*apt-get install mypaint-brushes"):
        Paint(PaintSettings(brush="classic/pencill"))
    with pytest.raises(ValueError, match="no brush file"):
        find_brush("/nowhere/pen.myb")
    monkeypatch.setenv("XDG_DATA_DIRS", "/nowhere")
    monkeypatch.setenv("XDG_DATA_HOME", "/nowhere")
    with pytest.raises(ValueError, match="apt-get install mypaint-brushes"):
        find_brush("classic/pen")


# --- reading ------------------------------------------------------------------------------------------------------


def test_reads_what_the_file_says() -> None:
    brush = parse_brush(document(opaque={"base_value": 0.5}, hardness=mapped([[0, 0.25], [0.5, 0.25], [1, -1]])))
    names = [name for name, *_ in _paint.settings()]
    assert brush.base[names.index("opaque")] == 0.5
    assert brush.base[names.index("anti_aliasing")] == 1.0  # libmypaint's default
    assert brush.base[names.index("paint_mode")] == 0.0
    assert brush.base[names.index("smudge_length_log")] == 1.0
    place = (names.index("hardness"), _paint.inputs().index("pressure"))
    assert brush.mappings == ((*place, ((0, 0.25), (0.5, 0.25), (1, -1))),)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "'utf-8' codec can't decode byte 0xff in position 0"),
        (b"opaque 1.0\n", r"text format of MyPaint before 1.1 \(version 1\).*open it in MyPaint and save it anew"),
        (b"# A brush of M\xfcller\n\nversion 2\nopaque 1.0 | pressure 0 0, 1 1\n", r"text format.*\(version 2\)"),
        (b"version 2\nno_such_setting 1.0\n", r"text format.*\(version 2\)"),
        (b"# no brush at all\n", "not JSON"),
        (b"some opaque text", "not JSON"),
        (b"[" * 10**5, "nested"),
        (b'{"a":' * 10**5, "nested"),
        (b" " * (MAX_BYTES + 1), "larger than"),
        (b"[]", "not a JSON object"),
        (b'{"settings": {}}', "version"),
        (b'{"version": 2, "settings": {"opaque": {"base_value": 1}}}', "version must be 3, got 2"),
        (b'{"version": 3}', "'settings'"),
        (b'{"version": 3, "settings": {}}', "'settings'"),
        (b'{"version": 3, "settings": []}', "'settings'"),
        (document(opaqe={"base_value": 1}), "unknown setting 'opaqe', did you mean.*opaque"),
        (document(opaque=1), "'opaque' must be an object"),
        (document(opaque={}), "'opaque' must be an object"),
        (document(opaque={"base_value": "1"}), "must be a number"),
        (document(opaque={"base_value": True}), "must be a number"),
        (document(opaque={"base_value": None}), "must be a number"),
        (document(opaque={"base_value": float("nan")}), "must be a number in 0 … 2, got nan"),
        (document(opaque={"base_value": float("inf")}), "must be a number in 0 … 2, got inf"),
        (document(opaque={"base_value": 10**400}), "must be a number in 0 … 2"),
        (document(dabs_per_second={"base_value": 1e9}), "dabs_per_second.*must be a number in 0 … 200"),
        (document(radius_logarithmic={"base_value": 50}), "radius_logarithmic.*must be a number in"),
        (document(opaque={"base_value": 1, "inputs": []}), "inputs of 'opaque'"),
        (document(opaque=mapped([[0, 0], [1, 1]], "presure")), "unknown input 'presure'"),
        (document(opaque=mapped({})), "a curve is a list of 2 … 64 points"),
        (document(opaque=mapped([[0, 0]])), "a curve is a list of 2 … 64 points"),
        (document(opaque=mapped([[i, 0] for i in range(65)])), "a curve is a list of 2 … 64 points"),
        (document(opaque=mapped([[0, 0], [1]])), "a point is a pair"),
        (document(opaque=mapped([[0, 0], 1])), "a point is a pair"),
        (document(opaque=mapped([[0, 0], [float("nan"), 1]])), "got nan"),
        (document(opaque=mapped([[0, 0], [1, 1e30]])), "must be a number in"),
        (document(opaque=mapped([[1, 0], [0, 1]])), "must not go back in x"),
    ],
)
def test_malformed_files_are_refused(data: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        parse_brush(data)
    file = tmp_path / "bad.myb"
    file.write_bytes(data)
    with pytest.raises(ValueError, match=r"bad\.myb"):
        Paint(PaintSettings(brush=str(file)))


def test_unreadable_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "locked.myb"
    file.write_bytes(document())

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ValueError, match=r"cannot read .*Permission denied"):
        load_brush(str(file))


# --- hostile, though well formed ----------------------------------------------------------------------------------

HUGE = [[-1e4, 1e4], [1e4, 1e4]]
HOSTILE = {
    "endless dabs by distance": {"dabs_per_actual_radius": {"base_value": 200, "inputs": {"pressure": HUGE}}},
    "endless dabs by time": {"dabs_per_second": {"base_value": 200, "inputs": {"random": HUGE}}},
    "endless distance": {"elliptical_dab_ratio": {"base_value": 10, "inputs": {"pressure": HUGE}}},
    "huge dabs": {
        "radius_logarithmic": {"base_value": 6, "inputs": {"pressure": HUGE}},
        "dabs_per_basic_radius": {"base_value": 200},
    },
    "huge soft dabs": {"anti_aliasing": {"base_value": 5, "inputs": {"pressure": HUGE}}},
    "tiny dabs": {
        "radius_logarithmic": {"base_value": -2, "inputs": {"pressure": [[-1e4, -1e4], [1e4, -1e4]]}},
        "dabs_per_actual_radius": {"base_value": 200},
    },
    "far away": {"offset_x": {"base_value": 40, "inputs": {"pressure": HUGE}}, "offset_multiplier": {"base_value": 3}},
    "far and wide": {"offset_by_random": {"base_value": 25, "inputs": {"pressure": HUGE}}},
    "not a number": {"direction_filter": {"base_value": 10, "inputs": {"pressure": HUGE}}},
    "shaking": {"tracking_noise": {"base_value": 12}, "offset_by_speed": {"base_value": 3}},
    "black colours white": {"colorize": {"base_value": 1}},
    "grey colours white": {"colorize": {"base_value": 1}, "change_color_v": {"base_value": 0.999}},
    "smudging": {
        "smudge": {"base_value": 1},
        "smudge_radius_log": {"base_value": 1.6, "inputs": {"pressure": HUGE}},
        "smudge_length": {"base_value": 0, "inputs": {"pressure": HUGE}},
    },
    "colours": {name: {"base_value": 2, "inputs": {"random": HUGE}} for name in ("change_color_h", "change_color_l")},
    "everything": {name: {"base_value": high, "inputs": {"pressure": HUGE}} for name, _, _, high in _paint.settings()},
}

STRESS = """
import json, sys
import numpy as np
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PaintSettings
renderer = Paint(PaintSettings(brush=sys.argv[1], color=True, sizes=(1, 24), events=10))
actions = renderer.actions.sample(np.random.default_rng(0), (3, 1))
actions[:, :, 0] = 1
try:
    for step in actions:
        renderer.step(step)
except ValueError as error:
    assert "too many or too large dabs" in str(error) and sys.argv[1] in str(error)
    assert (renderer.canvas() == 255).all()
    print("refused")
"""


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_brushes_neither_hang_nor_crash(name: str, tmp_path: Path) -> None:
    """Each either paints or is refused, in bounded time and memory."""
    file = tmp_path / "hostile.myb"
    pressing = {"opaque": {"base_value": 1}, "opaque_multiply": {"base_value": 1}}
    file.write_bytes(document(**pressing | HOSTILE[name]))
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n{STRESS}"
    result = subprocess.run(
        [sys.executable, "-c", limited, str(file)], capture_output=True, text=True, timeout=100, check=False
    )
    assert result.returncode == 0, f"exit status {result.returncode}: {result.stderr[-2000:]}"
    assert result.stdout == ("refused\n" if name in ("huge dabs", "huge soft dabs", "everything") else "")


@pytest.mark.parametrize(
    ("brush", "does"),
    [
        ("experimental/basic", True),
        ("classic/pen", True),
        ("classic/calligraphy", True),
        ("classic/charcoal", False),
        ("classic/smudge", False),
        ("classic/ink_eraser", False),
        ("classic/pencil", False),
    ],
)
def test_strokes_are_independent_unless_a_brush_reads_the_canvas_erases_or_draws_random_numbers(
    brush: str, does: bool
) -> None:
    assert independent_strokes(load_brush(brush)) == does
