"""docs/programs.md says what the file is: its examples are executed, its tables compared, its rules followed."""

from __future__ import annotations

import dataclasses
import json
import logging
import re
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from limner.programs.execution import execute
from limner.programs.program import Program, load_programs
from limner.programs.table import columns
from limner.worlds import make_renderer, read_settings
from limner.worlds.paint.curves import CurveDecoder
from limner.worlds.paint.settings import PaintSettings, Space
from limner.worlds.scenes.settings import KINDS, ScenesSettings, place

TEXT = (Path(__file__).parents[2] / "docs/programs.md").read_text()
EXAMPLES = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)


def table(after: str) -> dict[str, list[str]]:
    """The first table after a text: its cells by the name in the first column."""
    lines = TEXT.partition(after)[2].partition("|---")[2].splitlines()[1:]
    rows = [line.strip("|").split("|") for line in lines[: [line[:1] for line in lines].index("")]]
    return {row[0].strip().split("`")[1]: [cell.strip() for cell in row[1:]] for row in rows}


def test_the_example_of_paint(caplog: pytest.LogCaptureFixture) -> None:
    program = Program.from_json(EXAMPLES[0])
    picture = execute(program, 256)[..., 0].astype(int)
    t = np.linspace(0, 1, 9)[:, None]
    start, end, control = (np.array(cell) + 0.5 for cell in ((4, 20), (27, 20), (16, 0)))
    arch = (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end
    line = np.stack([np.linspace(4, 27, 9), np.full(9, 26)], -1) + 0.5
    x, y = (np.concatenate([arch, line]) / 32 * 256).astype(int).T
    assert (picture[y, x] < 60).all()
    assert picture[:60].min() == 255
    assert picture[128, 128] == 255, "between the arch and the line"
    assert not caplog.records


def test_the_example_of_scenes(caplog: pytest.LogCaptureFixture) -> None:
    program = Program.from_json(EXAMPLES[1])
    try:
        picture = execute(program, 256).astype(int)
    except ImportError as error:
        pytest.skip(str(error))
    red, green, blue = (picture[..., i] - np.delete(picture, i, -1).max(-1) > 100 for i in range(3))
    assert red.sum() > 3000
    assert blue.sum() > 1000
    assert not green.any()
    assert np.argwhere(blue).mean(0)[0] > np.argwhere(red).mean(0)[0], "the ball is before the box"
    assert not caplog.records


def test_every_key_is_in_the_table() -> None:
    names = re.findall(r"^\| ((?:`\w+`(?:, )?)+)", TEXT.partition("## The object")[2].partition("## ")[0], re.MULTILINE)
    keys = re.findall(r"\w+", "".join(names))
    assert set(keys) == {*json.loads(EXAMPLES[0]), "frame"}


@pytest.mark.parametrize(
    ("kind", "after"),
    [(PaintSettings, "Settings of the renderer `paint`"), (ScenesSettings, "Settings of the renderer `scenes`")],
)
def test_every_setting_is_in_the_table_with_its_default(kind: type, after: str) -> None:
    rows = table(after)
    assert list(rows) == ["name", *(field.name for field in dataclasses.fields(kind))]
    defaults = kind()
    for name, (_, default) in list(rows.items())[1:]:
        value = getattr(defaults, name)
        assert json.loads(default.strip("`")) == (list(value) if isinstance(value, tuple) else value), name


def test_every_example_has_all_settings() -> None:
    for text in EXAMPLES:
        program = Program.from_json(text)
        assert program.renderer.keys() == json.loads(text)["renderer"].keys()


@pytest.mark.parametrize("space", get_args(Space))
def test_the_columns_of_every_space(space: str) -> None:
    before = re.findall(r"`([^`]+)`", table("| `space` | columns")["bezier" if space == "relative" else space][0])
    if space == "bezier":
        assert table("| `space` | columns")["relative"][0] == "as `bezier`"
    actions = make_renderer({"name": "paint", "space": space, "color": True}).actions
    assert columns(actions) == [*before, "size", "pressure", "red", "green", "blue"]


def radius_and_rest(settings: dict[str, Any], cells: list[int]) -> list[float]:
    """Radius in pixels, pressure and colour of the last five cells of a row, as the table of columns says."""
    size, pressure, *colour = cells[-5:]
    radius = settings["sizes"][size] * settings["canvas"] / 64
    return [radius, (pressure + 1) / settings["pressures"], *(value / (settings["levels"] - 1) for value in colour)]


@pytest.mark.parametrize("space", ["bezier", "line", "stroke"])
def test_rows_of_paint_mean_what_is_said(space: str) -> None:
    """A reader that knows only the page finds the curves that the renderer paints."""
    renderer = make_renderer({"name": "paint", "canvas": 128, "space": space, "grid": 20, "color": True, "levels": 5})
    actions = renderer.actions.sample(np.random.default_rng(1), 30)
    document = json.loads(Program(renderer.settings(), actions).to_json())
    settings, pen = document["renderer"], (0.0, 0.0)
    decoder = CurveDecoder(read_settings(settings))
    pens = decoder.new(1)

    def middle(x: int, y: int) -> tuple[float, float]:
        side = settings["canvas"] / settings["grid"]
        return (x + 0.5) * side, (y + 0.5) * side

    for row, action in zip(document["actions"], actions, strict=True):
        curves, pens = decoder.decode(action[None], pens)
        verb, *cells = row if space != "stroke" else ["paint", *row]
        if verb == "jump":
            pen = middle(*cells)
            assert len(cells) == 2
            assert curves[0, -1, 5:7] == pytest.approx(pen)
            continue
        if space == "stroke":
            start, control, end = (middle(*cells[i : i + 2]) for i in (0, 2, 4))
        else:
            start, end = pen, middle(*cells[:2])
            control = middle(*cells[2:4]) if space == "bezier" else tuple((np.array(start) + end) / 2)
        radius, pressure, *colour = radius_and_rest(settings, cells)
        assert curves[0, -1, 1:7] == pytest.approx([*start, *control, *end])
        assert np.exp(curves[0, -1, 7]) == pytest.approx(radius)
        assert curves[0, -1, 9] == pytest.approx(pressure)
        assert curves[0, -1, 12] == pytest.approx(max(colour)), "the value of hue, saturation and value"
        pen = end


def test_rows_of_scenes_mean_what_is_said() -> None:
    settings = ScenesSettings(grid=10, levels=5)
    space = make_renderer({"name": "scenes", "grid": 10, "levels": 5}).actions
    actions = space.sample(np.random.default_rng(1), 40)
    actions = actions[actions[:, 0] == 0]
    rows = json.loads(Program({"name": "scenes", "grid": 10, "levels": 5}, actions).to_json())["actions"]
    assert ", ".join(KINDS) in TEXT
    for row, (kind, across, up, radius, *colour) in zip(rows, place(settings, actions), strict=True):
        verb, shape, x, y, size, *channels = row
        r = settings.sizes[size]
        assert (verb, KINDS[shape]) == ("place", KINDS[int(kind)])
        assert across == pytest.approx((1 - r) * ((2 * x + 1) / 10 - 1))
        assert -up == pytest.approx((1 - r) * ((2 * y + 1) / 10 - 1))
        assert radius == pytest.approx(r, rel=2e-3)
        assert colour == pytest.approx([channel / 4 for channel in channels])


# --- settings that a file lacks -----------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", [["events"], ["events", "preset", "levels"], []])
def test_a_setting_that_is_missing_is_warned_of(
    missing: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    document = json.loads(EXAMPLES[0])
    expected = {"events": "50", "preset": "null", "levels": "20"}
    for name in missing:
        del document["renderer"][name]
    (tmp_path / "one.json").write_text(json.dumps(document))
    (tmp_path / "many.jsonl").write_text((json.dumps(document) + "\n") * 3)
    with caplog.at_level(logging.WARNING):
        program = Program.load(tmp_path / "one.json")
        assert load_programs(tmp_path / "many.jsonl") == [program] * 3
        assert Program.from_json(json.dumps(document)) == program
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == (3 if missing else 0), "one for each file"
    for message, where in zip(messages, ("one.json", "many.jsonl, line 1", "a program"), strict=False):
        assert f'{where}: "renderer" lacks ' in message
        assert all(f"{name}, assumed to be {expected[name]}" in message for name in missing)
