"""A sketch: strokes in plain units, undo, regions painted like pictures."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from limner.agents.agent import load_agent
from limner.inference.draw import DrawOptions
from limner.inference.mark import MOST_STROKES, Mark
from limner.inference.sketch import Sketch
from limner.programs.execution import execute
from limner.programs.program import Program

AGENT = load_agent("faces")
SHAPES = ((64, 64), (128, 80), (70, 128))
QUICK = DrawOptions(sweeps=1)
"""Little search, the same on every machine."""


def share(low: float = 0.0, high: float = 1.0) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False)


@st.composite
def drawn(draw: st.DrawFn, width: int, height: int) -> Mark:
    """A stroke on a picture: often a dot, often at an edge."""
    place = st.tuples(share(0, width) | st.sampled_from([0.0, float(width)]), share(0, height))
    start, end = draw(place), draw(place)
    control = draw(place)
    if draw(st.booleans()):
        start = control = end
    colour = draw(st.integers(0, 0xFFFFFF).map("#{:06x}".format))
    return Mark(start, control, end, draw(share(1, 15)), draw(share()), colour)


@pytest.fixture(scope="module", params=SHAPES, ids=str)
def blank(request: pytest.FixtureRequest) -> Sketch:
    """A sketch of one of the shapes, which tests leave blank."""
    return Sketch(AGENT, *request.param)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_what_is_painted_is_near_what_was_asked_for(blank: Sketch, data: st.DataObject) -> None:
    width, height = blank.frame.width, blank.frame.height
    asked = data.draw(drawn(width, height))
    (painted,), _ = blank.add([asked])
    (again,), _ = blank.add([painted])
    blank.undo(0)
    assert again == painted, "what is reported can be asked for"
    assert painted.colour == asked.colour
    assert abs(painted.pressure - asked.pressure) <= 1 / 20
    assert abs(math.log(painted.radius / asked.radius)) <= math.log(2) / 12 + 1e-3
    assert math.dist(painted.end, asked.end) <= 1
    length = math.dist(asked.start, asked.control) + math.dist(asked.control, asked.end)
    if length >= asked.radius:
        assert math.dist(painted.start, asked.start) <= 1
        assert math.dist(painted.control, asked.control) <= 1


@given(st.data())
@settings(max_examples=20, deadline=None)
def test_a_dot_leaves_paint_where_it_is(blank: Sketch, data: st.DataObject) -> None:
    width, height = blank.frame.width, blank.frame.height
    x, y, radius = data.draw(share(0, width)), data.draw(share(0, height)), data.draw(share(2, 15))
    _, unseen = blank.add([Mark((x, y), (x, y), (x, y), radius)])
    dark = np.argwhere(blank.look(size=max(width, height))[..., 0] < 128)
    blank.undo(0)
    assert unseen == []
    assert np.linalg.norm(dark[:, ::-1] + 0.5 - (x, y), axis=1).max() <= 1.5 * radius + 2


@pytest.fixture(scope="module")
def ivory() -> Sketch:
    """A sketch on coloured paper."""
    return Sketch(AGENT, 64, 64, paper="ivory")


@given(st.lists(st.integers(0, 6) | st.just(-1), min_size=2, max_size=8), st.data())
@settings(max_examples=12, deadline=None)
def test_after_any_calls_the_canvas_shows_the_program(ivory: Sketch, calls: list[int], data: st.DataObject) -> None:
    """-1 undoes some of the strokes; any other number adds so many."""
    sketch, expected = ivory, []
    sketch.undo(0)
    for call in calls:
        if call < 0:
            keep = data.draw(st.integers(0, len(sketch)))
            sketch.undo(keep)
            expected = expected[:keep]
        else:
            expected += sketch.add([data.draw(drawn(64, 64)) for _ in range(call)])[0]
        assert sketch.marks == expected
    np.testing.assert_array_equal(sketch.look(), execute(sketch.program))


BAD = {
    "start": (-1.0, 5.0),
    "control": (5.0, 65.0),
    "end": (math.nan, 5.0),
    "radius": 1000.0,
    "pressure": 1.5,
    "colour": "bluish",
}
GOOD = Mark((1, 1), (5, 9), (30, 30), 4)


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_painted_is_named_and_nothing_is_painted(name: str) -> None:
    sketch = Sketch(AGENT, 64, 64)
    with pytest.raises(ValueError, match=rf"^strokes\[1\]\.{name}") as caught:
        sketch.add([GOOD, replace(GOOD, **{name: BAD[name]})])
    assert "\n" not in str(caught.value)
    assert len(sketch) == 0
    assert (sketch.look() == 255).all()


def test_strokes_that_are_not_seen_are_named() -> None:
    sketch = Sketch(AGENT, 64, 64)
    assert sketch.add([replace(GOOD, colour="white"), GOOD, replace(GOOD, colour="red")])[1] == [0]


@pytest.mark.parametrize("brush", ["experimental/basic", "classic/charcoal"], ids=str)
def test_a_region_comes_to_look_like_a_picture(brush: str) -> None:
    """By joint search, and by the agent where strokes are no layers."""
    sketch = Sketch(AGENT, 64, 64, brush=brush)
    sketch.add([replace(GOOD, colour="#3355aa")])
    before, marks, region = sketch.look(), sketch.marks, (16, 16, 60, 52)
    goal = Image.new("RGB", (40, 30), "#c04020")
    *_, last = sketch.paint(goal, region, 12, QUICK)
    np.testing.assert_array_equal(sketch.look(), before)
    sketch.take(last.program)
    assert len(sketch) == 13
    assert sketch.marks[0] == marks[0]
    np.testing.assert_array_equal(sketch.look(), execute(sketch.program))
    inside = np.abs(sketch.look(region).astype(int) - (0xC0, 0x40, 0x20)).mean()
    assert inside < 0.5 * np.abs(np.asarray((255, 255, 255)) - (0xC0, 0x40, 0x20)).mean()
    sketch.undo(1)
    np.testing.assert_array_equal(sketch.look(), before)


def test_a_picture_is_cropped_or_stretched_into_a_region() -> None:
    """A wide picture, dark on the left and on the right, in a square: cropped its middle is left."""
    wide = Image.new("RGB", (90, 30), "black")
    wide.paste("white", (30, 0, 60, 30))
    for stretch, dark in ((False, False), (True, True)):
        sketch = Sketch(AGENT, 64, 64, paper="#808080")
        *_, last = sketch.paint(wide, None, 8, QUICK, stretch)
        sketch.take(last.program)
        assert (sketch.look((2, 20, 12, 40)).mean() < 128) == dark


REGIONS = {
    "upside down": (10, 40, 30, 20),
    "beyond": (0, 0, 65, 64),
    "nothing": (5, 5, 5, 9),
    "not a number": (math.nan, 0, 9, 9),
}


@pytest.mark.parametrize("region", REGIONS.values(), ids=REGIONS)
def test_regions_that_are_none_are_refused(region: tuple[float, float, float, float]) -> None:
    sketch = Sketch(AGENT, 64, 64)
    for act in (lambda: sketch.look(region), lambda: sketch.paint(Image.new("L", (9, 9)), region, 1, QUICK)):
        with pytest.raises(ValueError, match="region is"):
            act()


@given(st.tuples(share(0, 63), share(0, 63), share(0.01, 64), share(0.01, 64)), st.integers(16, 300))
@settings(max_examples=30, deadline=None)
def test_a_look_shows_the_region_in_its_shape(blank: Sketch, box: tuple[float, ...], size: int) -> None:
    left, top = box[:2]
    right, bottom = min(64, left + box[2]), min(64, top + box[3])
    shown, part = blank.look((left, top, right, bottom), size), blank.look((left, top, right, bottom))
    assert max(shown.shape[:2]) == size
    assert part.shape[1] <= right - left + 2
    assert part.shape[0] <= bottom - top + 2
    np.testing.assert_allclose(shown.shape[:2], np.asarray(part.shape[:2]) * size / max(part.shape[:2]), atol=1)


def test_there_are_no_more_strokes_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("limner.inference.sketch.MOST_STROKES", 5)
    assert MOST_STROKES > 5
    sketch = Sketch(AGENT, 64, 64)
    sketch.add([GOOD] * 3)
    with pytest.raises(ValueError, match="3 more strokes are 6 in all: at most 5 fit"):
        sketch.add([GOOD] * 3)
    with pytest.raises(ValueError, match="3 more strokes are 6 in all"):
        sketch.paint(Image.new("L", (9, 9)), None, 3, QUICK)
    with pytest.raises(ValueError, match="the program has 6 strokes"):
        sketch.take(replace(sketch.program, actions=np.repeat(sketch.program.actions, 2, axis=0)))
    assert len(sketch) == 3


def test_programs_of_other_pictures_are_not_taken() -> None:
    sketch, other = Sketch(AGENT, 64, 64), Sketch(AGENT, 64, 70)
    with pytest.raises(ValueError, match="not of a picture of 64 × 64 pixels"):
        sketch.take(other.program)


def test_a_program_of_other_radii_is_taken_whole() -> None:
    """As a search leaves it whose radii are not among those of the sketch."""
    sketch = Sketch(AGENT, 64, 64)
    sketch.add([GOOD])
    program = sketch.program
    sizes = sorted({*program.renderer["sizes"], 7.7})
    moved = program.actions.copy()
    moved[:, program.space.index("size")] = sizes.index(7.7)
    other = Program(program.renderer | {"sizes": sizes}, np.concatenate([moved, moved]), frame=program.frame)
    sketch.take(other)
    assert [round(mark.radius, 3) for mark in sketch.marks] == [7.7, 7.7]
    np.testing.assert_array_equal(sketch.look(), execute(other))
    assert sketch.add([replace(GOOD, radius=7.7)])[0][0].radius == pytest.approx(7.7)


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"width": 63}, "width is 63: must be in 64 … 1024"),
        ({"height": 2000}, "height is 2000: must be in 64 … 1024"),
        ({"paper": "blueish"}, "'blueish' is no colour"),
        ({"brush": "nothing"}, "unknown brush 'nothing'"),
    ],
)
def test_sketches_that_cannot_be_had_are_refused(wishes: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Sketch(AGENT, **wishes)


@pytest.mark.parametrize("name", ["mnist", "mnist-reconstruct", "scenes"])
def test_agents_that_cannot_paint_in_colour_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="agent"):
        Sketch(load_agent(name))
