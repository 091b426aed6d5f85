"""What the tools do, without a protocol: answers, refusals, and that a tool that is closed has changed nothing."""

from __future__ import annotations

import base64
import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from limner.mcp.easel import Answer, Easel
from limner.mcp.folders import DrawingFolder, PictureFolder
from limner.mcp.tools import ENDINGS
from limner.programs.execution import execute
from limner.programs.program import Program

STROKE = {"start": [8, 8], "end": [50, 40], "radius": 4}


def use(easel: Easel, tool: str, **arguments: Any) -> str:
    """The text of an answer."""
    return answer(easel, tool, **arguments).text


def answer(easel: Easel, tool: str, **arguments: Any) -> Answer:
    *shares, last = easel.use(tool, arguments)
    assert isinstance(last, Answer)
    assert all(0 <= share <= 1 for share in shares)
    return last


def seen(easel: Easel, **arguments: Any) -> np.ndarray:
    picture = answer(easel, "look", **arguments).picture
    assert picture is not None
    return np.asarray(Image.open(io.BytesIO(picture)))


@pytest.fixture
def easel(tmp_path: Path) -> Easel:
    """A small canvas, and a red picture."""
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (30, 30), "#c02010").save(tmp_path / "pictures/red.png")
    easel = Easel(PictureFolder(tmp_path / "pictures"), DrawingFolder(tmp_path / "drawings"), threads=1)
    use(easel, "new_canvas", width=64, height=64)
    return easel


def test_strokes_are_painted_and_described(easel: Easel) -> None:
    text = use(easel, "stroke", strokes=[STROKE, STROKE | {"control": [60, 0], "colour": "navy", "pressure": 0.5}])
    summary, first, second = text.splitlines()
    assert summary.startswith("Painted 2 strokes, which changed ")
    assert summary.endswith("% of the canvas; the canvas has 2 strokes.")
    assert first == "0: [8.0, 8.0] by [29.0, 24.0] to [50.0, 40.0], radius 3.90, pressure 1.00, #000000"
    assert second.startswith("1: [8.0, 8.0] by [60.0, 0.0] to [50.0, 40.0], radius 3.90, pressure 0.5")
    assert second.endswith(", #000080")


def test_fractions_are_of_width_and_height(easel: Easel) -> None:
    use(easel, "new_canvas", width=128, height=64)
    use(easel, "stroke", strokes=[STROKE])
    pixels = seen(easel, size=128)
    part = seen(easel, region=[32, 16, 64, 48], size=64)
    use(easel, "undo", to=0)
    share = STROKE | {"start": [8 / 128, 8 / 64], "end": [50 / 128, 40 / 64]}
    assert "0: [0.06" in use(easel, "stroke", strokes=[share], unit="fractions")
    np.testing.assert_array_equal(seen(easel, size=128), pixels)
    np.testing.assert_array_equal(seen(easel, region=[0.25, 0.25, 0.5, 0.75], size=64, unit="fractions"), part)
    with pytest.raises(ValueError, match=r"strokes\[0\].end is \[256, 0\]: must lie in the picture"):
        use(easel, "stroke", strokes=[share | {"end": [2, 0]}], unit="fractions")


def test_a_region_is_painted_by_name_or_data(easel: Easel, tmp_path: Path) -> None:
    data = base64.b64encode((tmp_path / "pictures/red.png").read_bytes()).decode()
    for number, source in enumerate(({"picture": "red.png"}, {"data": data}), start=1):
        text = use(easel, "paint", **source, region=[0, 0, 32, 32], strokes=3, seconds=1)
        assert text.startswith("Painted 3 strokes in ")
        assert text.endswith(f"the canvas has {3 * number} strokes.")
    near = np.abs(seen(easel, region=[0, 0, 32, 32], size=32) - np.asarray((0xC0, 0x20, 0x10), float)).mean()
    assert near < 60
    for source in ({}, {"picture": "red.png", "data": data}):
        with pytest.raises(ValueError, match="give either picture or data"):
            use(easel, "paint", **source)


def test_a_painting_that_is_closed_has_changed_nothing(easel: Easel) -> None:
    use(easel, "stroke", strokes=[STROKE])
    before = seen(easel)
    steps = easel.use("paint", {"picture": "red.png", "strokes": 50, "seconds": 100})
    assert [next(steps) for _ in range(2)]
    steps.close()
    np.testing.assert_array_equal(seen(easel), before)
    assert use(easel, "undo", to=0) == "Took 1 stroke away; the canvas has 0 strokes."


def test_a_painting_ends_that_exceeds_its_budget(easel: Easel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("limner.mcp.easel.OVERTIME", -1000.0)
    text = use(easel, "paint", picture="red.png", strokes=50, seconds=100)
    assert text.startswith("Painted 0 strokes"), "the first painting is blank"


def test_drawings_are_saved_in_all_formats(easel: Easel, tmp_path: Path) -> None:
    use(easel, "stroke", strokes=[STROKE])
    for ending in ENDINGS:
        path = tmp_path / f"drawings/house{ending}"
        assert use(easel, "save", name=path.name).startswith(f"Saved {path}, {path.stat().st_size:,} bytes")
    program = Program.load(tmp_path / "drawings/house.json")
    assert (program.title, len(program)) == ("house", 1)
    with Image.open(tmp_path / "drawings/house.png") as saved:
        np.testing.assert_array_equal(np.asarray(saved), execute(program, 64))
    use(easel, "save", name="big.png", size=300)
    with Image.open(tmp_path / "drawings/big.png") as saved:
        assert saved.size == (300, 300)
    for name in ("x.svg", "x.json"):
        with pytest.raises(ValueError, match="size has no effect with"):
            use(easel, "save", name=name, size=100)


def test_unsaved_strokes_are_not_thrown_away_unasked(easel: Easel) -> None:
    use(easel, "stroke", strokes=[STROKE])
    with pytest.raises(ValueError, match="the canvas has 1 stroke, not saved: save it, or set discard to true"):
        use(easel, "new_canvas", width=70, height=70)
    use(easel, "save", name="a.json")
    use(easel, "new_canvas", width=70, height=70)
    use(easel, "stroke", strokes=[STROKE])
    assert use(easel, "new_canvas", width=64, height=64, discard=True).startswith("A blank canvas of 64 × 64 pixels")


@pytest.mark.parametrize("brush", ["/etc/passwd", "../x", "pencil", "experimental/basic.myb", "x.myb", ""])
def test_a_brush_is_a_name_and_no_file(
    easel: Easel, brush: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.myb").write_text("{}")
    with pytest.raises(ValueError, match=r"^there is no brush '.*': name another, such as \w+/"):
        use(easel, "new_canvas", brush=brush)


NUMBERS = st.floats() | st.integers(-10, 10**400) | st.sampled_from([0, 1, 8, 64, math.nan])
POINT = st.lists(NUMBERS, min_size=2, max_size=2)
ARGUMENTS = {
    "stroke": st.fixed_dictionaries(
        {"strokes": st.lists(st.fixed_dictionaries({"start": POINT, "end": POINT, "radius": NUMBERS}), min_size=1)}
    ),
    "look": st.fixed_dictionaries({"region": st.lists(NUMBERS, min_size=4, max_size=4)}),
    "undo": st.fixed_dictionaries({"to": st.integers(0, 5000)}),
}


@pytest.fixture(scope="module")
def canvas() -> Easel:
    return Easel(PictureFolder(None), DrawingFolder(Path("/nowhere")), threads=1)


@given(st.sampled_from([*ARGUMENTS]), st.sampled_from(["pixels", "fractions"]), st.data())
@settings(max_examples=40, deadline=None)
def test_numbers_of_any_kind_are_used_or_refused(canvas: Easel, tool: str, unit: str, data: st.DataObject) -> None:
    arguments = data.draw(ARGUMENTS[tool]) | ({} if tool == "undo" else {"unit": unit})
    said = ""
    try:
        use(canvas, tool, **arguments)
    except ValueError as error:
        said = str(error)
    assert len(said.splitlines()) <= 1
