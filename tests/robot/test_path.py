"""Ways of the pen in space."""

from __future__ import annotations

import numpy as np
import pytest

from limner.robot.arm import Arm
from limner.robot.path import DEEP, SHALLOW, pieces, ways


def test_pressure_is_depth(arm: Arm) -> None:
    stroke = np.asarray([[0.2, 0.2, 0.0], [0.5, 0.2, 0.5], [0.8, 0.2, 1.0]])
    drawn = [way for way in ways([stroke], arm.sheet) if way.drawing]
    assert len(drawn) == 1
    depths = [-drawn[0].curve(share * drawn[0].length)[2] for share in (0, 0.5, 1)]
    assert depths == pytest.approx([SHALLOW, (SHALLOW + DEEP) / 2, DEEP])


def test_a_polyline_is_cut_at_its_corners_only() -> None:
    turn = np.linspace(0, np.pi, 40)
    bow = np.column_stack([np.cos(turn), np.sin(turn), np.zeros(40)])
    assert [len(piece) for piece in pieces(bow)] == [40]
    corner = np.asarray([[0, 0, 0], [1, 0, 0], [1, 0, 0], [1, 1, 0], [1, 2, 0.0]])
    assert [piece.tolist() for piece in pieces(corner)] == [corner[:2].tolist(), corner[2:].tolist()]
    back = np.asarray([[0, 0, 0], [1, 0, 0], [0, 0, 0.0]])
    assert len(pieces(back)) == 2
    assert pieces(np.zeros((5, 3))) == []
