"""The order of lines: a tour of all of them that saves travel with the pen up.

Notable choices:
- The tour starts at home with the line that has the nearest end, and goes on to the nearest, in either direction.
- It is then improved by 2-opt (Croes, 1958): a part of the tour is reversed, its lines with it, where that is shorter.
  Of all pairs of steps only those are tried that would bring near ends together, the most useful first.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NEIGHBOURS = 12
"""Ends that are looked up around an end."""
ROUNDS = 50
LONGEST = 50_000
"""Lines of the longest part that is reversed: the work is bounded."""


def nearest_tour(ends: Floats, home: Floats) -> Ints:
    """The order in which lines with ``ends`` ``float64[n, 2, 2]`` (first and last point) are drawn from ``home``.

    Line k is written as k where it is drawn as it is, and as ~k where it is drawn from its last point to its first. The
    travel is never longer than in the given order.
    """
    tour, given = _Tour(ends, home, _nearest(ends, home)), _Tour(ends, home, np.arange(len(ends)))
    tour.improve()
    if tour.travel() > given.travel():
        given.improve()
        return given.order()
    return tour.order()


def _nearest(ends: Floats, home: Floats) -> Ints:
    """Always on to the nearest end that is left. The tree of ends is built anew when half of them are gone."""
    from scipy.spatial import cKDTree  # type: ignore[import-untyped]

    places, left = ends.reshape(-1, 2), np.ones(len(ends), np.bool_)
    order = np.empty(len(ends), np.int64)
    here, rows = home, np.arange(0)
    for step in range(len(ends)):
        if 4 * (len(ends) - step) <= len(rows) or step == 0:
            rows = np.flatnonzero(left.repeat(2))
            tree = cKDTree(places[rows])
        count, found = NEIGHBOURS, rows[:0]
        while found.size == 0:
            found = rows[np.atleast_1d(tree.query(here, min(count, len(rows)))[1])]
            found = found[left[found // 2]]
            count *= 4
        line, end = divmod(int(found[0]), 2)
        order[step] = ~line if end else line
        left[line] = False
        here = ends[line, 1 - end]
    return order


class _Tour:
    """A tour as rows of two ends each, in and out, where end 2k is the first point of line k and 2k + 1 its last.

    Its first and last row are home, twice, so that the ends of all rows differ.
    """

    def __init__(self, ends: Floats, home: Floats, order: Ints) -> None:
        from scipy.spatial import cKDTree

        count = len(ends)
        self._places = np.concatenate([ends.reshape(-1, 2), [home] * 4])
        into = np.where(order >= 0, 2 * order, 2 * ~order + 1)
        start, finish = [[2 * count, 2 * count + 1]], [[2 * count + 2, 2 * count + 3]]
        self._rows = np.concatenate([start, np.column_stack([into, into ^ 1]), finish])
        self._row = np.empty(2 * count + 4, np.int64)  # of each end
        self._row[self._rows] = np.arange(count + 2)[:, None]
        found = cKDTree(self._places).query(self._places, min(NEIGHBOURS + 1, len(self._places)))[1]
        self._near: Ints = np.asarray(found, np.int64)

    def order(self) -> Ints:
        """As ``nearest_tour`` gives it."""
        into = self._rows[1:-1, 0]
        return np.where(into % 2 == 0, into // 2, ~(into // 2))

    def travel(self) -> float:
        """How far the pen travels."""
        return float(self._apart(self._rows[:-1, 1], self._rows[1:, 0]).sum())

    def improve(self) -> None:
        """Reverse parts wherever that saves travel."""
        for _ in range(ROUNDS):
            steps = self._candidates()
            now = self._apart(steps[:, 0], steps[:, 1]) + self._apart(steps[:, 2], steps[:, 3])
            saved = now - self._apart(steps[:, 0], steps[:, 2]) - self._apart(steps[:, 1], steps[:, 3])
            useful = np.argsort(-saved, kind="stable")[: int((saved > 1e-9).sum())]
            if not any([self._reverse(*steps[k].tolist()) for k in useful]):
                break

    def _candidates(self) -> Ints:
        """Pairs of steps with the pen up that ``_reverse`` could replace, ``int64[M, 4]``: a → b and c → d."""
        out, into = self._rows[:-1, 1], self._rows[1:, 0]  # of step i, from row i to row i + 1
        pairs = [np.column_stack([np.arange(len(out) - 1), np.arange(1, len(out))])]
        for side in (out, into):
            step = np.full(len(self._places), -1)
            step[side] = np.arange(len(side))
            near = step[self._near[side]]
            first = np.broadcast_to(np.arange(len(side))[:, None], near.shape)
            pairs.append(np.column_stack([first[near >= 0], near[near >= 0]]))
        one, other = np.concatenate(pairs).T
        low, high = np.minimum(one, other), np.maximum(one, other)
        keep = (low < high) & (high - low <= LONGEST)
        low, high = low[keep], high[keep]
        return np.column_stack([out[low], into[low], out[high], into[high]])

    def _apart(self, one: Ints, other: Ints) -> Floats:
        return np.asarray(np.linalg.norm(self._places[one] - self._places[other], axis=-1))

    def _reverse(self, a: int, b: int, c: int, d: int) -> bool:
        """Replace the steps a → b and c → d by a → c and b → d; False if they are no longer there, or not one way."""
        row = self._row
        if row[a] > row[c]:  # both were reversed together
            a, b, c, d = d, c, b, a
        same = row[b] == row[a] + 1 and row[d] == row[c] + 1 and row[b] <= row[c]
        if not same or self._rows[row[a], 1] != a or self._rows[row[c], 1] != c:
            return False
        if self._rows[row[b], 0] != b or self._rows[row[d], 0] != d:
            return False
        part = slice(int(row[b]), int(row[c]) + 1)
        self._rows[part] = self._rows[part][::-1, ::-1].copy()
        row[self._rows[part]] = np.arange(part.start, part.stop)[:, None]
        return True
