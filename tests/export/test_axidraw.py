"""SVG for plotters, read by an XML parser, against what the pens draw."""

import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import pytest
from plotting import BLACK

from limner.export.axidraw import axidraw
from limner.export.plotter import GcodeSettings
from limner.export.toolpath import Toolpath, toolpath
from limner.programs.execution import coloured_strokes
from limner.programs.frame import Frame
from limner.programs.program import Program
from limner.worlds import make_renderer
from limner.worlds.stroke import Stroke

SVG, INKSCAPE = "{http://www.w3.org/2000/svg}", "{http://www.inkscape.org/namespaces/inkscape}"
SHEET = GcodeSettings(sheet=150, margin=10, depth=0, order="nearest")


def program(title: str = "") -> Program:
    renderer = make_renderer({"name": "paint", "space": "stroke", "color": True})
    return Program(renderer.settings(), renderer.actions.sample(np.random.default_rng(0), 20), title=title)


def read(path: Toolpath, title: str = "") -> ElementTree.Element:
    return ElementTree.fromstring(axidraw(path, program(title)))


def places(path: ElementTree.Element) -> np.ndarray:
    return np.array([place.split() for place in path.attrib["d"].removeprefix("M ").split(" L ")], float)


@pytest.mark.parametrize("pens", [1, 3, ("black", "rgb(200, 0, 0)", "#00f")])
def test_layers_are_what_the_pens_draw(pens: int | tuple[str, ...]) -> None:
    settings = replace(SHEET, pens=pens)
    path = toolpath(coloured_strokes(program()), settings, home=(0, 0))
    root = read(path)
    assert [root.attrib[name] for name in ("width", "height", "viewBox")] == ["150mm", "150mm", "0 0 150 150"]
    layers = root.findall(f"{SVG}g")
    assert len(layers) == len(path.pens) == len({layer.attrib["id"] for layer in layers})
    assert len(root) == 1 + len(layers), "nothing but a title and layers"
    for number, (layer, pen) in enumerate(zip(layers, path.pens, strict=True), 1):
        assert layer.attrib[f"{INKSCAPE}groupmode"] == "layer"
        label = layer.attrib[f"{INKSCAPE}label"]
        assert label == f"{'!' * (number > 1)}{number} {pen.colour or 'black'}", "AxiDraw's software pauses at !"
        for element, line in zip(layer, pen.lines, strict=True):
            assert element.tag == f"{SVG}path"
            assert element.attrib["fill"] == "none"
            assert element.attrib["stroke"] == (pen.colour or "black")
            assert places(element) == pytest.approx(line[:, :2], abs=0.001)
            assert places(element).min() >= 10
            assert places(element).max() <= 140


def test_the_page_has_the_shape_of_the_picture() -> None:
    root = read(toolpath(coloured_strokes(program()), SHEET, Frame(300, 100)))
    assert [root.attrib[name] for name in ("width", "height")] == ["150mm", "63.3333mm"]
    assert root.attrib["viewBox"] == "0 0 150 63.3333"


def test_a_dot_has_a_length() -> None:
    (element,) = read(toolpath([Stroke(np.array([[0.5, 0.5, 1.0]] * 3), BLACK)], SHEET)).iter(f"{SVG}path")
    assert places(element).tolist() == [[75, 75], [75.01, 75]]


def test_a_title_is_text() -> None:
    path = toolpath(coloured_strokes(program()), SHEET)
    assert read(path, "<a> & b").findtext(f"{SVG}title") == "<a> & b"
