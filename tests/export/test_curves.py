"""Learning curves."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from PIL import Image

from limner.export.curves import BINS, COLOURS, CURVE, DOTS, encode, learning_curves, series

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


def levels(panel: Axes) -> dict[str, float]:
    """The dashed lines of a panel: name → height."""
    return {str(line.get_label()): float(line.get_ydata()[0]) for line in panel.lines if line.get_linestyle() == "--"}


def test_a_panel_for_each_quantity_and_axis() -> None:
    figure = learning_curves(LOG, reference=REFERENCE)
    titles = [panel.get_title("left") for panel in figure.axes]
    assert titles == ["Fréchet distance (lower is better)", "Policy entropy (nats)"] * 2
    assert [panel.get_xlabel() for panel in figure.axes] == ["frames"] * 2 + ["minutes"] * 2
    assert [levels(panel) for panel in figure.axes] == [{"real": 30, "random": 140}, {}] * 2
    assert [text.get_text() for panel in figure.axes for text in panel.texts] == ["real", "random"] * 2
    assert figure.axes[0].lines[0].get_xydata().tolist() == [[200, 90], [300, 60], [400, 50]]
    assert figure.axes[1].lines[0].get_xydata().tolist() == [[100, 6], [200, 5]], "what is not finite is left out"


def test_an_agent_with_targets() -> None:
    log = [{"frames": 1, "eval/mse": 0.05, "search/distance": 0.01, "policy/nll": 4.0, "eval/seconds": 1.0}]
    figure = learning_curves(log, ("frames",), {"empty": {"mse": 0.1, "distance": 0.3}})
    titles = [panel.get_title("left") for panel in figure.axes]
    assert titles == [
        "Mean squared error",
        "Error of the programs that search finds",
        "Negative log-likelihood of the expert (nats)",
    ]
    assert [levels(panel) for panel in figure.axes] == [{"empty": 0.1}, {}, {}]
    assert figure.axes[0].lines[0].get_marker() == "o", "a single point is a dot"


def test_svg_is_xml_with_texts_and_png_an_image() -> None:
    figure = learning_curves(LOG, reference=REFERENCE)
    root = ElementTree.fromstring(encode(figure, "svg"))
    texts = ["".join(element.itertext()).strip() for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count("Fréchet distance (lower is better)") == 2
    assert texts.count("real") == texts.count("random") == 2
    picture = Image.open(io.BytesIO(encode(figure, "png"))).convert("RGB")
    width, height = figure.get_size_inches()
    assert picture.size == (round(DOTS * width), round(DOTS * height))
    assert picture.getpixel((0, 0)) == (255, 255, 255)
    used = {"#" + bytes(colour).hex() for _, colour in picture.getcolors(2**24)}
    assert {CURVE, COLOURS["real"], COLOURS["random"]} <= used


def test_the_same_log_gives_the_same_bytes_whatever_the_style_is() -> None:
    figure = learning_curves(LOG, reference=REFERENCE)
    first = encode(figure, "svg"), encode(figure, "png"), encode(figure, "svg"), encode(figure, "png")
    assert first[:2] == first[2:]
    before = dict(matplotlib.rcParams)
    with matplotlib.rc_context({"figure.facecolor": "black", "axes.titlesize": 30, "svg.hashsalt": None}):
        other = learning_curves(LOG, reference=REFERENCE)
        assert (encode(other, "svg"), encode(other, "png")) == first[:2]
    assert dict(matplotlib.rcParams) == before


def test_an_empty_log_is_an_empty_figure() -> None:
    figure = learning_curves([])
    assert figure.axes == []
    ElementTree.fromstring(encode(figure, "svg"))
    encode(figure, "png")


@pytest.mark.parametrize(
    "values",
    [(5, 3), (0,), (0, 0), (-3, -7), (1e300, -1e300), (5e-324,), (2**70, 1), (1, 1 + 1e-15)],
)
def test_every_value_is_inside_its_panel(values: tuple[float, ...]) -> None:
    log = [{"frames": 10 * i, "eval/mse": value} for i, value in enumerate(values)]
    figure = learning_curves(log, ("frames",), {"empty": {"mse": values[0] / 2}, "$x^": {"mse": 0}})
    encode(figure, "png")
    (panel,) = figure.axes
    low, high = panel.get_ylim()
    assert all(low <= value <= high for value in (*values, *levels(panel).values()))
    left, right = panel.get_xlim()
    assert left <= 0
    assert right >= log[-1]["frames"]
