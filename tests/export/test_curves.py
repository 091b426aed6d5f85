"""Learning curves."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from limner.export.curves import BINS, COLOURS, Line, Text, _ticks, learning_curves, png, read_log, series, svg

LOG = [
    {"update": 1, "frames": 100, "minutes": 0.5, "policy/entropy": 6.0},
    {"update": 2, "frames": 200, "minutes": 1.0, "policy/entropy": 5.0, "eval/frechet": 90.0},
    {"update": 3, "frames": 300, "minutes": 1.5, "policy/entropy": float("nan"), "eval/frechet": 60.0},
    {"update": 4, "frames": 400, "minutes": 2.0, "policy/entropy": None, "eval/frechet": 50.0},
]
REFERENCE = {"real": {"frechet": 30.0}, "random": {"frechet": 140.0, "precision": float("nan")}}


def test_series_leaves_out_what_is_no_number() -> None:
    assert series(LOG, "frames", "policy/entropy") == [(100.0, 6.0), (200.0, 5.0)]
    assert series(LOG, "minutes", "eval/frechet") == [(1.0, 90.0), (1.5, 60.0), (2.0, 50.0)]
    assert series(LOG, "frames", "eval/coverage") == []


def test_long_series_are_averaged() -> None:
    rng = np.random.default_rng(0)
    log = [{"frames": i, "critic/gap": 3 + rng.normal()} for i in range(30 * BINS)]
    points = series(log, "frames", "critic/gap")
    assert len(points) == BINS
    assert np.mean([y for _, y in points]) == pytest.approx(3, abs=0.05)
    assert np.std([y for _, y in points]) == pytest.approx(30**-0.5, rel=0.2)
    assert series([{"frames": 7, "critic/gap": i} for i in range(BINS + 1)], "frames", "critic/gap") == [(7, BINS / 2)]


def test_a_panel_for_each_quantity_and_axis() -> None:
    figure = learning_curves(LOG, reference=REFERENCE)
    titles = [shape.text for shape in figure.shapes if isinstance(shape, Text) and shape.style == "title"]
    assert titles == ["Fréchet distance (lower is better)", "Policy entropy (nats)"] * 2
    dashed = [shape.style for shape in figure.shapes if isinstance(shape, Line) and shape.dashed]
    assert dashed == ["real", "random"] * 2
    for shape in figure.shapes:
        points = shape.points if isinstance(shape, Line) else [(shape.x, shape.y)]
        assert all(0 <= x <= figure.width and 0 <= y <= figure.height for x, y in points)


def test_an_agent_with_targets() -> None:
    log = [{"frames": 1, "eval/mse": 0.05, "search/distance": 0.01, "policy/surprise": 4.0, "eval/seconds": 1.0}]
    figure = learning_curves(log, ("frames",), {"empty": {"mse": 0.1, "distance": 0.3}})
    titles = [shape.text for shape in figure.shapes if isinstance(shape, Text) and shape.style == "title"]
    assert titles == ["Mean squared error", "Error of the programs that search finds", "Surprise at the advice (nats)"]
    (level,) = [shape for shape in figure.shapes if isinstance(shape, Line) and shape.dashed]
    (curve, *_) = [shape for shape in figure.shapes if isinstance(shape, Line) and shape.style == "curve"]
    assert level.style == "empty"
    assert level.points[0][1] < curve.points[0][1], "0.1 is above 0.05"


def test_a_falling_curve_falls() -> None:
    log = [{"frames": 1, "critic/gap": 5}, {"frames": 2, "critic/gap": 3}]
    (curve,) = [shape for shape in learning_curves(log, ("frames",)).shapes if shape.style == "curve"]
    assert isinstance(curve, Line)
    (x0, y0), (x1, y1) = curve.points
    assert x0 < x1
    assert y0 < y1  # pixels count downwards


def test_svg_is_xml_and_png_an_image() -> None:
    figure = learning_curves(LOG, reference=REFERENCE)
    root = ElementTree.fromstring(svg(figure))
    assert len(root) == len(figure.shapes)
    picture = Image.open(io.BytesIO(png(figure))).convert("RGB")
    assert picture.size == (2 * figure.width, 2 * figure.height)
    used = {"#" + bytes(colour).hex() for _, colour in picture.getcolors(2**24)}
    assert {COLOURS[name] for name in ("curve", "real", "random")} <= used


def test_an_empty_log_is_an_empty_figure() -> None:
    figure = learning_curves([])
    assert figure.shapes == []
    ElementTree.fromstring(svg(figure))
    png(figure)


@given(st.floats(-1e9, 1e9), st.floats(0, 1e9))
def test_ticks_enclose_the_range(low: float, span: float) -> None:
    high = low + span
    ticks = _ticks(low, high)
    assert 2 <= len(ticks) <= 8
    steps = np.diff(ticks)
    slack = steps[0] * 1e-6
    assert ticks[0] <= low + slack
    assert ticks[-1] >= high - slack
    assert np.allclose(steps, steps[0])


def test_log_lines(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps(LOG[0]) + "\n\n" + json.dumps(LOG[1]) + '\n{"update": 3, "fra')
    assert read_log(path) == LOG[:2]
    path.write_text('{"update": 1}\nnonsense\n{"update": 3}\n')
    with pytest.raises(ValueError, match=r"log\.jsonl, line 2: not JSON"):
        read_log(path)
    path.write_text('{"update": 1}\n[1]\n')
    with pytest.raises(ValueError, match="line 2: a log line is an object"):
        read_log(path)
