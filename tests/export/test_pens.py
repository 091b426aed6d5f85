"""Pens by colour: the nearest, the paper, and pens that are chosen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from limner.export.pens import PAPER, assign_pens, choose_pens, read_colours

RED, DARK, BLUE, WHITE, CREAM = (0.9, 0.1, 0.1), (0.1, 0.1, 0.1), (0.1, 0.1, 0.8), (1.0, 1.0, 1.0), (1.0, 0.98, 0.9)
some_colours = st.integers(1, 30).flatmap(lambda n: arrays(np.float64, (n, 3), elements=st.floats(0, 1)))


def test_colours_have_names_or_numbers() -> None:
    assert read_colours(["black", "#f00", "#0000ff", "rgb(255, 128, 0)"]).tolist() == [
        [0, 0, 0],
        [1, 0, 0],
        [0, 0, 1],
        [1, 128 / 255, 0],
    ]


@pytest.mark.parametrize("name", ["", "blak", "#12345", "red;"])
def test_what_is_no_colour_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=f"gcode.pens: '{name}' is no colour: give names such as navy, or #rrggbb"):
        read_colours(["black", name])


def test_the_nearest_pen_draws_a_stroke_and_white_paper_counts() -> None:
    colours = np.array([RED, DARK, BLUE, WHITE, CREAM])
    assert assign_pens(colours, ["firebrick", "black", "blue"]).tolist() == [0, 1, 2, PAPER, PAPER]
    assert assign_pens(colours, ["blue", "gold"]).tolist()[1:] == [0, 0, PAPER, PAPER]
    assert assign_pens(colours, ["black", "white"]).tolist()[3:] == [1, 1]


@pytest.mark.parametrize("colour", ["blue", "navy", "darkgreen", "red", "purple", "#404040"])
def test_black_is_drawn_with_any_dark_or_strong_pen(colour: str) -> None:
    assert assign_pens(np.zeros((1, 3)), [colour]).tolist() == [0]


def test_pens_are_the_colours_that_are_there_light_ones_first() -> None:
    colours = np.array([RED, DARK, BLUE, RED, WHITE])
    pens = choose_pens(colours, np.ones(5), 3)
    assert read_colours(pens) == pytest.approx(np.array([RED, BLUE, DARK]), abs=1 / 255)
    assert choose_pens(colours, np.ones(5), 20) == pens
    assert choose_pens(np.ones((3, 3)), np.ones(3), 2) == []


def test_long_strokes_count_more() -> None:
    colours = np.array([RED] * 3 + [BLUE])
    assert read_colours(choose_pens(colours, np.array([1, 1, 1, 30]), 1))[0, 2] > 0.6
    assert read_colours(choose_pens(colours, np.array([10, 10, 10, 1]), 1))[0, 0] > 0.8


@settings(max_examples=40, deadline=None)
@given(some_colours, st.integers(1, 5))
def test_more_pens_come_nearer_to_the_colours(colours: np.ndarray, count: int) -> None:
    lengths = np.ones(len(colours))
    pens = choose_pens(colours, lengths, count)
    assert len(pens) <= count
    assert pens == choose_pens(colours[::-1], lengths, count)
    rows = assign_pens(colours, pens) if pens else np.full(len(colours), PAPER)
    assert set(rows.tolist()) <= {PAPER, *range(len(pens))}
    if len({tuple(colour) for colour in colours.tolist()}) <= count and pens:
        nearest = np.concatenate([read_colours(pens), np.ones((1, 3))])[rows]
        assert np.abs(nearest - colours).max() < 0.1
