"""A simulated drawing: contact of the pen, and motors within what they can give."""

from __future__ import annotations

from dataclasses import replace

from limner.robot.arm import Arm
from limner.robot.drawing import Drawing, draw
from limner.robot.motion import Motion


def test_nothing_is_drawn_while_the_pen_should_be_up(motion: Motion, drawing: Drawing) -> None:
    high = motion.tip[:, 2] > 0.5e-3
    assert high.mean() > 0.2
    assert not drawing.touching[high].any()
    deep = motion.tip[:, 2] < -0.25e-3
    assert drawing.touching[deep].all()


def test_motors_give_no_more_than_they_can(arm: Arm, motion: Motion) -> None:
    heavy = Arm(arm.sheet)
    heavy.model.body_mass[:] *= 40
    names = "joints", "velocities", "accelerations", "tip"
    part = replace(motion, **{name: getattr(motion, name)[:100] for name in names})
    drawn = draw(heavy, part)
    assert (abs(drawn.torques) > heavy.torque).any()
    assert drawn.tip[-1, 2] < part.tip[-1, 2] - 0.01  # it sinks
