"""Settings of plotters: what cannot be is refused, with a remedy."""

import re
from dataclasses import fields

import numpy as np
import pytest

from limner.export.plotter import MACHINES, GcodeSettings

NUMBERS = [field.name for field in fields(GcodeSettings) if isinstance(field.default, float)]


@pytest.mark.parametrize(
    ("field", "value", "need"),
    [
        ("sheet", 0.0, "in 1 … 100000"),
        ("sheet", 0.5, "in 1 … 100000"),
        ("feed", -1.0, "in 1 … 100000"),
        ("travel", 0.0, "in 1 … 100000"),
        ("margin", -1.0, "0 or more"),
        ("margin", 50.0, "leave 1 mm or more of a sheet of 100.0 mm"),
        ("depth", -0.5, "in 0 … 10000"),
        ("tolerance", -0.5, "0 or more"),
        ("join", -0.5, "0 or more"),
        ("left", 1e6, "in -10000 … 10000"),
        ("safe", 0.0, "above gcode.contact, which is 0.0"),
        ("safe", -3.0, "above gcode.contact"),
        ("contact", -1e5, "in -10000 … 10000"),
        ("pens", 0, "in 1 … 100, or colours"),
        ("pens", 101, "in 1 … 100, or colours"),
        ("pens", 2.5, "a whole number or one or more"),
        ("bed", (100.0,), "a width and a height"),
        ("bed", (100.0, 0.0), "positive"),
        ("order", "shortest", "'program' or 'nearest'"),
        ("pen", "laser", "'z' or 'servo'"),
        *((name, value, "a number") for name in NUMBERS for value in (np.nan, np.inf, "3", True)),
    ],
)
def test_bad_settings_are_named(field: str, value: object, need: str) -> None:
    with pytest.raises(ValueError, match=rf"^gcode.{field} is {re.escape(repr(value))}: must .*{need}"):
        GcodeSettings(**{field: value})


@pytest.mark.parametrize(
    ("field", "value", "need"),
    [
        ("servo_up", 90.0, "must differ from servo_down"),
        ("servo_up", -1.0, "must be in 0 … 100000"),
        ("dwell", 60.0, "must be in 0 … 10"),
        ("safe", 1.0, "it is for gcode.pen z, but the pen is servo"),
        ("contact", 1.0, "it is for gcode.pen z, but the pen is servo"),
        ("depth", 0.0, "it is for gcode.pen z, but the pen is servo"),
    ],
)
def test_bad_settings_of_a_servo_are_named(field: str, value: object, need: str) -> None:
    with pytest.raises(ValueError, match=f"^gcode.{field} is {value}: {need}"):
        GcodeSettings(pen="servo", **{field: value})


@pytest.mark.parametrize(("field", "value"), [("servo_up", None), ("servo_down", 70.0), ("dwell", 0.0)])
def test_settings_of_a_servo_are_for_a_servo(field: str, value: object) -> None:
    GcodeSettings(pen="servo", **{field: value})
    with pytest.raises(ValueError, match=f"gcode.{field} is {value}: it is for gcode.pen servo, but the pen is z"):
        GcodeSettings(**{field: value})


def test_two_pens_of_one_colour_are_refused() -> None:
    with pytest.raises(ValueError, match="two pens have the same colour"):
        GcodeSettings(pens=("red", "#ff0000"))


def test_machines_start_from_settings() -> None:
    assert MACHINES["z-axis"] == GcodeSettings()
    assert {machine.pen for machine in MACHINES.values()} == {"z", "servo"}
