"""A plotter: the sheet that it draws on, its pens, and how the machine is told.

Notable choices:
- A machine is a value of all settings, which flags change one by one.
- Settings of a pen that the machine does not have are refused, not ignored.
"""

from dataclasses import dataclass, fields
from typing import Literal

from limner.export.pens import read_colours
from limner.worlds.validation import check_fields, require

STEP = 0.001
"""Millimetres: numbers are written to three decimals."""
OF_PEN = {"safe": "z", "contact": "z", "depth": "z", "servo_up": "servo", "servo_down": "servo", "dwell": "servo"}
"""Settings that only one kind of pen has."""


@dataclass(frozen=True)
class GcodeSettings:
    """A sheet, pens and a machine, in millimetres and millimetres a minute."""

    sheet: float = 100.0
    """Longer side of the sheet, which has the shape of the picture."""
    margin: float = 0.0
    """Blank margin along each side of it."""
    left: float = 0.0
    """X of the sheet's left edge."""
    bottom: float = 0.0
    """Y of its lower edge; y goes up."""
    mirror: Literal["no", "x", "y"] = "no"
    """Draw mirrored: x swaps left and right, y swaps top and bottom, for a machine whose y goes down."""
    bed: tuple[float, float] | None = None
    """Width and height that the machine reaches from X0 Y0: a drawing that leaves it is refused. None: none is."""
    pen: Literal["z", "servo"] = "z"
    """How the pen is lifted: by moving Z, or by a servo that is connected as a spindle (M3 S, then G4 P)."""
    safe: float = 5.0
    """Z at which the pen travels."""
    contact: float = 0.0
    """Z at which the pen touches the paper."""
    depth: float = 0.5
    """How much lower it is at full pressure; 0 for a rigid pen."""
    servo_up: float | None = 30.0
    """S of M3 that lifts the pen: find it by hand, machines differ. None: M5 lifts it."""
    servo_down: float = 90.0
    """S of M3 that puts it down."""
    dwell: float = 0.2
    """Seconds that the servo is given for either."""
    feed: float = 1000.0
    """Speed while drawing."""
    travel: float = 3000.0
    """Speed while travelling, if the controller lets it be set."""
    tolerance: float = 0.05
    """Largest distance of a line from the stroke; 0 keeps every point."""
    join: float = 0.1
    """Strokes that follow each other with ends as near as this are drawn without a lift."""
    order: Literal["program", "nearest"] = "program"
    """nearest saves travel: each stroke is followed by a near one, in either direction."""
    pens: int | tuple[str, ...] = 1
    """How many pens, whose colours are chosen, or the colours of yours; white is left to the paper, M0 between pens."""

    def __post_init__(self) -> None:
        ranges = dict.fromkeys(("sheet", "feed", "travel"), (1, 100_000)) | {"depth": (0, 10_000), "dwell": (0, 10)}
        ranges |= dict.fromkeys(("left", "bottom", "safe", "contact"), (-10_000, 10_000))
        ranges |= dict.fromkeys(("servo_up", "servo_down"), (0, 100_000))
        check_fields(self, "gcode.", positive="bed", not_negative="margin tolerance join", within=ranges)
        require(self.bed is None or len(self.bed) == 2, f"gcode.bed is {self.bed!r}: must be a width and a height")
        for field in fields(self):
            kind = OF_PEN.get(field.name, self.pen)
            value = getattr(self, field.name)
            other = f"gcode.{field.name} is {value!r}: it is for gcode.pen {kind}, but the pen is {self.pen}"
            require(kind == self.pen or value == field.default, other)
        up, side = self.safe - self.contact, self.sheet - 2 * self.margin
        require(up >= STEP, f"gcode.safe is {self.safe!r}: must be above gcode.contact, which is {self.contact!r}")
        require(side >= 1, f"gcode.margin is {self.margin!r}: must leave 1 mm or more of a sheet of {self.sheet!r} mm")
        require(self.servo_up != self.servo_down, f"gcode.servo_up is {self.servo_up!r}: must differ from servo_down")
        if isinstance(self.pens, int):
            require(1 <= self.pens <= 100, f"gcode.pens is {self.pens!r}: must be in 1 … 100, or colours")
        else:
            read_colours(self.pens)


MACHINES = {
    "z-axis": GcodeSettings(),
    "grbl-servo": GcodeSettings(pen="servo", feed=2000, travel=5000, order="nearest"),
    "grbl-pen-servo": GcodeSettings(safe=1, depth=0, feed=2000, travel=5000, order="nearest"),
}
"""Settings to start from: a machine with a Z axis; GRBL with a servo in place of the spindle (M3 S, as in grbl-servo);
GRBL whose servo lifts the pen wherever Z is above 0 (as Grbl_Pen_Servo does)."""
