"""Programs as SVG: read by an XML parser, painted by a few lines of NumPy, and held against what libmypaint paints."""

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from itertools import pairwise
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limner.export.svg import svg
from limner.programs.execution import execute
from limner.programs.frame import Frame
from limner.programs.program import Program
from limner.worlds import make_renderer
from limner.worlds.paint.settings import PAINT, Space

NAMESPACE = "{http://www.w3.org/2000/svg}"
GRID = 16


def random_program(seed: int, steps: int = 6, **settings: object) -> Program:
    renderer = make_renderer({"name": "paint", "canvas": 128, "sizes": [2.0, 5.0], **settings})
    return Program(renderer.settings(), renderer.actions.sample(np.random.default_rng(seed), steps))


def written(*actions: dict[str, int], **settings: object) -> Program:
    renderer = make_renderer({"name": "paint", "grid": GRID, "sizes": [1.0, 3.0], **settings})
    rows = np.zeros((len(actions), len(renderer.actions)), np.int64)
    for row, action in zip(rows, actions, strict=True):
        for name, value in {"pressure": 9, **action}.items():
            row[renderer.actions.index(name)] = value
    return Program(renderer.settings(), rows)


def paths(program: Program) -> list[ElementTree.Element]:
    return ElementTree.fromstring(svg(program)).findall(f"{NAMESPACE}g/{NAMESPACE}path")


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", text)]


def painted(text: str) -> np.ndarray:
    """The picture ``float64[H, W, 4]`` of an SVG file: colours in [0, 1] times alpha, and alpha."""
    root = ElementTree.fromstring(text)
    _, _, width, height = map(int, root.attrib["viewBox"].split())
    picture = np.zeros((height, width, 4))
    for ground in root.findall(f"{NAMESPACE}rect"):
        assert ground.attrib == {"width": str(width), "height": str(height), "fill": "#ffffff"}
        picture[:] = 1
    group = root.find(f"{NAMESPACE}g")
    assert group is not None
    assert group.attrib["stroke-linecap"] == group.attrib["stroke-linejoin"] == "round"
    a, b, c, d, *_ = numbers(group.get("transform", "matrix(1 0 0 1 0 0)"))
    places = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1) + 0.5
    places = places @ np.linalg.inv([[a, b], [c, d]])
    t = np.linspace(0, 1, 24)[:, None]
    for path in group:
        begin, *curves = path.attrib["d"].split("Q")
        start = np.array(numbers(begin))
        apart = np.full((height, width), np.inf)
        for curve in curves:
            control, end = np.reshape(numbers(curve), (2, 2))
            line = (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end
            for one, other in pairwise(line):
                way = other - one
                share = np.clip((places - one) @ way / max(way @ way, 1e-12), 0, 1)
                apart = np.minimum(apart, np.linalg.norm(places - one - share[..., None] * way, axis=-1))
            start = end
        colour = [int(path.attrib["stroke"][i : i + 2], 16) / 255 for i in (1, 3, 5)]
        alpha = float(path.attrib["stroke-opacity"]) * (apart <= float(path.attrib["stroke-width"]) / 2)[..., None]
        picture = alpha * [*colour, 1] + (1 - alpha) * picture
    return picture


@pytest.mark.parametrize(
    ("brush", "alike"), [("deevad/fill", 0.97), ("classic/pen", 0.93), ("classic/calligraphy", 0.83)]
)
@pytest.mark.parametrize("space", get_args(Space))
def test_the_ink_is_where_the_picture_says(space: str, brush: str, alike: float) -> None:
    """The first brush is a plain round one; the second is thinner where it is faster; the third is flat."""
    program = random_program(1, space=space, brush=brush, pressures=1, sizes=[1.0, 2.0])
    ink, drawn = execute(program)[..., 0] < 128, painted(svg(program))[..., 0] < 0.5
    assert drawn.sum() > 400
    assert (ink & drawn).sum() > alike * (ink | drawn).sum()
    assert (ink & drawn[::-1, ::-1]).sum() < 0.7 * (ink | drawn).sum()


@pytest.mark.parametrize("ground", ["white", "transparent"])
def test_colours_and_the_ground(ground: str) -> None:
    program = random_program(
        5, 5, space="stroke", color=True, ground=ground, brush="deevad/fill", sizes=[2.0], pressures=1
    )
    picture, drawn = execute(program).astype(np.float64) / 255, painted(svg(program))
    covered = drawn[..., 3] if ground == "transparent" else (drawn[..., :3] < 1).any(-1)
    assert 0.1 < covered.mean() < 0.9
    if ground == "transparent":
        assert np.abs(picture[..., 3] - covered).mean() < 0.01
        picture[..., :3] *= picture[..., 3:]
    assert np.median(np.abs(picture[..., :3] - drawn[..., :3])[covered > 0]) < 0.01
    assert np.abs(picture[..., :3] - drawn[..., :3]).mean() < 0.01


@pytest.mark.parametrize("brush", ["classic/kabura", "classic/rounded", "deevad/fill", "deevad/rigger_brush"])
@pytest.mark.parametrize("pressure", [3, 6, 9])
def test_pressure_is_what_the_brush_makes_of_it(brush: str, pressure: int) -> None:
    """Wider or stronger: measured across the middle of a level stroke."""
    action = {"start": 129, "control": 136, "end": 142, "size": 1, "pressure": pressure}
    program = written(action, space="stroke", brush=brush, canvas=256, events=100)
    ink = 1 - execute(program)[:, 120:136, 0].mean(1) / 255
    (path,) = paths(program)
    assert float(path.attrib["stroke-width"]) == pytest.approx((ink > ink.max() / 2).sum(), rel=0.15)
    assert float(path.attrib["stroke-opacity"]) == pytest.approx(ink.max(), rel=0.1)


def test_curves_of_one_stroke_are_one_path_while_they_look_alike() -> None:
    def curve(x: int, y: int, **other: int) -> dict[str, int]:
        return {"flag": PAINT, "control": 3, "end": y * GRID + x, **other}

    program = written(curve(4, 0), curve(8, 8), curve(2, 9, size=1), {"end": 5}, curve(9, 9, size=1))
    assert [path.attrib["d"].count("Q") for path in paths(program)] == [2, 1, 1]
    places = [np.reshape(numbers(path.attrib["d"]), (-1, 2)) for path in paths(program)]
    assert places[0] == pytest.approx(np.array([[0, 0], [14, 2], [18, 2], [14, 2], [34, 34]]), abs=1.5)
    assert places[1][0] == pytest.approx(np.array([34, 34]), abs=1.5)


@pytest.mark.parametrize("brush", ["classic/pen", "classic/calligraphy", "deevad/fill"])
def test_a_short_stroke_of_a_wide_brush_is_no_longer_than_its_dabs(brush: str) -> None:
    """A stroke of 28 pixels, with dabs nearly as far apart or further."""
    stroke = {"start": 16 * 8 + 5, "control": 16 * 8 + 8, "end": 16 * 8 + 12, "size": 1}
    program = written(stroke, space="stroke", brush=brush, sizes=[1.0, 8.0], pressures=10)
    ink, drawn = execute(program)[..., 0] < 128, painted(svg(program))[..., 0] < 0.5
    assert ink.any()
    assert (ink & drawn).sum() > 0.9 * (ink | drawn).sum()


def test_a_curve_without_length_is_left_out_unless_the_brush_drips() -> None:
    dot = {"start": 40, "control": 40, "end": 40}
    assert (execute(written(dot, space="stroke")) == 255).all()
    assert paths(written(dot, space="stroke")) == []
    assert (execute(written(dot, space="stroke", brush="deevad/fill")) < 255).any()
    assert len(paths(written(dot, space="stroke", brush="deevad/fill"))) == 1


def test_a_program_that_draws_nothing_is_a_sheet() -> None:
    root = ElementTree.fromstring(svg(written(canvas=200)))
    assert root.attrib["viewBox"] == "0 0 200 200"
    assert [child.tag for child in root] == [NAMESPACE + name for name in ("title", "rect", "g")]
    assert len(root[2]) == 0


def test_a_frame_is_what_the_sheet_shows() -> None:
    root = ElementTree.fromstring(svg(replace(written(canvas=512), frame=Frame(768, 512))))
    left, top, width, height = map(float, root.attrib["viewBox"].split())
    assert (left, width) == (0, 512)
    assert height == pytest.approx(512 * 512 / 768, abs=1e-3)
    assert top == pytest.approx((512 - height) / 2, abs=1e-3)
    assert (root.attrib["width"], root.attrib["height"]) == ("768px", "512px")


@given(st.text(), st.text())
def test_any_title_is_valid_xml(title: str, agent: str) -> None:
    try:
        program = Program({"name": "paint"}, np.zeros((0, 5), np.int64), title=title, agent=agent)
    except ValueError:  # half of a surrogate pair
        return
    told = ElementTree.fromstring(svg(program)).findtext(f"{NAMESPACE}title")
    wanted = title or (f"A drawing by {agent}" if agent else "A drawing")
    if wanted.isprintable():
        assert told == wanted


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(get_args(Space)), st.booleans())
def test_any_program_is_paths_within_the_sheet(seed: int, space: str, color: bool) -> None:
    program = random_program(seed, space=space, color=color)
    for path in paths(program):
        points = numbers(path.attrib["d"])
        assert len(points) == 2 + 4 * path.attrib["d"].count("Q")
        assert all(0 <= number <= 128 for number in points)
        assert re.fullmatch("#[0-9a-f]{6}", path.attrib["stroke"])
        assert 0 < float(path.attrib["stroke-opacity"]) <= 1
        assert float(path.attrib["stroke-width"]) >= 2 * 2 * 2


def test_other_renderers_have_no_pen() -> None:
    toy = make_renderer({"name": "toy"})
    with pytest.raises(ValueError, match="'toy' has no pen: a program of 'paint' is needed"):
        svg(Program(toy.settings(), np.zeros((0, 0), np.int64)))
