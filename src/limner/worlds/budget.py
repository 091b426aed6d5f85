"""``Budget``: the limits of a search."""

import math
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """Limits of a search, which ends at the first that is reached: a time, or sweeps, which repeat bit for bit."""

    seconds: float | None = None
    sweeps: int | None = None

    def __post_init__(self) -> None:
        if self.seconds is None and self.sweeps is None:
            raise ValueError("a budget needs seconds or sweeps")

    def end(self) -> float:
        """Value of ``time.perf_counter`` when the seconds, counted from now, are over; ∞ without a limit."""
        return math.inf if self.seconds is None else time.perf_counter() + self.seconds

    def spent(self, end: float, sweeps: int) -> bool:
        """Whether the time ``end`` is reached, or ``sweeps`` are as many as there may be."""
        return reached(end) or (self.sweeps is not None and sweeps >= self.sweeps)


def reached(end: float) -> bool:
    """Whether ``time.perf_counter`` is at ``end`` or later; the clock is not read for ∞."""
    return end < math.inf and time.perf_counter() >= end
