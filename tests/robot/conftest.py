"""What tests of the robot need: a program, an arm, and what it drew."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from robot_programs import make_program

from limner.programs.execution import pen_strokes
from limner.programs.program import Program

if TYPE_CHECKING:
    from limner.robot.arm import Arm
    from limner.robot.drawing import Drawing
    from limner.robot.motion import Motion

collect_ignore_glob = [] if find_spec("mujoco") else ["test_*.py"]


@pytest.fixture(scope="session")
def program() -> Program:
    """Along the left edge, into a corner; a bow in the lower right; a dot."""
    return make_program(
        (1, 1, 1, 8, 1, 14, 0), (1, 14, 3, 12, 6, 13, 3), (9, 9, 15, 9, 14, 14, 3), (8, 2, 8, 2, 8, 2, 1)
    )


@pytest.fixture(scope="session")
def arm() -> Arm:
    from limner.robot.arm import Arm, Sheet

    return Arm(Sheet())


@pytest.fixture(scope="session")
def motion(arm: Arm, program: Program) -> Motion:
    from limner.robot.motion import plan

    return plan(arm, pen_strokes(program))


@pytest.fixture(scope="session")
def drawing(arm: Arm, motion: Motion) -> Drawing:
    from limner.robot.drawing import draw

    return draw(arm, motion)
