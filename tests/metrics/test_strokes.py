"""Comparisons of drawings whose answers are known."""

import math

import numpy as np
import pytest

from limner.metrics.strokes import POINTS, aligned, chamfer, compare, resample, same_way


def line(*points: tuple[float, float]) -> np.ndarray:
    return np.array(points, float)


def circle(turns: float = 1.0, begin: float = 0.0, count: int = 200) -> np.ndarray:
    angle = 2 * math.pi * (begin + np.linspace(0, turns, count))
    return 0.5 + 0.3 * np.stack([np.cos(angle), np.sin(angle)], -1)


ACROSS, DOWN, SLANT = line((0.1, 0.2), (0.9, 0.2)), line((0.5, 0.3), (0.5, 0.9)), line((0.1, 0.9), (0.3, 0.5))
LETTER = [ACROSS, DOWN, SLANT]


def lower(by: float) -> np.ndarray:
    return ACROSS + np.array([0, by])


def test_the_same_drawing() -> None:
    same = compare(LETTER, LETTER)
    assert (same.strokes, same.expected, same.chamfer, same.order, same.direction) == (3, 3, 0, 1, 1)


def test_neither_speed_nor_number_of_points_counts() -> None:
    slow = [line((0.1, 0.2), (0.11, 0.2), (0.11, 0.2), (0.15, 0.2), (0.9, 0.2))]
    assert compare(slow, [ACROSS]).chamfer == pytest.approx(0, abs=1e-12)


def test_reversed_strokes_differ_in_direction_alone() -> None:
    other = compare([ACROSS[::-1], DOWN, SLANT], LETTER)
    assert (other.order, other.direction) == (1, pytest.approx(2 / 3))
    assert other.chamfer == pytest.approx(0, abs=1e-12)
    assert compare([stroke[::-1] for stroke in LETTER], LETTER).direction == 0


def test_reordered_strokes_differ_in_order_alone() -> None:
    for strokes, order in (
        ([DOWN, ACROSS, SLANT], 1 / 3),
        ([SLANT, ACROSS, DOWN], -1 / 3),
        ([SLANT, DOWN, ACROSS], -1),
    ):
        other = compare(strokes, LETTER)
        assert (other.chamfer, other.order, other.direction) == (0, pytest.approx(order), 1)


def test_a_stroke_in_two_pieces_is_matched_by_the_longer_one() -> None:
    """At x = .1 … .7 and .7 … .9: the longer piece is 0 from all of the stroke but its last quarter."""
    pieces = [line((0.1, 0.2), (0.7, 0.2)), line((0.7, 0.2), (0.9, 0.2))]
    other = compare([*pieces, DOWN, SLANT], LETTER)
    assert (other.strokes, other.expected, other.order, other.direction) == (4, 3, 1, 1)
    missed = 0.2**2 / 2 / 0.8  # the mean distance of the stroke's points from the piece
    assert other.chamfer == pytest.approx(missed / 2 / 3, rel=0.1)
    assert compare(LETTER, [*pieces, DOWN, SLANT]).chamfer == pytest.approx(other.chamfer)


def test_parallel_strokes_are_as_far_as_they_are() -> None:
    assert compare([lower(0.05)], [ACROSS]).chamfer == pytest.approx(0.05)
    far = chamfer(resample(ACROSS)[None], np.stack([resample(ACROSS), resample(lower(0.3))]))
    assert far == pytest.approx(np.array([[0, 0.3]]))


def test_the_assignment_is_the_best_in_all() -> None:
    """Greedily the first stroke would take the nearest one, and leave the other to a stroke that is far."""
    first, second = lower(0.1), lower(0.3)
    moved = [lower(0.19), ACROSS]
    assert compare(moved, [first, second]).chamfer == pytest.approx((0.11 + 0.1) / 2)
    assert compare(moved, [first, second]).order == -1


def test_a_closed_stroke_has_a_direction_wherever_it_begins() -> None:
    for begin in (0, 0.25, 0.5, 0.9):
        for turns, direction in ((1, 1), (-1, 0), (0.4, 1), (-0.4, 0)):
            assert compare([circle(turns, begin)], [circle()]).direction == direction


def test_a_dot_has_no_direction() -> None:
    dot = line((0.5, 0.5))
    assert resample(dot).tolist() == [[0.5, 0.5]] * POINTS
    assert same_way(resample(dot), resample(ACROSS)) == 0
    assert same_way(resample(line((0.3, 0.3), (0.3, 0.3))), resample(ACROSS)) == 0
    alone = compare([dot], [line((0.5, 0.6))])
    assert alone.chamfer == pytest.approx(0.1)
    assert math.isnan(alone.direction)
    assert math.isnan(alone.order)
    assert compare([dot, ACROSS], [dot, ACROSS]).direction == 1


def test_nothing_at_all() -> None:
    none = compare([], LETTER)
    assert (none.strokes, none.expected) == (0, 3)
    assert math.isnan(none.chamfer) and math.isnan(none.order) and math.isnan(none.direction)  # noqa: PT018


def test_order_is_the_share_of_pairs_in_order_less_those_out_of_it() -> None:
    """Of four strokes two pairs out of six are swapped; a single stroke has no order."""
    strokes = [lower(by) for by in (0.0, 0.2, 0.4, 0.6)]
    swapped = [strokes[i] for i in (1, 0, 3, 2)]
    assert compare(swapped, strokes).order == pytest.approx((4 - 2) / 6)
    assert compare(strokes[::-1], strokes).order == pytest.approx(-1)
    assert math.isnan(compare(strokes[:1], strokes).order)


def test_resampling_keeps_ends_and_distances() -> None:
    bent = resample(line((0, 0), (0.3, 0), (0.3, 0.17)))
    assert bent.shape == (POINTS, 2)
    assert bent[[0, -1]].tolist() == [[0, 0], [0.3, 0.17]]
    np.testing.assert_allclose(np.abs(np.diff(bent, axis=0)).sum(1), 0.01)


def test_alignment_undoes_place_and_size() -> None:
    moved = [stroke * 0.4 + np.array([0.3, 0.1]) for stroke in LETTER]
    for stroke, other in zip(aligned(moved, LETTER), LETTER, strict=True):
        np.testing.assert_allclose(stroke, other)
    assert aligned([line((0.2, 0.2))], [ACROSS])[0] == pytest.approx(np.array([[0.5, 0.2]]))
