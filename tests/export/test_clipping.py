"""Lines cut at the edges of a rectangle, against points sampled along them."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from plotting import apart

from limner.export.clipping import clip

LOW, HIGH = np.array([10.0, 20.0]), np.array([30.0, 60.0])
whole = st.integers(0, 8).map(lambda n: 10.0 * n)  # so that lines run along edges and through corners
lines = st.integers(1, 10).flatmap(
    lambda n: arrays(np.float64, (n, 3), elements=st.one_of(whole, st.floats(0, 80, allow_subnormal=False)))
)


@given(lines)
def test_all_that_is_inside_is_kept_and_nothing_else(line: np.ndarray) -> None:
    parts = clip(line, LOW, HIGH)
    for part in parts:
        assert (part[:, :2] >= LOW - 1e-9).all()
        assert (part[:, :2] <= HIGH + 1e-9).all()
        assert apart(part, line).max() <= 1e-6
    t = np.linspace(0, 1, 50)[:, None]
    along = [first + t * (last - first) for first, last in itertools.pairwise(line)]
    sampled = np.concatenate([line[:0], *along])
    inside = ((sampled[:, :2] > LOW + 1e-6) & (sampled[:, :2] < HIGH - 1e-6)).all(1)
    if inside.any():
        assert np.min([apart(sampled[inside], part) for part in parts], axis=0).max() <= 1e-6


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ([[15, 30, 1], [20, 40, 0]], [[[15, 30, 1], [20, 40, 0]]]),
        ([[0, 30, 0], [40, 30, 4]], [[[10, 30, 1], [30, 30, 3]]]),
        ([[20, 30, 0], [40, 30, 2], [20, 50, 0]], [[[20, 30, 0], [30, 30, 1]], [[30, 40, 1], [20, 50, 0]]]),
        ([[20, 30, 0], [30, 30, 0], [20, 40, 0]], [[[20, 30, 0], [30, 30, 0], [20, 40, 0]]]),
        ([[0, 20, 0], [10, 10, 0]], []),
        ([[0, 60, 0], [10, 60, 0], [10, 80, 0]], []),
        ([[20, 30, 1]], [[[20, 30, 1]]]),
        ([[0, 30, 1]], []),
    ],
    ids=["inside", "through", "out and in", "touches", "beside", "a corner", "a dot", "a dot outside"],
)
def test_parts(line: list[list[float]], expected: list[list[list[float]]]) -> None:
    parts = clip(np.asarray(line, np.float64), LOW, HIGH)
    assert [part.tolist() for part in parts] == expected
