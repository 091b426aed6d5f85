"""The order of lines: against all orders of a few, and against what 2-opt promises."""

from itertools import pairwise, permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from limner.export.tour import nearest_tour

HOME = np.array([0.0, 100.0])


def ends_of(count: st.SearchStrategy[int]) -> st.SearchStrategy[np.ndarray]:
    """Ends of lines; places are on a coarse grid, so that many coincide."""
    return count.flatmap(lambda n: arrays(np.float64, (n, 2, 2), elements=st.integers(0, 20).map(float)))


def travel(ends: np.ndarray, order: np.ndarray, home: np.ndarray = HOME) -> float:
    path = [ends[k] if k >= 0 else ends[~k][::-1] for k in order]
    steps = [path[0][0] - home, *(then[0] - first[1] for first, then in pairwise(path))]
    return float(sum(np.linalg.norm(step) for step in [*steps, home - path[-1][1]]))


def lines(order: np.ndarray) -> list[int]:
    return sorted(int(k) if k >= 0 else int(~k) for k in order)


@settings(max_examples=30, deadline=None)
@given(ends_of(st.integers(1, 60)))
def test_each_line_is_drawn_once_with_no_more_travel(ends: np.ndarray) -> None:
    order = nearest_tour(ends, HOME)
    assert lines(order) == list(range(len(ends)))
    assert travel(ends, order) <= travel(ends, np.arange(len(ends))) + 1e-9
    assert np.array_equal(nearest_tour(ends, HOME), order)


@settings(max_examples=30, deadline=None)
@given(ends_of(st.integers(1, 7)))
def test_no_part_can_be_reversed_with_gain(ends: np.ndarray) -> None:
    order = nearest_tour(ends, HOME)
    for i in range(len(order)):
        for j in range(i + 1, len(order) + 1):
            changed = order.copy()
            changed[i:j] = ~order[i:j][::-1]
            assert travel(ends, changed) >= travel(ends, order) - 1e-6


def test_few_lines_are_drawn_nearly_as_well_as_can_be() -> None:
    shares = []
    for seed in range(8):
        ends = np.random.default_rng(seed).uniform(0, 100, (5, 2, 2))
        orders = [
            np.where(flips, ~np.array(order), order)
            for order in permutations(range(5))
            for flips in product([False, True], repeat=5)
        ]
        shares.append(travel(ends, nearest_tour(ends, HOME)) / min(travel(ends, order) for order in orders))
    assert min(shares) >= 1 - 1e-9
    assert np.mean(shares) < 1.1


@pytest.mark.parametrize(("count", "length"), [(300, 5.0), (1000, 1.0)])
def test_much_travel_is_saved(count: int, length: float) -> None:
    """The shortest tour of n places in a square of side a is about .7124 a √n long (Beardwood et al. 1959)."""
    rng = np.random.default_rng(0)
    starts = rng.uniform(0, 100, (count, 1, 2))
    ends = np.concatenate([starts, starts + rng.normal(0, length, (count, 1, 2))], axis=1)
    found = travel(ends, nearest_tour(ends, HOME))
    assert found < 0.95 * 0.7124 * 100 * np.sqrt(count)
    assert found < travel(ends, np.arange(count)) / 10


def test_lines_in_a_row_are_drawn_there_and_back_as_they_lie() -> None:
    x = np.arange(10.0)
    ends = np.stack([np.column_stack([x, 0 * x]), np.column_stack([x + 1, 0 * x])], axis=1)
    mixed = np.random.default_rng(1).permutation(10)
    ends = np.where((mixed % 2 == 0)[:, None, None], ends[mixed], ends[mixed][:, ::-1])
    order = nearest_tour(ends, np.zeros(2))
    assert travel(ends, order, np.zeros(2)) == pytest.approx(10)
